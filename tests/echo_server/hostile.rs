//! Clients that send what no honest client would: they harm only themselves.

use std::io::Write;
use std::net::Shutdown;
use std::thread;

use proto::FramedSocket;

use crate::server::{Server, expect_echo, expect_reply, rest};

/// What ends a connection by itself, and the reason in the log.
const POISON: [(&[u8], &str); 6] = [
    (
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "a payload of 1195725856 bytes is over the limit of 1048576 (the header spells \"GET \": the peer seems to \
         send plain text, not frames)",
    ),
    (
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
        "a payload of 369295618 bytes is over the limit of 1048576",
    ),
    (
        b"\xff\xff\xff\xff",
        "a payload of 4294967295 bytes is over the limit of 1048576",
    ),
    (
        b"\x80\0\0\0",
        "a payload of 2147483648 bytes is over the limit of 1048576",
    ),
    (
        b"\0\0\0\x02\xd0\xd0",
        "a payload of 2 bytes is not UTF-8 from byte 0 on",
    ),
    (
        b"\0\0\0\x04abc\xff\0\0\0\x02hi",
        "a payload of 4 bytes is not UTF-8 from byte 3 on",
    ),
];

/// What is an end in the middle of something.
const CUT_OFF: [(&[u8], &str); 3] = [
    (b"\0", "the stream ended after 1 of the 4 bytes of a header"),
    (
        b"\0\0\0\x05",
        "the stream ended after 0 of the 5 bytes of a payload",
    ),
    (
        b"\0\x10\0\0half",
        "the stream ended after 4 of the 1048576 bytes of a payload",
    ),
];

#[test]
fn what_is_no_frame_ends_the_connection_after_what_is_owed() {
    let server = Server::start(&[]);
    for (poison, reason) in POISON {
        let mut client = server.connect();
        client.send_text("before").unwrap();
        client.write_all(poison).unwrap();
        expect_reply(&mut client, "before");
        assert_eq!(rest(&mut client), b"", "{reason}");
        let reported = server.farewell(client);
        assert_eq!(reported, reason);
    }
    expect_echo(&mut server.connect(), "all is well");
    server.stop();
}

#[test]
fn an_end_inside_a_frame_is_reported() {
    let server = Server::start(&[]);
    for (bytes, reason) in CUT_OFF {
        let mut client = server.connect();
        client.send_text("before").unwrap();
        client.write_all(bytes).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        expect_reply(&mut client, "before");
        assert_eq!(rest(&mut client), b"");
        let reported = server.farewell(client);
        assert_eq!(reported, reason);
    }
    server.stop();
}

#[test]
fn a_good_client_is_served_among_many_bad_ones() {
    const BAD_CLIENTS: usize = 20;
    const VISITS: usize = 10;
    let server = Server::start(&[]);
    let mut good = server.connect();
    thread::scope(|scope| {
        for bad in 0..BAD_CLIENTS {
            let server = &server;
            scope.spawn(move || {
                for visit in 0..VISITS {
                    let (garbage, _) = POISON[(bad + visit) % POISON.len()];
                    let mut client = server.connect();
                    // The server may close, with a reset even, before all of it is sent.
                    let _ = client.write_all(&garbage.repeat(1 + 100 * visit));
                    let _ = client.shutdown(Shutdown::Write);
                }
            });
        }
        for number in 0..500 {
            expect_echo(&mut good, &format!("message {number}"));
        }
    });
    server
        .log()
        .wait_for_nth(BAD_CLIENTS * VISITS, "client disconnected");
    expect_echo(&mut good, "still here");
    server.stop();
}

#[test]
#[cfg(target_os = "linux")]
fn promises_cost_no_memory() {
    use proto::{MAX_ECHO_BYTES, header};

    const CLIENTS: usize = 100;
    let server = Server::start(&[]);
    // The longest message that is allowed: a hundred of them would be 100 MiB.
    let promise = [&header(MAX_ECHO_BYTES).unwrap()[..], b"x"].concat();
    let clients: Vec<_> = (0..CLIENTS).map(|_| server.connect()).collect();
    for mut client in &clients {
        client.write_all(&promise).unwrap();
    }
    server.log().wait_for_nth(CLIENTS, "received 5 bytes");
    let memory = server.memory().unwrap();
    assert!(memory.peak < 20 << 20, "{memory:?}");
}

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn a_client_cannot_forge_a_line_of_the_log() {
    let server = Server::start(&["--log-level", "debug"]);
    let mut client = server.connect();
    let forged = "\n2026-01-01T00:00:00.000Z 1 [INFO] server stopped\r\n\u{1b}[2J\u{9b}31m\u{202e}";
    expect_echo(&mut client, forged);
    expect_echo(&mut client, &"ы".repeat(10_000));
    drop(client);
    let log = server.stop().log();
    let text = log.text();
    assert_eq!(log.lines_with("] server stopped").len(), 2, "{text}");
    assert!(
        text.lines()
            .all(|line| line.starts_with("20") && !line.starts_with("2026-01-01T00:00:00.000Z")),
        "{text}"
    );
    let reported =
        r#": "\n2026-01-01T00:00:00.000Z 1 [INFO] server stopped\r\n\x1b[2J\u{9b}31m\u{202e}""#;
    assert_eq!(log.lines_with(reported).len(), 1, "{text}");
    let harmful = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    assert!(!text.contains(harmful), "{text:?}");
    assert!(log.lines_with("message of 20000 bytes")[0].len() < 400);
}
