//! Input comes back on stdout, byte for byte.

use std::fmt::Write;

use echo_client::Wire;
use proptest::prelude::*;

use crate::server::{FRAMED, client_of, echo_client, echo_server};

/// Inputs that are easily changed on the way.
const INPUTS: [&[u8]; 14] = [
    b"",
    b"\n",
    b"\n\n\n",
    b"line\n",
    b"no end",
    b"one\ntwo\nthree\n",
    b"one\n\n\nfour",
    b"one\r\ntwo\r\n",
    b"\r\n\r",
    b" spaces \t\n",
    "Привет, мир!\nשלום\n👋🏽\n".as_bytes(),
    b"\xef\xbb\xbfmark\n",
    b"\0\x01\x1b[2J\x7f\n\0",
    b"exit now\nEXIT\n exit\nexi\nexits\n",
];

#[test]
fn any_text_comes_back_as_it_is() {
    let framed = client_of(echo_server(FRAMED));
    let raw = client_of(echo_server(Wire::Raw)).arg("--raw");
    for input in INPUTS {
        for client in [&framed, &raw] {
            let finished = client.clone().stdin_bytes(input).output().expect_success();
            assert_eq!(finished.stdout, input, "{}", input.escape_ascii());
        }
    }
}

#[test]
fn raw_brings_back_bytes_that_are_no_text() {
    let client = client_of(echo_server(Wire::Raw)).arg("--raw");
    let all: Vec<u8> = (0..=255).collect();
    for input in [
        &all[..],
        b"\xff\n\xd0\n\xd0",
        b"\xc3\x28",
        &all.repeat(1000),
    ] {
        let finished = client.clone().stdin_bytes(input).output().expect_success();
        assert!(finished.stdout == input, "{} bytes", input.len());
    }
}

#[test]
fn a_letter_that_is_split_at_byte_1024_comes_back_whole() {
    let framed = client_of(echo_server(FRAMED));
    let raw = client_of(echo_server(Wire::Raw)).arg("--raw");
    // Whatever stands before the text on the wire, some letter lies across its byte 1,024.
    for before in 1016..=1024 {
        let input = format!("{}ЖЖЖЖ\n", "x".repeat(before));
        for client in [&framed, &raw] {
            let finished = client.clone().stdin_bytes(input.as_str()).output();
            assert_eq!(finished.expect_success().stdout_text(), input);
        }
    }
}

#[test]
fn the_longest_line_comes_back() {
    let client = client_of(echo_server(FRAMED));
    let input = format!("{}\nshort\n", "ж".repeat(1 << 19));
    let finished = client.stdin_bytes(input.as_str()).output().expect_success();
    assert!(finished.stdout_text() == input);
}

#[test]
fn long_input_streams_through_little_memory() {
    // Both ends in one process.
    for flags in [
        &["--local", "--quiet"][..],
        &["--local", "--quiet", "--raw"],
    ] {
        let mut client = echo_client().args(flags).stdin_pipe().spawn();
        let mut input = String::new();
        for number in 1..=200_000 {
            writeln!(input, "{number}").unwrap();
        }
        client.write_stdin(input.as_str());
        client.wait_for_line("200000");
        if cfg!(target_os = "linux") {
            let memory = client.memory().unwrap();
            assert!(memory.peak < 20 << 20, "{memory:?}");
        }
        client.close_stdin();
        let finished = client.wait().expect_success();
        assert!(finished.stdout_text() == input);
        assert_eq!(finished.stderr_text(), "");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_text_comes_back(lines in prop::collection::vec(".{0,100}", 0..200), ended: bool) {
        let mut input = lines.join("\n");
        if ended {
            input.push('\n');
        }
        prop_assume!(input.lines().all(|line| line != "exit"));
        let client = client_of(echo_server(FRAMED)).stdin_bytes(input.as_str());
        let finished = client.output().expect_success();
        prop_assert_eq!(finished.stdout_text(), input);
    }

    #[test]
    fn random_bytes_come_back_raw(input in prop::collection::vec(any::<u8>(), 0..10_000)) {
        prop_assume!(input.split(|byte| *byte == b'\n').all(|line| line != b"exit"));
        let client = client_of(echo_server(Wire::Raw)).arg("--raw");
        let finished = client.stdin_bytes(input.as_slice()).output().expect_success();
        prop_assert_eq!(&finished.stdout, &input);
    }
}
