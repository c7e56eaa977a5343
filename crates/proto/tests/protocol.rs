//! Checks the examples of `PROTOCOL.md` against the code.

use std::io::Cursor;

use proto::{FramedSocket, MAX_DIALOGUE_BYTES, MAX_ECHO_BYTES, RecvError};

const PROTOCOL: &str = include_str!("../PROTOCOL.md");

/// The contents of all fenced blocks of one kind.
fn examples(kind: &str) -> Vec<Vec<&'static str>> {
    let mut found = vec![];
    let mut lines = PROTOCOL.lines();
    while let Some(line) = lines.next() {
        let Some(fence) = line.strip_prefix("```") else {
            continue;
        };
        let block = lines
            .by_ref()
            .take_while(|line| !line.starts_with("```"))
            .collect();
        if fence == kind {
            found.push(block);
        }
    }
    assert!(!found.is_empty(), "the document has no example of {kind}");
    found
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.split(' ')
        .map(|byte| u8::from_str_radix(byte, 16).expect("two digits"))
        .collect()
}

fn text(quoted: &str) -> String {
    serde_json::from_str(quoted).expect("a text in quotes")
}

/// Everything that can be received from a stream of these bytes, and how it ended.
fn receive(wire: Vec<u8>) -> (Vec<String>, Result<(), RecvError>) {
    let (mut stream, mut texts) = (Cursor::new(wire), vec![]);
    loop {
        match stream.recv_text(MAX_ECHO_BYTES) {
            Ok(Some(text)) => texts.push(text),
            Ok(None) => return (texts, Ok(())),
            Err(error) => return (texts, Err(error)),
        }
    }
}

#[test]
fn each_example_of_a_frame_is_what_is_sent_and_received() {
    for example in examples("frame").into_iter().chain(examples("frames")) {
        let (hex, quoted) = example.split_last().expect("texts, then their bytes");
        let texts: Vec<_> = quoted.iter().copied().map(text).collect();

        let mut sent = Cursor::new(vec![]);
        texts
            .iter()
            .for_each(|text| sent.send_text(text).expect("it is short"));
        assert_eq!(sent.into_inner(), bytes(hex), "{example:?}");

        let (received, end) = receive(bytes(hex));
        assert_eq!(received, texts);
        assert!(end.is_ok(), "{end:?}");
    }
}

#[test]
fn each_example_of_an_error_fails_in_these_words() {
    for example in examples("frame-error") {
        let [words, hex] = example[..] else {
            panic!("words, then bytes: {example:?}")
        };
        let (received, end) = receive(bytes(hex));
        assert!(received.is_empty());
        assert_eq!(end.expect_err("an error").to_string(), words);
    }
}

#[test]
fn the_limits_are_those_of_the_code() {
    for (row, limit) in [
        ("| payload, echo | ", MAX_ECHO_BYTES),
        (
            "| payload, dialogues, in both directions | ",
            MAX_DIALOGUE_BYTES,
        ),
    ] {
        let (_, rest) = PROTOCOL.split_once(row).expect("the row of a limit");
        let digits = rest
            .chars()
            .take_while(|character| *character != ' ')
            .filter(char::is_ascii_digit);
        assert_eq!(digits.collect::<String>(), limit.to_string(), "{row}");
    }
}
