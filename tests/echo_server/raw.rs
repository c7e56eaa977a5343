//! `--raw`: every byte comes back, and none is a command (RFC 862).

use std::io::{Read, Write};
use std::iter;
use std::net::Shutdown;
use std::thread;

use testbed::Random;

use crate::server::{Server, amounts, rest};

/// Bytes without a pattern that a fault could hide in.
fn noise(length: usize) -> Vec<u8> {
    let mut random = Random::new(1);
    let bytes = iter::repeat_with(|| random.bits() as u8);
    bytes.take(length).collect()
}

#[test]
fn ten_megabytes_come_back_though_the_sender_half_closes() {
    let server = Server::start(&["--raw"]);
    let mut client = server.connect();
    let bytes = noise(10_000_000);
    let mut sender = client.try_clone().unwrap();
    let back = thread::scope(|scope| {
        scope.spawn(|| {
            sender.write_all(&bytes).unwrap();
            sender.shutdown(Shutdown::Write).unwrap();
        });
        rest(&mut client)
    });
    assert_eq!(back.len(), bytes.len());
    let changed = back
        .iter()
        .zip(&bytes)
        .position(|(back, byte)| back != byte);
    assert_eq!(changed, None, "the first byte that is another");

    let line = server.log().wait_for("client disconnected");
    let totals =
        "the client closed the connection; received 10000000 bytes, sent 10000000 bytes, in";
    assert!(line.contains(totals), "{line}");
}

#[test]
fn no_byte_and_no_word_is_a_command() {
    let server = Server::start(&["--raw"]);
    let mut client = server.connect();
    let all: Vec<u8> = (0..=255).collect();
    for bytes in [
        &all[..],
        b"exit",
        b"exit\n",
        b"\nexit\r\n",
        b"\0\0\0\x04exit",
        b"\x04\x03\x1a",
    ] {
        client.write_all(bytes).unwrap();
        let mut back = vec![0; bytes.len()];
        client.read_exact(&mut back).unwrap();
        assert_eq!(back, bytes);
    }
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&mut client), b"");
}

#[test]
fn a_letter_that_is_split_at_byte_1024_comes_back_whole() {
    let server = Server::start(&["--raw"]);
    let mut client = server.connect();
    let text = format!("{}Ж!", "x".repeat(1023));
    client.write_all(text.as_bytes()).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&mut client), text.as_bytes());
    server.farewell(client);
    assert_eq!(amounts(&server.log(), "received"), [1024, 2]);
    assert_eq!(amounts(&server.log(), "sent"), [1024, 2]);
}

#[test]
fn a_portion_is_as_long_as_the_flag_says() {
    let server = Server::start(&["--raw", "--portion", "7"]);
    let mut client = server.connect();
    client.write_all(&noise(20)).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&mut client), noise(20));
    server.farewell(client);
    assert_eq!(amounts(&server.log(), "received"), [7, 7, 6]);
}

#[test]
fn what_comes_is_logged_at_the_level_that_asks_for_it() {
    let server = Server::start(&["--raw", "--log-level", "debug"]);
    let mut client = server.connect();
    client.write_all("Ж\x1b\n".as_bytes()).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&mut client), "Ж\x1b\n".as_bytes());
    let reported = server.log().wait_for("[DEBUG] portion of");
    assert!(
        reported.ends_with(r#"] portion of 4 bytes: "Ж\x1b\n""#),
        "{reported}"
    );
    server
        .log()
        .wait_for("gives back raw bytes, in portions of up to 1024");
}
