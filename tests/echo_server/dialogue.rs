//! Messages come back as they were sent, until `exit`.

use std::io::Write;
use std::net::Shutdown;

use proto::{FramedSocket, MAX_ECHO_BYTES, header};

use crate::server::{Server, expect_echo, expect_reply, rest};

fn frame(text: &str) -> Vec<u8> {
    [&header(text.len()).unwrap()[..], text.as_bytes()].concat()
}

#[test]
fn messages_of_every_kind_come_back() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    for text in [
        "hello",
        "",
        "Привет, мир! 👋🏽",
        "two\nlines\r\n",
        "\0\u{1b}[2J\u{7f}",
        "exit now",
        "Exit",
        " exit",
        "exit\n",
    ] {
        expect_echo(&mut client, text);
    }
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&mut client), b"");
}

#[test]
fn exit_ends_the_dialogue_after_all_replies() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    for text in ["one", "two", "exit", "too late"] {
        client.send_text(text).unwrap();
    }
    expect_reply(&mut client, "one");
    expect_reply(&mut client, "two");
    assert_eq!(rest(&mut client), b"");
    let reason = server.farewell(client);
    assert_eq!(reason, "the client said exit");
}

#[test]
fn what_comes_after_exit_costs_no_reply() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    // More than the server reads at once: closing on it would be a reset.
    let late = frame(&"late".repeat(10_000));
    let wire = [frame("hello"), frame("exit"), late].concat();
    client.write_all(&wire).unwrap();
    assert_eq!(rest(&mut client), frame("hello"));
}

#[test]
fn the_client_may_end_it_without_exit() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.send_text("last words").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&mut client), frame("last words"));
    let reason = server.farewell(client);
    assert_eq!(reason, "the client closed the connection");
}

#[test]
fn a_message_that_comes_byte_by_byte_comes_back() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    for byte in [frame("Аня"), frame(""), frame("hi")].concat() {
        client.write_all(&[byte]).unwrap();
    }
    expect_reply(&mut client, "Аня");
    expect_reply(&mut client, "");
    expect_reply(&mut client, "hi");
}

#[test]
fn a_letter_that_is_split_at_byte_1024_comes_back_whole() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    // header 4 | x … 1,019 | Ж, of which only the first byte is within the first 1,024.
    let text = format!("{}Ж!", "x".repeat(1019));
    let wire = frame(&text);
    let (first, second) = wire.split_at(1024);
    client.write_all(first).unwrap();
    server.log().wait_for("received 1024 bytes");
    client.write_all(second).unwrap();
    expect_reply(&mut client, &text);
}

#[test]
fn the_longest_message_comes_back_and_a_longer_one_ends_the_connection() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    let longest = "x".repeat(MAX_ECHO_BYTES);
    client.send_text("before it").unwrap();
    client.send_text(&longest).unwrap();
    expect_reply(&mut client, "before it");
    expect_reply(&mut client, &longest);
    client
        .write_all(&header(MAX_ECHO_BYTES + 1).unwrap())
        .unwrap();
    assert_eq!(rest(&mut client), b"");
    let reason = server.farewell(client);
    assert_eq!(
        reason,
        "a payload of 1048577 bytes is over the limit of 1048576"
    );
}

#[test]
fn the_longest_message_can_be_another() {
    let server = Server::start(&["--max-message", "6"]);
    let mut client = server.connect();
    expect_echo(&mut client, "Аня");
    client.send_text("Аня!").unwrap();
    assert_eq!(rest(&mut client), b"");
    let reason = server.farewell(client);
    assert_eq!(reason, "a payload of 7 bytes is over the limit of 6");
}
