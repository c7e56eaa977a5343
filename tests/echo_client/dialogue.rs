//! A dialogue as it goes: who speaks when, and what ends it.

use std::io::{Cursor, Write};

use echo_client::Wire;
use proto::{FramedSocket, MAX_ECHO_BYTES};

use crate::server::{FRAMED, FakeServer, client_of, echo_server, read, read_all};

#[test]
fn each_line_is_answered_before_the_next_is_typed() {
    for (wire, flags) in [(FRAMED, &[][..]), (Wire::Raw, &["--raw"])] {
        let client = client_of(echo_server(wire)).args(flags);
        let client = client.stdin_pipe().spawn();
        for line in ["one", "", "три"] {
            client.write_stdin(format!("{line}\n"));
            assert_eq!(client.next_line(), line);
        }
    }
}

#[test]
fn exit_ends_it_though_there_is_more_input() {
    for (wire, flags) in [(FRAMED, &[][..]), (Wire::Raw, &["--raw"])] {
        let client = client_of(echo_server(wire)).args(flags);
        let client = client.stdin_pipe().spawn();
        client.write_stdin("one\ntwo\nexit\nnever sent\n");
        let finished = client.wait().expect_success();
        assert_eq!(finished.stdout_text(), "one\ntwo\n");
    }
}

#[test]
fn exit_is_a_frame_and_then_the_end() {
    let server = FakeServer::start(|mut client| {
        let mut wire = read::<14>(&mut client).to_vec();
        client.send_text("hi").unwrap();
        wire.extend(read_all(&mut client));
        wire
    });
    let client = client_of(server.address).stdin_bytes("hi\nexit\nno\n");
    assert_eq!(client.output().expect_success().stdout_text(), "hi\n");
    assert_eq!(server.join(), b"\0\0\0\x02hi\0\0\0\x04exit");
}

#[test]
fn raw_exit_is_only_the_end() {
    let server = FakeServer::start(|mut client| {
        // Any server of RFC 862: it knows bytes alone, and answers after the half-close.
        let wire = read_all(&mut client);
        client.write_all(&wire).unwrap();
        wire
    });
    let client = client_of(server.address).arg("--raw");
    let client = client.stdin_bytes("hi\nexit\nno\n");
    assert_eq!(client.output().expect_success().stdout_text(), "hi\n");
    assert_eq!(server.join(), b"hi\n");
}

#[test]
fn what_is_owed_is_waited_for_after_the_end_of_input() {
    let server = FakeServer::start(|mut client| {
        let mut replies = Cursor::new(vec![]);
        while let Some(text) = client.recv_text(MAX_ECHO_BYTES).unwrap() {
            replies.send_text(&text).unwrap();
        }
        // Only now, and in pieces that are no frames.
        for piece in replies.get_ref().chunks(3) {
            client.write_all(piece).unwrap();
        }
    });
    let client = client_of(server.address).stdin_bytes("one\nдва\n\nlast");
    let finished = client.output().expect_success();
    assert_eq!(finished.stdout_text(), "one\nдва\n\nlast");
    server.join();
}

#[test]
fn what_the_server_says_unasked_is_printed() {
    let server = FakeServer::start(|mut client| {
        client.send_text("welcome").unwrap();
        let text = client.recv_text(MAX_ECHO_BYTES).unwrap().unwrap();
        client.send_text("here it comes").unwrap();
        client.send_text(&text).unwrap();
        assert_eq!(client.recv_text(MAX_ECHO_BYTES).unwrap(), None);
        client.send_text("goodbye").unwrap();
    });
    let mut client = client_of(server.address).stdin_pipe().spawn();
    assert_eq!(client.next_line(), "welcome");
    client.write_stdin("hello\n");
    assert_eq!(client.next_line(), "here it comes");
    assert_eq!(client.next_line(), "hello");
    client.close_stdin();
    // It is printed, but only the same text is an echo.
    let finished = client.wait().expect_code(1);
    assert!(finished.stdout_text().ends_with("hello\ngoodbye\n"));
    server.join();
}

#[cfg_attr(windows, ignore = "Wine is too slow for it")]
#[test]
fn sending_and_receiving_do_not_wait_for_each_other() {
    // More than all buffers between the two together, so that a client that only writes gets stuck.
    let line = format!("{}\n", "x".repeat(99_999));
    let input = line.repeat(300);
    for (wire, flags) in [(FRAMED, &[][..]), (Wire::Raw, &["--raw"])] {
        let client = client_of(echo_server(wire)).args(flags);
        let finished = client.stdin_bytes(input.as_str()).output().expect_success();
        assert!(finished.stdout_text() == input);
    }
}

#[test]
fn a_server_that_does_not_close_is_left_in_the_end() {
    let server = FakeServer::start(|mut client| {
        let text = client.recv_text(MAX_ECHO_BYTES).unwrap().unwrap();
        client.send_text(&text).unwrap();
        client
    });
    let client = client_of(server.address).stdin_bytes("hello\n");
    assert_eq!(client.output().expect_success().stdout_text(), "hello\n");
    drop(server.join());
}
