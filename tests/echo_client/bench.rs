//! `--bench`: figures of servers that answer, and a plain word about those that answer wrongly.

use std::io::{Read, Write};
use std::net::TcpStream;

use echo_client::Wire;

use crate::server::{FRAMED, FakeServer, client_of, echo_client, echo_server, read};

const SHORT: [&str; 3] = ["--bench", "--duration", "1"];

#[test]
fn figures_are_a_table_or_json() {
    for (wire, flags) in [(FRAMED, &[][..]), (Wire::Raw, &["--raw"])] {
        let client = client_of(echo_server(wire)).args(SHORT).args(flags);
        let table = client
            .args(["--connections", "3", "--window", "5"])
            .output();
        let table = table.expect_success();
        let text = table.stdout_text();
        assert!(
            text.contains("3 connections, 64 bytes a message, 5 in flight on each; "),
            "{text}"
        );
        for row in [
            "messages/s ",
            "MB/s ",
            "p50 ",
            "p90 ",
            "p99 ",
            "p99.9 ",
            "max ",
        ] {
            assert!(text.contains(row), "no {row:?}: {text}");
        }
        assert_eq!(table.stderr_text(), "", "no progress without a terminal");

        // More in flight than one thread may write before it reads.
        let client = client_of(echo_server(wire)).args(SHORT).args(flags);
        let json = client
            .args(["--json", "--size", "50000", "--window", "20"])
            .output();
        let json = json.expect_success();
        let figures: serde_json::Value = serde_json::from_str(json.stdout_text()).unwrap();
        assert_eq!(
            (&figures["size"], &figures["window"]),
            (&50_000.into(), &20.into())
        );
        assert!(figures["messages"].as_u64().unwrap() >= 20, "{figures}");
        assert!(
            figures["p50_us"].as_f64() <= figures["max_us"].as_f64(),
            "{figures}"
        );
    }
}

#[test]
fn a_reply_that_is_not_what_was_sent_is_found() {
    let server = FakeServer::start(|mut client| {
        let mut frame: [u8; 68] = read(&mut client);
        client.write_all(&frame).unwrap();
        frame = read(&mut client);
        frame[50] ^= 1;
        client.write_all(&frame).unwrap();
        // Held open until the client has seen it.
        let _ = client.set_read_timeout(None);
        let _ = std::io::Read::read(&mut client, &mut [0]);
    });
    let finished = client_of(server.address)
        .args(SHORT)
        .output()
        .expect_code(1);
    let words = "echo-client: reply 2 of a connection is not what was sent, from byte 50 on;";
    assert!(
        finished.stderr_text().starts_with(words),
        "{}",
        finished.stderr_text()
    );
    server.join();
}

#[test]
fn a_reply_to_what_was_not_sent_is_found() {
    let at_once = |client: &mut TcpStream, first: [u8; 1]| {
        client.write_all(&[first[0], 0]).unwrap();
    };
    let at_the_end = |client: &mut TcpStream, first: [u8; 1]| {
        client.write_all(&first).unwrap();
        let mut rest = [0];
        while client.read(&mut rest).unwrap() > 0 {
            client.write_all(&rest).unwrap();
        }
        client.write_all(b"?").unwrap();
    };
    for answer in [at_once as fn(&mut _, _), at_the_end] {
        let server = FakeServer::start(move |mut client| {
            let first = read(&mut client);
            answer(&mut client, first);
            client
        });
        let client = client_of(server.address).args(SHORT);
        let finished = client.args(["--raw", "--size", "1"]).output();
        assert_eq!(
            finished.expect_code(1).stderr_text(),
            "echo-client: more came back on a connection than was sent, so this is no echo server\n"
        );
        drop(server.join());
    }
}

#[test]
fn a_server_that_changes_letters_is_found_however_short_messages_are() {
    for flags in [&["--raw"][..], &[]] {
        let server = FakeServer::start(|mut client| {
            let mut bytes = [0; 1024];
            // Fails when the client has seen enough.
            while let Ok(count @ 1..) = client.read(&mut bytes) {
                bytes.make_ascii_uppercase();
                let _ = client.write_all(&bytes[..count]);
            }
        });
        let client = client_of(server.address).args(SHORT).args(flags);
        let finished = client.args(["--size", "1"]).output().expect_code(1);
        let error = finished.stderr_text();
        assert!(
            error.starts_with("echo-client: reply "),
            "{flags:?}: {error}"
        );
        server.join();
    }
}

#[test]
fn a_wrong_reply_before_a_close_is_reported_as_a_wrong_reply() {
    let server = FakeServer::start(|mut client| {
        let mut frame: [u8; 68] = read(&mut client);
        frame[67] ^= 1;
        client.write_all(&frame).unwrap();
    });
    let finished = client_of(server.address).args(SHORT).output();
    let finished = finished.expect_code(1);
    let words = "echo-client: reply 1 of a connection is not what was sent, from byte 67 on;";
    let error = finished.stderr_text();
    assert!(error.starts_with(words), "{error}");
    server.join();
}

#[test]
#[cfg(target_os = "linux")]
fn much_in_flight_costs_little_memory() {
    let server = FakeServer::start(|mut client| {
        read::<68>(&mut client);
        client
    });
    let client = client_of(server.address).args(SHORT);
    let client = client
        .args(["--size", "1000000", "--window", "200"])
        .spawn();
    // The first bytes were taken, and the rest is on its way.
    let _deaf = server.join();
    let memory = client.memory().unwrap();
    assert!(memory.peak < 20 << 20, "{memory:?}");
}

#[test]
fn the_end_of_its_time_is_the_end_however_much_may_be_in_flight() {
    let client = client_of(echo_server(FRAMED)).args(SHORT);
    // 10 GB, which no second is enough for.
    let client = client.args(["--json", "--size", "100000", "--window", "100000"]);
    let json = client.output().expect_success();
    let figures: serde_json::Value = serde_json::from_str(json.stdout_text()).unwrap();
    let messages = figures["messages"].as_u64().unwrap();
    assert!((1..100_000).contains(&messages), "{figures}");
}

#[test]
fn a_server_that_leaves_or_is_silent_is_reported() {
    let server = FakeServer::start(|mut client| {
        read::<68>(&mut client);
    });
    let finished = client_of(server.address)
        .args(SHORT)
        .output()
        .expect_code(1);
    let words = "echo-client: the server closed a connection with 1 message unanswered; does it speak the same \
         wire (--raw)?\n";
    assert_eq!(finished.stderr_text(), words);

    let server = FakeServer::start(|mut client| {
        std::io::Read::read(&mut client, &mut [0; 99]).map(|_| client)
    });
    let client = client_of(server.address)
        .args(SHORT)
        .args(["--timeout", "1"]);
    let finished = client.output().expect_code(1);
    let words = "echo-client: nothing came back on a connection with 1 message unanswered;";
    assert!(
        finished.stderr_text().starts_with(words),
        "{}",
        finished.stderr_text()
    );
}

#[test]
fn messages_over_the_limit_are_refused_before_they_are_sent() {
    let client = echo_client().args(["--bench", "--local", "--size", "2000000"]);
    let finished = client.output().expect_code(2);
    let words = "echo-client: a message of 2000000 bytes is over --max-message (1048576); raise it here and at \
         the server\n";
    assert_eq!(finished.stderr_text(), words);
}

#[test]
fn its_flags_are_of_no_use_without_it() {
    for flag in [
        "--json",
        "--window=2",
        "--size=2",
        "--connections=2",
        "--duration=2",
    ] {
        let finished = echo_client()
            .args(["--local", flag])
            .output()
            .expect_code(2);
        assert!(
            finished.stderr_text().contains("--bench"),
            "{}",
            finished.stderr_text()
        );
    }
}
