//! What goes wrong in a dialogue: one clear line, status 1, and nothing hangs.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use proto::{FramedSocket, MAX_ECHO_BYTES};
use testbed::{Finished, Program};

use crate::server::{FRAMED, FakeServer, client_of, echo_client, echo_server, read};

/// Its end with status 1 and one line on stderr.
#[track_caller]
fn fault(client: Program) -> (String, Finished) {
    let finished = client.arg("--quiet").output().expect_code(1);
    let words = finished.stderr_text();
    let line = words.strip_prefix("echo-client: ").unwrap_or_default();
    match line.strip_suffix('\n') {
        Some(line) if !line.contains('\n') => (line.to_owned(), finished),
        _ => finished.fail("expected one line on stderr"),
    }
}

/// What is said when the server ends in this way after the first of two messages.
#[track_caller]
fn server_that(end: impl FnOnce(TcpStream) + Send + 'static) -> (String, Finished) {
    let server = FakeServer::start(|mut client| {
        let text = client.recv_text(MAX_ECHO_BYTES).unwrap().unwrap();
        client.send_text(&text).unwrap();
        client.recv_text(MAX_ECHO_BYTES).unwrap();
        end(client);
    });
    let error = fault(client_of(server.address).stdin_bytes("first\nsecond\n"));
    server.join();
    assert!(error.1.stdout_text().starts_with("first\n"), "{error:?}");
    error
}

#[test]
fn a_server_that_goes_while_it_owes_is_reported() {
    let (error, finished) = server_that(drop);
    assert_eq!(
        error,
        "the server closed the connection with 1 message unanswered"
    );
    assert_eq!(finished.stdout_text(), "first\n");
}

#[test]
fn a_server_that_goes_in_mid_message_is_reported() {
    let (error, finished) = server_that(|mut client| client.write_all(b"\0\0\0\x06sec").unwrap());
    assert_eq!(
        error,
        "the connection to the server broke (the stream ended after 3 of the 6 bytes of a payload) with \
         1 message unanswered"
    );
    assert_eq!(finished.stdout_text(), "first\n");
}

#[cfg_attr(windows, ignore = "Wine reports a reset as the end of the stream")]
#[test]
fn a_server_that_crashes_is_reported() {
    let (error, _) = server_that(|client| {
        let socket = socket2::SockRef::from(&client);
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    });
    assert_eq!(
        error,
        "the connection to the server broke (connection reset by peer) with 1 message unanswered"
    );
}

#[test]
fn a_raw_server_that_goes_owes_bytes() {
    let server = FakeServer::start(|mut client| {
        let bytes = read::<10>(&mut client);
        client.write_all(&bytes[..4]).unwrap();
    });
    let client = client_of(server.address).arg("--raw");
    let (error, finished) = fault(client.stdin_bytes("ten bytes\n"));
    assert_eq!(
        error,
        "the server closed the connection with 6 bytes unanswered"
    );
    assert_eq!(finished.stdout_text(), "ten ");
}

#[test]
fn a_server_that_may_speak_frames_is_reported() {
    let client = client_of(echo_server(FRAMED)).arg("--raw");
    let (error, _) = fault(client.stdin_bytes("GET /\n"));
    assert_eq!(
        error,
        "the server closed the connection with 6 bytes unanswered; if it speaks frames, leave out --raw"
    );
}

const NOT_AN_ECHO_SERVER: &str =
    "what came back is not what was sent, so this is not an echo server";

#[test]
fn a_reply_that_is_not_what_was_sent_is_a_failure() {
    let server = FakeServer::start(|mut client| {
        client.recv_text(MAX_ECHO_BYTES).unwrap();
        client.send_text("HELLO").unwrap();
        assert_eq!(client.recv_text(MAX_ECHO_BYTES).unwrap(), None);
    });
    let (line, finished) = fault(client_of(server.address).stdin_bytes("hello\n"));
    server.join();
    assert_eq!(
        (&line[..], finished.stdout_text()),
        (NOT_AN_ECHO_SERVER, "HELLO\n")
    );
}

#[test]
fn a_wrong_reply_is_reported_before_the_end_of_the_connection_that_follows_it() {
    for resets in [false, cfg!(not(windows))] {
        let server = FakeServer::start(move |mut client| {
            client.recv_text(MAX_ECHO_BYTES).unwrap();
            client.send_text("HELLO").unwrap();
            if !resets {
                client.recv_text(MAX_ECHO_BYTES).unwrap();
            }
        });
        let (line, finished) = fault(client_of(server.address).stdin_bytes("hello\nworld\n"));
        server.join();
        assert_eq!(
            (&line[..], finished.stdout_text()),
            (NOT_AN_ECHO_SERVER, "HELLO\n")
        );
    }
    let server = FakeServer::start(|mut client| {
        read::<6>(&mut client);
        client.write_all(b"no").unwrap();
    });
    let client = client_of(server.address).arg("--raw");
    let (line, finished) = fault(client.stdin_bytes("hello\n"));
    assert!(line.starts_with(NOT_AN_ECHO_SERVER), "{line}");
    assert_eq!(finished.stdout_text(), "no");
}

#[test]
fn with_raw_a_reply_that_is_not_what_was_sent_is_a_failure_too() {
    let server = FakeServer::start(|mut client| {
        let mut sent = [0; 6];
        client.read_exact(&mut sent).unwrap();
        client.write_all(&sent.to_ascii_uppercase()).unwrap();
        client.read_to_end(&mut vec![]).unwrap();
    });
    let client = client_of(server.address).arg("--raw");
    let (line, finished) = fault(client.stdin_bytes("hello\n"));
    server.join();
    assert_eq!(
        line,
        format!("{NOT_AN_ECHO_SERVER}; if it speaks TLS, use --tls")
    );
    assert_eq!(finished.stdout_text(), "HELLO\n");
}

#[test]
fn a_server_that_goes_while_a_person_thinks_is_reported() {
    let server = FakeServer::start(drop);
    let client = client_of(server.address).stdin_pipe().spawn();
    let finished = client.wait().expect_code(1);
    let end = "echo-client: the server closed the connection before the end of the input: it stops, or received \
         nothing for its idle time; connect again\n";
    assert!(finished.stderr_text().ends_with(end));
}

#[test]
fn a_server_that_speaks_no_frames_is_reported() {
    let (error, _) = server_that(|mut client| client.write_all(b"HTTP/1.1 400\r\n").unwrap());
    assert_eq!(
        error,
        "the server sent an invalid message: a payload of 1213486160 bytes is over the limit of 1048576 (the \
         header spells \"HTTP\": the peer seems to send plain text, not frames); if it is a plain echo server, \
         use --raw"
    );
    let (error, _) = server_that(|mut client| client.write_all(b"\0\0\0\x03\xff\x1b[").unwrap());
    assert_eq!(
        error,
        "the server sent an invalid message: a payload of 3 bytes is not UTF-8 from byte 0 on; if it is a plain \
         echo server, use --raw"
    );
}

#[test]
fn a_server_that_never_answers_is_waited_for_so_long() {
    let server = FakeServer::start(|client| client);
    let began = Instant::now();
    let client = client_of(server.address).args(["--timeout", "1"]);
    let (error, finished) = fault(client.stdin_bytes("one\ntwo\n"));
    assert_eq!(
        error,
        "no progress for 1 s with 2 messages unanswered; --timeout waits longer"
    );
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(finished.stdout_text(), "");
    drop(server.join());
}

#[test]
fn a_line_that_no_message_can_carry_is_reported_after_the_replies() {
    let server = echo_server(FRAMED);
    let not_utf8 =
        "line 2 is not UTF-8 from byte 3 on, and messages are text; --raw sends any bytes";
    let (error, finished) = fault(client_of(server).stdin_bytes(b"good\nbad\xff\nnever\n"));
    assert_eq!(error, not_utf8);
    assert_eq!(finished.stdout_text(), "good\n");

    let (error, finished) = fault(client_of(server).stdin_bytes(b"good\nbad\xd0"));
    assert_eq!(error, not_utf8);
    assert_eq!(finished.stdout_text(), "good\n");

    let input = format!("good\n\n{}\nnever\n", "x".repeat(MAX_ECHO_BYTES + 1));
    let (error, finished) = fault(client_of(server).stdin_bytes(input));
    assert_eq!(
        error,
        "line 3 is longer than 1048576 bytes, the longest message; --max-message allows more, and --raw any length"
    );
    assert_eq!(finished.stdout_text(), "good\n\n");

    let client = client_of(server).args(["--max-message", "4"]);
    let (error, finished) = fault(client.stdin_bytes("good\nmore.\n"));
    assert!(
        error.starts_with("line 2 is longer than 4 bytes"),
        "{error}"
    );
    assert_eq!(finished.stdout_text(), "good\n");
}

#[cfg_attr(windows, ignore = "Windows has no shell and tools of Unix")]
#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let client = env!("CARGO_BIN_EXE_echo-client");
    // The status is the client's; `head` ends the pipeline.
    let script = r#"{ "$0" --local --quiet; echo "status $?" >&2; } | head -n 1"#;
    let input = "line\n".repeat(100_000);
    let program = Program::new("sh").args(["-c", script, client]);
    let finished = program.stdin_bytes(input).output().expect_success();
    assert_eq!(finished.stdout_text(), "line\n");
    assert_eq!(finished.stderr_text(), "status 0\n");
}

#[test]
#[cfg(target_os = "linux")]
fn an_output_that_cannot_be_written_is_reported() {
    let client = echo_client().arg("--local").redirect("> /dev/full");
    let (error, _) = fault(client.stdin_bytes("hello\n"));
    assert_eq!(error, "cannot write to stdout: no space left on device");
}

#[cfg_attr(windows, ignore = "Windows has no shell and tools of Unix")]
#[test]
fn an_input_that_cannot_be_read_is_reported() {
    // The folder it works in.
    let (error, _) = fault(echo_client().arg("--local").redirect("< ."));
    assert_eq!(error, "cannot read the input: is a directory");
}
