//! Servers that are not there, not what they should be, or gone too soon.

use std::time::{Duration, Instant};

use proto::FramedSocket;
use testbed::Finished;

use crate::server::{Server, client, impostor, saying, sending};

fn last_line(done: &Finished) -> &str {
    done.stderr_text().lines().last().unwrap_or_default()
}

#[test]
fn nobody_is_there() {
    let mut server = Server::start();
    server.stop();
    let done = client(server.address).output().expect_code(1);
    let expected = format!(
        "ident-client: cannot connect to {}: connection refused; is the server running?\n",
        server.address
    );
    assert_eq!(done.stderr_text(), expected);
}

#[test]
fn a_server_that_never_answers_is_not_waited_for() {
    let began = Instant::now();
    let done = client(sending(b"")).args(["--timeout", "1"]).output();
    let silent = "ident-client: the server does not answer; is it an ident-server? \
                  If it was started with --tls, use --tls here too; --timeout waits longer";
    assert_eq!(last_line(&done.expect_code(1)), silent);
    assert!(began.elapsed() >= Duration::from_secs(1));
    let welcome = &[r#"{"type":"welcome","name":"Anna"}"#];
    let program = client(saying(welcome)).args(["--timeout", "1"]);
    let done = program.stdin_bytes("whoami\n").output().expect_code(1);
    let stopped =
        "ident-client: the server does not answer; is it an ident-server? --timeout waits longer";
    assert_eq!(last_line(&done), stopped);
    assert_eq!(done.stdout_text(), "Hello, Anna!\n");
}

/// A server with TLS that awaits the client's first message closes the connection in the end.
#[test]
fn a_server_that_closes_the_connection_without_a_greeting_may_speak_tls() {
    let done = client(impostor(drop)).output().expect_code(1);
    let closed = "ident-client: the server closed the connection without a greeting; is it an ident-server? \
                  If it was started with --tls, use --tls here too";
    assert_eq!(last_line(&done), closed);
}

#[test]
fn what_is_no_message_is_reported_and_not_shown() {
    for (wire, why) in [
        (
            &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
            "a payload of 1213486160 bytes is over the limit of 16384",
        ),
        (b"\0\0\0\x04\x1b[2J", "the message is not JSON"),
        (b"\0\0\0\x02\xff\xff", "a payload of 2 bytes is not UTF-8"),
        (
            b"\0\0\0\x02{}",
            "the message is not a known one: missing field `type`",
        ),
        (
            b"\0\0\0\x25{\"type\":\"welcome\",\"name\":\"\\u001b[2J\"}",
            "this one has U+001B",
        ),
    ] {
        let done = client(sending(wire)).arg("--quiet").output().expect_code(1);
        let expected = done.stderr_text();
        let start = "ident-client: the server sent an invalid message: ";
        assert!(
            expected.starts_with(start) && expected.contains(why),
            "{expected}"
        );
        assert!(
            expected.ends_with("; is it an ident-server?\n"),
            "{expected}"
        );
        assert!(!expected.contains('\u{1b}') && done.stdout.is_empty());
    }
}

#[test]
fn a_message_out_of_place_is_reported() {
    for texts in [
        &[r#"{"type":"bye"}"#][..],
        &[r#"{"type":"error","code":"bad_name","message":"no name"}"#],
        &[
            r#"{"type":"welcome","name":"Anna"}"#,
            r#"{"type":"who_are_you"}"#,
        ],
    ] {
        let program = client(saying(texts)).stdin_bytes("whoami\n");
        let done = program.output().expect_code(1);
        let expected =
            "ident-client: the server sent an unexpected message; is it an ident-server?";
        assert_eq!(last_line(&done), expected);
    }
}

#[test]
fn the_words_of_a_server_cannot_command_a_terminal() {
    const ERROR: &str =
        r#"{"type":"error","code":"of_a_newer_server","message":"no\u001b[2J\n\u202eno"}"#;
    let server = saying(&[
        r#"{"type":"welcome","name":"Anna"}"#,
        ERROR,
        r#"{"type":"bye"}"#,
    ]);
    let program = client(server).arg("--quiet").stdin_bytes("whoami\n");
    let done = program.output().expect_code(1);
    let expected = "no\\x1b[2J\\n\\u{202e}no\nident-client: 1 command was not carried out, as explained above\n";
    assert_eq!(done.stderr_text(), expected);
    let refused = client(saying(&[r#"{"type":"who_are_you"}"#, ERROR])).args(["--name", "Anna"]);
    let done = refused.output().expect_code(1);
    let expected = "ident-client: the server does not take the name: no\\x1b[2J\\n\\u{202e}no";
    assert_eq!(last_line(&done), expected);
}

#[test]
fn a_server_that_leaves_is_reported() {
    let leaving = impostor(|mut socket| {
        socket
            .send_text(r#"{"type":"welcome","name":"Anna"}"#)
            .unwrap();
        let _request = socket.recv_text(1 << 14);
    });
    let done = client(leaving)
        .stdin_bytes("whoami\n")
        .output()
        .expect_code(1);
    let expected = "ident-client: the server closed the connection: it stops, or received nothing for its idle \
         time; connect again";
    assert_eq!(last_line(&done), expected);

    let cut_off = impostor(|mut socket| {
        std::io::Write::write_all(&mut socket, b"\0\0\0\x05{").unwrap();
    });
    let done = client(cut_off).output().expect_code(1);
    assert!(last_line(&done).contains("the stream ended after 1 of the 5 bytes"));
}

#[test]
fn a_server_that_has_no_room_says_so_itself() {
    let full = &[r#"{"type":"error","code":"unavailable","message":"come back later"}"#];
    let done = client(saying(full)).output().expect_code(1);
    let words = "ident-client: the server refuses: come back later";
    assert_eq!(last_line(&done), words);
}

#[test]
fn a_reply_to_another_request_is_not_taken_for_an_answer() {
    let forgotten = &[
        r#"{"type":"welcome","name":"Anna"}"#,
        r#"{"type":"forgotten"}"#,
    ];
    let welcome = &[
        r#"{"type":"welcome","name":"Anna"}"#,
        r#"{"type":"welcome","name":"Anna"}"#,
    ];
    for (command, server) in [
        ("whoami\n", saying(forgotten)),
        ("rename Bo\n", saying(forgotten)),
        ("forget\n", saying(welcome)),
    ] {
        let done = client(server).stdin_bytes(command).output().expect_code(1);
        assert_eq!(done.stdout_text(), "Hello, Anna!\n", "{command}");
        let words = last_line(&done);
        assert!(words.contains("; is it an ident-server?"), "{words}");
    }
}
