//! The client's service messages, on stderr.

use crate::server::{FRAMED, client_of, echo_client, echo_server};

/// The messages among the lines of stderr, each stamped with UTC milliseconds, a level and a process id.
fn messages(stderr: &str) -> Vec<&str> {
    stderr
        .lines()
        .map(|line| {
            let (stamp, rest) = line.split_at(24);
            let shape: String = stamp
                .chars()
                .map(|c| if c.is_ascii_digit() { '0' } else { c })
                .collect();
            assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{line}");
            let (pid, message) = rest.split_once(" [INFO] ").unwrap();
            assert!(pid.trim().parse::<u32>().is_ok(), "{line}");
            message
        })
        .collect()
}

#[test]
fn the_four_events_are_reported_and_explained() {
    let server = echo_server(FRAMED);
    let client = client_of(server).stdin_pipe().spawn();
    client.write_stdin("Аня\n");
    client.wait_for_line("Аня");
    client.write_stdin("exit\n");
    let finished = client.wait().expect_success();
    let mut messages = messages(finished.stderr_text());
    let connected = format!("connected to {server} from 127.0.0.1:");
    assert!(messages[0].starts_with(&connected), "{messages:?}");
    // Two threads log these, and a reply is fast.
    messages[1..3].sort();
    assert_eq!(
        messages[1..],
        [
            "received 10 bytes: 1 message",
            "sent 10 bytes: 1 message",
            "sent 8 bytes: 1 message",
            "disconnected: everything came back; sent 18 bytes, received 10 bytes",
        ]
    );
}

#[test]
fn the_reason_of_a_bad_end_is_reported() {
    let client = client_of(echo_server(FRAMED)).stdin_bytes(b"good\nb\xd0d\n");
    let finished = client.output().expect_code(1);
    let words = finished.stderr_text();
    let reason = "line 2 is not UTF-8 from byte 1 on, and messages are text; --raw sends any bytes";
    let end = format!(
        "] disconnected: an error ended the dialogue; sent 8 bytes, received 8 bytes\necho-client: {reason}\n"
    );
    assert!(words.ends_with(&end), "{words}");
    assert_eq!(words.matches(reason).count(), 1);
}

#[test]
fn quiet_tells_nothing() {
    let finished = client_of(echo_server(FRAMED))
        .arg("--quiet")
        .stdin_bytes("hello\nexit\n")
        .output()
        .expect_success();
    assert_eq!(finished.stdout_text(), "hello\n");
    assert_eq!(finished.stderr_text(), "");
}

#[cfg_attr(windows, ignore = "Windows has no signals")]
#[test]
fn ctrl_c_is_the_last_message() {
    let client = client_of(echo_server(FRAMED)).stdin_pipe().spawn();
    client.write_stdin("hello\n");
    client.next_line();
    client.interrupt();
    let finished = client.wait().expect_code(130);
    let messages = messages(finished.stderr_text());
    assert_eq!(
        messages.last(),
        Some(&"disconnected: interrupted; sent 9 bytes, received 9 bytes")
    );
}

#[test]
fn server_and_client_in_one_tell_of_both() {
    let client = echo_client().arg("--local").stdin_bytes("hello\n");
    let finished = client.output().expect_success();
    assert_eq!(finished.stdout_text(), "hello\n");
    let messages = messages(finished.stderr_text());
    let at = |start: &str| {
        let at = messages
            .iter()
            .position(|message| message.starts_with(start));
        at.unwrap_or_else(|| panic!("no {start:?}: {messages:?}"))
    };
    assert_eq!(at("server started, listening on 127.0.0.1:"), 0);
    for event in [
        "connected to 127.0.0.1:",
        "client connected: 127.0.0.1:",
        "sent 9 bytes: 1 message",
        "received 9 bytes from 127.0.0.1:",
        "sent 9 bytes to 127.0.0.1:",
        "received 9 bytes: 1 message",
        "client disconnected: 127.0.0.1:",
        "disconnected: everything came back; sent 9 bytes, received 9 bytes",
    ] {
        at(event);
    }
    let last = messages.len() - 1;
    assert_eq!(
        at("server stopped: served 1 client, received 9 bytes, sent 9 bytes"),
        last
    );
}
