//! The codec against any bytes, and against the document's examples.

use proptest::prelude::*;
use std::borrow::Cow;

use super::*;

const SESSION: SessionId = SessionId::from_bytes([0xab; 16]);
const LARGEST: u64 = (1 << 53) - 1;

fn encoded(datagram: &Datagram<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    datagram.encode(&mut bytes).unwrap();
    bytes
}

fn hello(nick: &str) -> Datagram<'static> {
    Datagram::Hello(Hello {
        version: VERSION,
        nonce: Nonce::from_bytes([1; 16]),
        nick: nick.to_owned(),
        session: None,
        cookie: None,
    })
}

#[test]
fn the_largest_data_with_as_many_ranges_as_fit_is_a_datagram() {
    let body = Body::new(&"x".repeat(MAX_BODY_BYTES - 2)).unwrap();
    let count = (0..)
        .take_while(|&count| ranges_fit(MAX_BODY_BYTES, count))
        .last()
        .unwrap();
    assert_eq!(count, 3);
    let data = Data {
        session: SESSION,
        seq: LARGEST,
        ack: LARGEST,
        ranges: vec![(LARGEST, LARGEST); count],
        message: Cow::Borrowed(body.as_json()),
    };
    let length = encoded(&Datagram::Data(data)).len();
    assert!(
        (MAX_DATAGRAM_BYTES - 36..=MAX_DATAGRAM_BYTES).contains(&length),
        "{length}"
    );
}

#[test]
fn a_hello_is_padded_whatever_it_holds_and_taken_no_other_way() {
    for nick in ["", "anna", &"я".repeat(500)] {
        assert_eq!(encoded(&hello(nick)).len(), MAX_DATAGRAM_BYTES, "{nick}");
    }
    for length in 1_050..1_250 {
        let mut bytes = Vec::new();
        match hello(&"x".repeat(length)).encode(&mut bytes) {
            Ok(()) => assert_eq!(bytes.len(), MAX_DATAGRAM_BYTES),
            Err(error) => assert!(length > 1_100 && error.length > MAX_DATAGRAM_BYTES),
        }
    }
    let padded = encoded(&hello("anna"));
    assert!(matches!(Datagram::decode(&padded), Ok(Datagram::Hello(_))));
    let bare = String::from_utf8(padded).unwrap().replace("..", ".");
    let length = bare.len();
    let error = Datagram::decode(bare.as_bytes()).unwrap_err();
    assert_eq!(error, DecodeError::Unpadded { length });
}

#[test]
fn what_is_wrong_with_a_datagram_is_told() {
    let decode = |bytes: &[u8]| Datagram::decode(bytes).map(|_| ()).unwrap_err();
    let (length, limit) = (60_000, MAX_DATAGRAM_BYTES);
    assert_eq!(
        decode(&vec![b'{'; length]),
        DecodeError::TooLong(TooLong { length, limit })
    );
    assert_eq!(decode(b"{\"\xff"), DecodeError::NotUtf8 { valid_up_to: 2 });
    let deep = "[".repeat(MAX_DATAGRAM_BYTES);
    let no_session = r#"{"type":"ping","id":1}"#;
    for unknown in [
        "",
        "привет",
        "7",
        "[7]",
        r#"{"type":"dance"}"#,
        no_session,
        &deep,
    ] {
        assert!(
            matches!(decode(unknown.as_bytes()), DecodeError::NotKnown { .. }),
            "{unknown}"
        );
    }
}

#[test]
fn unknown_fields_and_deep_ones_are_ignored() {
    let deep = "[".repeat(400) + &"]".repeat(400);
    let text = format!(
        r#"{{"new":{deep},"id":7,"type":"ping","session":"{}"}}"#,
        "ab".repeat(16)
    );
    let Ok(Datagram::Ping(ping)) = Datagram::decode(text.as_bytes()) else {
        panic!("{:?}", Datagram::decode(text.as_bytes()));
    };
    assert_eq!((ping.session, ping.id), (SESSION, 7));
}

#[test]
fn codes_of_later_versions_are_read_as_other() {
    assert_eq!(
        serde_json::from_str::<Reason>(r#""bored""#).unwrap(),
        Reason::Other
    );
    assert_eq!(
        serde_json::from_str::<Refusal>(r#""monday""#).unwrap(),
        Refusal::Other
    );
    assert_eq!(
        serde_json::from_str::<Trouble>(r#""monday""#).unwrap(),
        Trouble::Other
    );
}

#[test]
fn what_is_no_object_is_no_message() {
    for json in [r#"["who"]"#, r#"["say","hi"]"#, r#"["joined","bo"]"#, "7"] {
        let body = Body::new(&serde_json::from_str::<serde_json::Value>(json).unwrap()).unwrap();
        assert!(Request::decode(body.as_json()).is_err(), "{json}");
        assert!(Notice::decode(body.as_json()).is_err(), "{json}");
    }
}

#[test]
fn an_error_repeats_nothing_of_the_peer() {
    for hostile in [
        r#"{"type":"\u001b[31mred"}"#,
        r#"{"type":"ack","session":"\u001b[31mred"}"#,
    ] {
        let error = Datagram::decode(hostile.as_bytes())
            .unwrap_err()
            .to_string();
        assert!(!error.contains("red"), "{error}");
    }
}

/// The lines of the document's blocks of one kind.
fn examples(kind: &str) -> Vec<&'static str> {
    let opening = format!("```json {kind}\n");
    let blocks = include_str!("../../PROTOCOL.md").split(&*opening).skip(1);
    blocks
        .flat_map(|block| block.split_once("```").expect("a block ends").0.lines())
        .collect()
}

#[test]
fn the_documents_datagrams_are_ours() {
    let mut seen = Vec::new();
    for example in examples("datagram") {
        let dots = ".".repeat(MAX_DATAGRAM_BYTES.saturating_sub(example.len() - "…".len()));
        let example = example.replace("…", &dots);
        let datagram = Datagram::decode(example.as_bytes()).expect(&example);
        assert_eq!(String::from_utf8(encoded(&datagram)).unwrap(), example);
        if let Datagram::Data(data) = datagram {
            Request::decode(&data.message).expect("the example carries a request");
        }
        seen.push(example.split('"').nth(3).unwrap().to_owned());
    }
    seen.sort();
    seen.dedup();
    let all = "ack bye challenge data hello ping pong refused welcome";
    assert_eq!(seen.join(" "), all, "each has an example");
}

#[test]
fn the_documents_messages_are_ours() {
    let (requests, notices) = (examples("request"), examples("notice"));
    assert_eq!((requests.len(), notices.len()), (6, 8));
    for example in requests {
        let request: Request = serde_json::from_str(example).expect(example);
        assert_eq!(Body::new(&request).unwrap().as_json().get(), example);
    }
    for example in notices {
        let notice: Notice = serde_json::from_str(example).expect(example);
        assert_eq!(Body::new(&notice).unwrap().as_json().get(), example);
    }
}

#[test]
fn the_documents_words_are_ours() {
    let (_, table) = include_str!("../../PROTOCOL.md")
        .split_once("| field | of | value | meaning |\n| --- | --- | --- | --- |\n")
        .expect("the table is there");
    let (table, _) = table.split_once("\n\n").expect("the table ends");
    let words = |field: &str, of: &str| -> Vec<&str> {
        let rows = table
            .lines()
            .map(|row| row.split(" | ").collect::<Vec<_>>());
        let rows = rows.filter(|row| row[0].contains(field) && row[1].contains(of));
        rows.map(|row| row[2].trim_matches('`')).collect()
    };
    fn ours<T: serde::Serialize>(words: &[T]) -> Vec<String> {
        let word = |word| serde_json::to_value(word).expect("a word is JSON");
        let words = words.iter().map(|it| word(it).as_str().map(String::from));
        words.map(|word| word.expect("a word is text")).collect()
    }
    use Refusal::{BadNick, BadVersion, Full, NickTaken, Stopping};
    let refusals = [BadNick, NickTaken, Full, Stopping, BadVersion];
    assert_eq!(words("code", "refused"), ours(&refusals));
    let troubles = [
        Trouble::BadNick,
        Trouble::NickTaken,
        Trouble::NoSuchNick,
        Trouble::TooLong,
        Trouble::BadMessage,
    ];
    assert_eq!(words("code", "error"), ours(&troubles));
    let reasons = [
        Reason::Quit,
        Reason::Stopping,
        Reason::Flooding,
        Reason::TooSlow,
        Reason::TimedOut,
    ];
    for of in ["bye", "left"] {
        assert_eq!(words("reason", of), ours(&reasons));
    }
    assert_eq!(
        words("kind", "said"),
        ours(&[Kind::Say, Kind::Me, Kind::Private])
    );
}

proptest! {
    #[test]
    fn any_text_in_a_message_survives(text: String, from: String) {
        let notice = Notice::Said {
            id: LARGEST, at: 0, from, kind: Kind::Me, text, more: false, history: true,
        };
        if let Ok(body) = Body::new(&notice) {
            prop_assert_eq!(Notice::decode(body.as_json()), Ok(notice));
        }
    }
}
