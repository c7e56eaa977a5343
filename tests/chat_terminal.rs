//! `udp-chat join` in a terminal: what a person sees and types, and what is left of it at the end.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "chat_terminal/editing.rs"]
mod editing;
#[path = "chat_terminal/jobs.rs"]
mod jobs;
#[path = "chat_terminal/leaving.rs"]
mod leaving;
#[path = "chat_terminal/stranger.rs"]
mod stranger;
#[path = "chat_terminal/texts.rs"]
mod texts;
#[path = "chat_terminal/trust.rs"]
mod trust;

use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::Duration;

use chat_link::message::{Kind, Member, Notice};
use chat_link::{CloseReason, KeyId, PublicKey};
use testbed::{Program, Running, Terminal};

use stranger::{Order, Stranger};

const UDP_CHAT: &str = env!("CARGO_BIN_EXE_udp-chat");

const CTRL_C: &str = "\u{3}";
const CTRL_D: &str = "\u{4}";

fn serve() -> (Running, SocketAddr) {
    let flags = ["serve", "--host", "127.0.0.1", "--port", "0"];
    let server = Program::new(UDP_CHAT).args(flags).spawn();
    let address = server.await_address();
    (server, address)
}

fn flags(server: SocketAddr, nick: &str) -> [String; 7] {
    let (host, port) = (server.ip().to_string(), server.port().to_string());
    ["join", "--host", &host, "--port", &port, "--nick", nick].map(str::to_owned)
}

fn in_pipe(server: SocketAddr, nick: &str) -> Running {
    let member = Program::new(UDP_CHAT).args(flags(server, nick));
    let member = member.stdin_pipe().spawn();
    member.wait_for_stderr("connected to");
    member
}

fn in_terminal(server: SocketAddr, nick: &str) -> Terminal {
    let member = Program::new(UDP_CHAT).args(flags(server, nick));
    let member = member.spawn_in_terminal();
    member.expect("* here: ");
    member
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_message_leaves_the_half_typed_line_intact() {
    let (_server, address) = serve();
    let anna = in_terminal(address, "anna");
    let bo = in_pipe(address, "bo");
    anna.expect("bo joined");
    anna.type_keys("half a ли");
    anna.expect("half a ли");
    // Back over the last letters, so that the cursor is within the line.
    anna.type_keys("\u{1b}[D\u{1b}[D");
    let long = "long ".repeat(40);
    bo.write_stdin(format!("hello\n{long}\n山田 👍🏽\n"));
    anna.expect("山田 👍🏽");
    anna.expect("anna> half a ли");
    let rows = anna.drawn(24, 80);
    let text = rows.concat();
    assert!(rows.contains(&"anna> half a ли".to_owned()), "{rows:#?}");
    assert!(text.contains("<bo> hello") && text.contains(&"long ".repeat(10)));
    assert_eq!(text.matches("anna> ").count(), 1, "{rows:#?}");
    anna.type_keys("a ");
    anna.type_keys("\r");
    assert_eq!(bo.wait_for_line("half"), "<anna> half a a ли");
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn messages_that_come_while_lines_are_taken_stand_on_rows_of_their_own() {
    let (_server, address) = serve();
    let anna = in_terminal(address, "anna");
    let bo = in_pipe(address, "bo");
    anna.expect("bo joined");
    for number in 0..30 {
        anna.type_line(&format!("mine {number}"));
        bo.write_stdin(format!("yours {number}\n"));
    }
    for number in 0..30 {
        assert_eq!(bo.wait_for_line("mine"), format!("<anna> mine {number}"));
    }
    anna.expect("yours 29");
    let rows = anna.drawn(200, 80);
    for number in 0..30 {
        let mine = format!("anna> mine {number}");
        let yours = format!("<bo> yours {number}");
        let is_mine = |row: &&String| row.ends_with(&mine);
        let row = rows.iter().find(is_mine);
        let row = row.unwrap_or_else(|| panic!("{mine}: {rows:#?}"));
        assert_eq!(row.find(':'), Some(2), "a time comes first: {row}");
        assert!(
            rows.iter()
                .any(|row| row.len() < 40 && row.ends_with(&yours)),
            "{yours}: {rows:#?}"
        );
    }
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn nothing_from_the_network_commands_the_terminal() {
    let (_server, address) = serve();
    let anna = in_terminal(address, "anna");
    let bo = in_pipe(address, "bo");
    bo.write_stdin("\x1b]0;owned\x07\u{9b}2J\u{202e}txet\n");
    anna.expect(r"\x1b]0;owned\x07\u{9b}2J\u{202e}txet");
    assert_harmless(&anna);
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn nothing_a_strange_server_says_commands_the_terminal() {
    let stranger = Stranger::start();
    let member = Program::new(UDP_CHAT).args(flags(stranger.address, "anna"));
    let anna = member.spawn_in_terminal();
    anna.expect("connected to");
    let evil = || "\x1b]0;owned\x07\u{9b}2J\u{202e}".to_owned();
    let member = || Member {
        nick: evil(),
        key: key(1),
        plaintext: false,
    };
    for notice in [
        Notice::Joined(member()),
        Notice::Members {
            members: vec![member()],
            more: false,
        },
        Notice::Said {
            id: 1,
            at: u64::MAX,
            from: evil(),
            key: key(1),
            kind: Kind::Me,
            text: evil(),
            history: true,
        },
    ] {
        stranger.order(Order::Say(notice));
    }
    let shown = r"\x1b]0;owned\x07\u{9b}2J\u{202e}";
    anna.expect(&format!("{shown} joined"));
    anna.expect(&format!("here: {shown}"));
    anna.expect(&format!("** {shown} {shown}"));
    anna.type_keys("\t\t\r");
    stranger.order(Order::Close(CloseReason::Stopping));
    anna.expect("! the server stopped");
    assert_harmless(&anna);
}

fn key(number: u8) -> KeyId {
    PublicKey::from_bytes([number; 32]).key_id()
}

fn assert_harmless(terminal: &Terminal) {
    let raw = String::from_utf8(terminal.raw()).unwrap();
    assert!(!raw.contains("\x1b]0;") && !raw.contains(['\u{9b}', '\u{202e}']));
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn colours_are_there_unless_they_are_not_wanted() {
    let (_server, address) = serve();
    for (nick, variable, coloured) in [
        ("anna", ("X", "1"), true),
        ("carl", ("NO_COLOR", "1"), false),
    ] {
        let member = Program::new(UDP_CHAT).args(flags(address, nick));
        let member = member.env(variable.0, variable.1).spawn_in_terminal();
        member.expect("* here: ");
        let raw = String::from_utf8(member.raw()).unwrap();
        assert_eq!(raw.contains("\x1b[2m"), coloured, "{raw:?}");
        member.type_keys(CTRL_C);
        assert_eq!(member.wait().code(), Some(130));
    }
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn tab_completes_words_and_up_recalls_lines() {
    let (_server, address) = serve();
    let bo = in_pipe(address, "Борис");
    let anna = in_terminal(address, "anna");
    anna.type_keys("/ms\tБ\tpsst\r");
    assert_eq!(bo.wait_for_line("psst"), "[anna] psst");
    anna.type_keys("\u{1b}[A, again\r");
    assert_eq!(bo.next_line(), "[anna] psst, again");
    anna.type_keys("бо\thi\r");
    assert_eq!(bo.next_line(), "<anna> Борис: hi");
    anna.type_line("/nick Аня");
    anna.expect("* you are Аня");
    anna.type_line("/help");
    anna.expect("/quit");
    anna.expect("Аня> ");
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn the_nick_is_asked_for() {
    let (_server, address) = serve();
    let mut flags = flags(address, "").to_vec();
    flags.truncate(5);
    let anna = Program::new(UDP_CHAT).args(flags).env("USER", "anna");
    let anna = anna.spawn_in_terminal();
    anna.expect("Nick [anna]: ");
    anna.type_line("a b");
    anna.expect("\"a b\": a nick has letters");
    anna.type_line("");
    anna.expect("you are anna");
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn what_is_typed_while_connecting_is_seen_and_sent() {
    let (_server, address) = serve();
    let bo = in_pipe(address, "bo");
    let relay = UdpSocket::bind("127.0.0.1:0").unwrap();
    let door = relay.local_addr().unwrap();
    let anna = Program::new(UDP_CHAT).args(flags(door, "anna"));
    let anna = anna.spawn_in_terminal();
    anna.expect(&format!("* connecting to {door}"));
    anna.type_line("first");
    anna.type_keys("second");
    anna.expect("anna> second");
    thread::spawn(move || relay_to(address, &relay));
    anna.expect("you are anna");
    anna.type_keys("\r");
    assert_eq!(bo.wait_for_line("first"), "<anna> first");
    assert_eq!(bo.wait_for_line("second"), "<anna> second");
}

/// Hands datagrams on between a server and one member.
fn relay_to(server: SocketAddr, relay: &UdpSocket) {
    let mut bytes = [0; 2_000];
    let mut member = None;
    // It ends with the test's process.
    while let Ok((length, from)) = relay.recv_from(&mut bytes) {
        let to = if from == server { member } else { Some(server) };
        if from != server {
            member = Some(from);
        }
        if let Some(to) = to {
            relay.send_to(&bytes[..length], to).unwrap();
        }
    }
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_wrong_port_is_reported_at_once() {
    let closed = UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let anna = Program::new(UDP_CHAT).args(flags(closed, "anna"));
    let anna = anna.spawn_in_terminal();
    assert_eq!(anna.wait_within(Duration::from_secs(4)).code(), Some(1));
    assert!(
        anna.plain().contains("connection refused"),
        "{}",
        anna.plain()
    );
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_nick_that_was_asked_for_is_asked_for_again_when_it_is_taken() {
    let (_server, address) = serve();
    let _anna = in_pipe(address, "anna");
    let mut flags = flags(address, "").to_vec();
    flags.truncate(5);
    let other = Program::new(UDP_CHAT).args(flags).env("USER", "anna");
    let other = other.spawn_in_terminal();
    other.expect("Nick [anna]: ");
    other.type_line("");
    other.expect("another nick: ");
    other.type_line("a b");
    other.expect("! a nick has letters");
    other.type_line("anja");
    other.expect("you are anja");
    other.expect("anja> ");
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_refusal_stands_below_the_line() {
    let (_server, address) = serve();
    let _anna = in_pipe(address, "anna");
    let member = Program::new(UDP_CHAT).args(flags(address, "ANNA"));
    let refused = member.spawn_in_terminal();
    assert_eq!(refused.wait().code(), Some(1));
    let rows = refused.drawn(24, 80);
    let refusal = rows
        .iter()
        .find(|row| row.starts_with("udp-chat: the server refuses"));
    assert!(refusal.is_some(), "{rows:#?}");
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_dumb_terminal_is_edited_without_escapes_and_blank_rows() {
    let (_server, address) = serve();
    let member = Program::new(UDP_CHAT).args(flags(address, "anna"));
    let anna = member.env("TERM", "dumb").spawn_in_terminal();
    anna.expect("* here: ");
    let bo = in_pipe(address, "bo");
    anna.expect("* bo joined\n");
    anna.type_keys("hilf\u{7f}\u{7f}\u{7f}");
    anna.expect("anna> h");
    bo.write_stdin("hello\n");
    anna.expect("<bo> hello\n");
    anna.type_line("i");
    assert_eq!(bo.wait_for_line("hi"), "<anna> hi");
    anna.expect("anna> hi\n");
    let rows = anna.drawn(24, 80);
    let last = rows.iter().rposition(|row| !row.is_empty()).unwrap();
    assert!(rows[..last].iter().all(|row| !row.is_empty()), "{rows:#?}");
    assert!(!anna.raw().contains(&0x1b));
    anna.type_keys(CTRL_D);
    assert!(anna.wait().success());
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn the_protocol_is_shown_among_the_messages() {
    let (_server, address) = serve();
    let member = Program::new(UDP_CHAT)
        .args(flags(address, "anna"))
        .arg("--trace");
    let anna = member.spawn_in_terminal();
    anna.expect("trace: from ");
    anna.type_line("hi");
    anna.expect("trace: to ");
    anna.type_line("/quit");
    anna.expect("disconnected: everything is confirmed");
    assert!(anna.wait().success());
    // A row may end anywhere.
    let plain = anna.plain();
    let words: Vec<_> = plain.split_whitespace().collect();
    assert!(
        words.windows(2).any(|pair| pair == ["message", "1"]),
        "{plain}"
    );
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn ctrl_d_at_the_question_for_the_nick_leaves() {
    let (_server, address) = serve();
    let mut flags = flags(address, "").to_vec();
    flags.truncate(5);
    let anna = Program::new(UDP_CHAT).args(flags).spawn_in_terminal();
    anna.expect("Nick [");
    anna.type_keys(CTRL_D);
    assert_eq!(anna.wait().code(), Some(0), "{}", anna.plain());
}
