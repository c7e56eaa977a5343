//! `--idle-timeout` and `--max-clients`.

use std::io::Write;
use std::time::{Duration, Instant};

use proto::FramedSocket;

use crate::server::{Server, expect_echo, expect_reply, rest};

const SILENT: &str = "no whole message came within 1 s";

#[test]
fn a_silent_client_is_disconnected() {
    let began = Instant::now();
    let visits = [
        &["--idle-timeout", "1"][..],
        &["--idle-timeout", "1", "--raw"],
    ]
    .map(|flags| {
        let server = Server::start(flags);
        let client = server.connect();
        (server, client)
    });
    for (server, mut client) in visits {
        assert_eq!(rest(&mut client), b"");
        assert!(began.elapsed() >= Duration::from_secs(1));
        assert_eq!(server.farewell(client), SILENT);
    }
}

#[test]
fn a_frame_that_only_drips_is_no_message() {
    let server = Server::start(&["--idle-timeout", "1"]);
    let mut client = server.connect();
    let address = client.local_addr().unwrap();
    expect_echo(&mut client, "hello");
    let log = server.log();
    client.write_all(b"\0\0\0\x7f").unwrap();
    let begun = Instant::now();
    // One byte after the log line of the byte before, about twenty a second.
    for drop in 2.. {
        if client.write_all(b"x").is_err()
            || !log
                .lines_with(&format!("disconnected: {address}"))
                .is_empty()
        {
            break;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "dripping goes on"
        );
        log.wait_for_nth(drop, &address.to_string());
    }
    assert_eq!(server.why_disconnected(address), SILENT);
}

#[test]
fn a_client_that_takes_nothing_is_disconnected() {
    for flags in [&[][..], &["--raw"]] {
        let server = Server::start(&[&["--idle-timeout", "1"], flags].concat());
        let mut deaf = server.connect();
        // Short ones, since each has to be whole within a second.
        let message = "x".repeat(1 << 16);
        while deaf.send_text(&message).is_ok() {}
        assert_eq!(
            server.why_disconnected(deaf.local_addr().unwrap()),
            "the client read nothing for 1 s"
        );
        expect_echo(&mut server.connect(), "and I am served");
    }
}

#[test]
fn past_the_most_clients_one_waits_for_another_to_leave() {
    let server = Server::start(&["--max-clients", "1"]);
    let mut first = server.connect();
    expect_echo(&mut first, "first");
    let mut second = server.connect();
    second.send_text("second").unwrap();
    server
        .log()
        .wait_for("the limit of 1 client is reached; new clients wait");
    expect_echo(&mut first, "still alone");
    server.log().wait_for("sent 15 bytes");
    assert_eq!(server.log().lines_with("client connected").len(), 1);

    first.send_text("exit").unwrap();
    assert_eq!(rest(&mut first), b"");
    drop(first);
    expect_reply(&mut second, "second");
    let line = server.log().wait_for("(connection 2)");
    assert!(line.ends_with(", 1 connected now"), "{line}");
}
