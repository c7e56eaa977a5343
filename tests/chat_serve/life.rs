//! From start to stop: what the server says of itself, and to whom.

use std::time::{Duration, Instant};

use chat_link::message::{Notice, Request};
use chat_link::{CloseReason, End, RefusalCode};

use crate::client::Client;
use crate::{program, server};

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn it_logs_events_and_not_the_texts() {
    let server = server(&[]);
    let address = server.await_address();
    let anna = Client::join(address, "Anna");
    let boris = Client::join(address, "Борис");
    anna.say("a private matter \u{1b}[2J");
    boris.wait_for_text("Anna", "a private matter \u{1b}[2J");
    boris.ask(&Request::Nick {
        nick: "Boris".into(),
    });
    anna.wait("the new nick", |seen| {
        seen.notices.iter().any(|notice| match notice {
            Notice::Renamed { old, new, .. } => old == "Борис" && new == "Boris",
            _ => false,
        })
    });
    let anna_too = Client::start(address, "ANNA", "another key");
    anna_too.wait("a refusal", |seen| {
        seen.refused == Some(RefusalCode::NickTaken)
    });
    drop(boris);
    anna.wait("that Boris has left", |seen| {
        let has_left =
            |notice: &Notice| matches!(notice, Notice::Left { nick, .. } if nick == "Boris");
        seen.notices.iter().any(has_left)
    });

    let log = server.log();
    server.terminate();
    let end = Some(End::PeerClosed(CloseReason::Stopping));
    anna.wait("the server's bye", |seen| seen.end == end);
    let finished = server.wait().expect_success();
    assert_eq!(
        finished.stdout_text(),
        format!("udp-chat listening on {address}\n")
    );
    for line in [
        "server started: udp-chat 0.1.0",
        &format!("listening on {address}"),
        "Anna joined from 127.0.0.1:",
        "Борис joined from 127.0.0.1:",
        "Борис is now Boris",
        "refused \"ANNA\" from 127.0.0.1:",
        "Boris left: quit; wrote 0 messages; 1 member",
        "server stopped: 2 members joined and wrote 1 message; received ",
    ] {
        assert_eq!(log.lines_with(line).len(), 1, "{line:?} in\n{}", log.text());
    }
    assert!(!log.text().contains("private matter"));
}

#[test]
fn texts_are_logged_for_debugging_only_and_escaped() {
    let server = server(&["--log-level", "debug"]);
    let address = server.await_address();
    let anna = Client::join(address, "Anna");
    anna.say("look \u{1b}[2J\nforged");
    let line = server.log().wait_for("Anna says ");
    assert!(
        line.ends_with(r#"Anna says "look \x1b[2J\nforged""#),
        "{line}"
    );
}

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn a_stop_closes_all_sessions_and_ends_soon() {
    let server = server(&[]);
    let address = server.await_address();
    let mut clients: Vec<_> = (0..6)
        .map(|number| Client::join(address, &format!("guest{number}")))
        .collect();
    // Gone without a word, so its bye is not answered.
    clients.pop().unwrap().vanish();
    server.terminate();
    let asked = Instant::now();
    let end = Some(End::PeerClosed(CloseReason::Stopping));
    for client in &clients {
        client.wait("the server's bye", |seen| seen.end == end);
    }
    server.wait_within(Duration::from_secs(5)).expect_success();
    assert!(asked.elapsed() < Duration::from_secs(5));
}

#[test]
fn past_the_limit_it_is_full_until_somebody_leaves() {
    let server = server(&["--max-clients", "2"]);
    let address = server.await_address();
    let _anna = Client::join(address, "Anna");
    let boris = Client::join(address, "Boris");
    let clara = Client::start(address, "Clara", "Clara");
    clara.wait("a refusal", |seen| seen.refused == Some(RefusalCode::Full));
    drop(boris);
    server.log().wait_for("Boris left");
    Client::join(address, "Clara");
}

#[test]
fn a_taken_port_is_walked_past_and_ipv6_works() {
    let first = server(&[]);
    let address = first.await_address();
    let port = address.port().to_string();
    let second = server(&["--port", &port]);
    second.wait_for_stderr(" taken, using ");
    assert_ne!(second.await_address(), address);

    let six = server(&["--host", "::1"]);
    let anna = Client::join(six.await_address(), "Anna");
    drop(anna);
    six.terminate();
    six.wait().expect_success();
}

#[test]
fn wrong_flags_are_wrong_usage() {
    for flags in [
        ["--drop", "101"],
        ["--max-clients", "0"],
        ["--nick", "Anna"],
    ] {
        program(&flags).output().expect_code(2);
    }
    let help = program(&["--help"]).output().expect_success();
    for expected in [
        "--drop <PERCENT>",
        "--trace",
        "[default: 9390]",
        "[default: 1000]",
    ] {
        assert!(help.stdout_text().contains(expected), "{expected}");
    }
}
