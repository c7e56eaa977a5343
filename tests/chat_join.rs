//! `udp-chat join` without a terminal, as scripts use it, with real servers and members.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "chat_join/history.rs"]
mod history;
#[cfg(unix)]
#[path = "chat_join/nonblocking.rs"]
mod nonblocking;
#[path = "chat_join/outage.rs"]
mod outage;
#[path = "chat_join/trust.rs"]
mod trust;

use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use chat_link::message::MAX_TEXT_BYTES;
use testbed::{Finished, Program, Running};

const UDP_CHAT: &str = env!("CARGO_BIN_EXE_udp-chat");

fn serve(port: u16) -> Program {
    let port = port.to_string();
    let flags = [
        "serve",
        "--host",
        "127.0.0.1",
        "--strict-port",
        "--port",
        &port,
    ];
    Program::new(UDP_CHAT).args(flags)
}

fn join(server: SocketAddr, nick: &str) -> Program {
    let (host, port) = (server.ip().to_string(), server.port().to_string());
    let flags = ["join", "--host", &host, "--port", &port, "--nick", nick];
    Program::new(UDP_CHAT).args(flags)
}

/// A member that has joined and reads from a pipe.
fn member(server: SocketAddr, nick: &str) -> Running {
    let member = join(server, nick).stdin_pipe().spawn();
    member.wait_for_stderr("connected to");
    member
}

fn leave(mut member: Running) -> Finished {
    member.close_stdin();
    member.wait()
}

/// The lines of a member's stdout.
fn lines(finished: &Finished) -> Vec<&str> {
    finished.stdout_text().lines().collect()
}

#[test]
fn five_members_see_the_same_conversation() {
    const NICKS: [&str; 5] = ["anna", "Борис", "chloé", "大輔", "eve.😀"];
    let server = serve(0).spawn();
    let address = server.await_address();
    let members = NICKS.map(|nick| member(address, nick));
    for (index, member) in members.iter().enumerate() {
        // Everybody is there once everybody has seen the last one come.
        if index + 1 < NICKS.len() {
            member.wait_for_line("* eve.😀 joined");
        }
    }
    for (member, nick) in members.iter().zip(NICKS) {
        let texts: String = (0..20).map(|text| format!("{nick} {text}\n")).collect();
        member.write_stdin(texts);
    }
    for member in &members {
        (0..80).for_each(|_| drop(member.wait_for_line("> ")));
    }
    let seen = members.map(|member| leave(member).expect_success());
    for (own, seen) in NICKS.iter().zip(&seen) {
        for nick in NICKS {
            let said = format!("<{nick}> ");
            let texts: Vec<_> = lines(seen)
                .into_iter()
                .filter_map(|line| line.strip_prefix(&said))
                .collect();
            let all: Vec<_> = (0..20).map(|text| format!("{nick} {text}")).collect();
            assert_eq!(texts, if nick == *own { vec![] } else { all });
        }
    }
}

#[test]
fn a_long_text_arrives_whole_and_one_over_the_limit_is_reported() {
    let server = serve(0).spawn();
    let address = server.await_address();
    let bo = member(address, "bo");
    let longest = "я\"".repeat(MAX_TEXT_BYTES / 3) + "!";
    let input = format!("before\n{longest}\n{longest}!!\nafter\n");
    let anna = join(address, "anna")
        .stdin_bytes(input)
        .output()
        .expect_code(1);
    let last = anna.stderr_text().lines().last().unwrap();
    assert!(
        last.starts_with("udp-chat: not everything is sent and confirmed; "),
        "{last}"
    );
    let limit = "! not sent: the text has 4098 bytes, and 4096 are the limit; write it in parts";
    assert_eq!(lines(&anna), [limit]);
    assert_eq!(bo.wait_for_line("before"), "<anna> before");
    assert_eq!(bo.next_line(), format!("<anna> {longest}"));
    assert_eq!(bo.next_line(), "<anna> after");
    assert_eq!(bo.next_line(), "* anna left (quit)");
}

#[test]
fn every_kind_of_line_is_as_scripts_know_it() {
    let server = serve(0).spawn();
    let address = server.await_address();
    let anna = member(address, "anna");
    let bo = member(address, "bo");
    let carl = member(address, "carl");
    assert_eq!(anna.next_line(), "* bo joined");
    assert_eq!(anna.next_line(), "* carl joined");
    bo.write_stdin("hi\n/me waves\n//who\n/msg anna psst\n/msg ANNA again\n \n");
    for line in [
        "<bo> hi",
        "** bo waves",
        "<bo> /who",
        "[bo] psst",
        "[bo] again",
    ] {
        assert_eq!(anna.next_line(), line);
    }
    bo.write_stdin("/nick Бо\n/who\n/msg dora psst\n/what\n/msg anna\n/nick carl\n");
    assert_eq!(anna.next_line(), "* bo is now Бо");
    assert_eq!(bo.next_line(), "* carl joined");
    // Mistakes that the client finds may be shown before the server's answers.
    let mut notices: Vec<_> = (0..6).map(|_| bo.next_line()).collect();
    notices.sort();
    assert!(notices[2].contains("carl"), "{notices:?}");
    let local = [notices[0].as_str(), &notices[1], &notices[3], &notices[4]];
    assert_eq!(
        local,
        [
            "! nobody here is called dora",
            "! not sent: a reader would see nothing of this text",
            "! there is no command /what; /help lists them, and // begins a text with a slash",
            "! write it as: /msg NICK TEXT"
        ]
    );
    let mut here: Vec<_> = notices[5]
        .strip_prefix("* here: ")
        .unwrap()
        .split(", ")
        .collect();
    here.sort_unstable();
    assert_eq!(here, ["anna", "carl", "Бо"]);
    anna.write_stdin("/ignore бо\n");
    anna.wait_for_stderr("* what бо says is hidden");
    bo.write_stdin("unheard\n");
    assert_eq!(
        leave(bo)
            .expect_code(1)
            .stderr_text()
            .matches("connected")
            .count(),
        2
    );
    assert_eq!(anna.next_line(), "* Бо left (quit)");
    let carl = leave(carl).expect_success();
    let heard = lines(&carl);
    assert_eq!(heard[..3], ["<bo> hi", "** bo waves", "<bo> /who"]);
    assert!(heard.contains(&"<Бо> unheard") && !heard.iter().any(|line| line.contains("psst")));
}

#[test]
fn json_has_everything_with_times() {
    let server = serve(0).spawn();
    let address = server.await_address();
    let bo = join(address, "bo").arg("--json").stdin_pipe().spawn();
    bo.wait_for_line(r#""type":"you","time":"#);
    bo.wait_for_line(r#""nicks":["bo"]"#);
    let evil = "\x1b[2J \u{202e}";
    join(address, "anna")
        .stdin_bytes(format!("{evil}\n/msg bo psst\n"))
        .output()
        .expect_success();
    bo.wait_for_line(r#""nick":"anna","plaintext":false"#);
    let said = bo.next_line();
    assert!(
        said.contains(r#""kind":"say","from":"anna","text":"\u001b[2J \u202e""#),
        "{said}"
    );
    assert!(
        said.contains(r#""time":1"#) && said.contains(r#""history":false"#),
        "{said}"
    );
    bo.wait_for_line(r#""kind":"private","from":"anna","text":"psst""#);
    bo.wait_for_line(r#""type":"left""#);
    bo.write_stdin("mine\n");
    bo.wait_for_line(r#""type":"confirmed""#);
    leave(bo).expect_success();
}

#[test]
fn silence_is_reported_after_5_seconds() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let began = Instant::now();
    let anna = join(address, "anna").stdin_pipe().spawn();
    let anna = anna.wait().expect_code(1);
    let why = anna.stderr_text();
    assert!(
        why.contains(&format!("no answer from {address} in 5 s")),
        "{why}"
    );
    assert!(began.elapsed() >= Duration::from_secs(5));
}

#[cfg_attr(windows, ignore = "Wine reports no closed UDP port")]
#[test]
fn a_closed_port_is_reported_at_once() {
    let closed = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let anna = join(address, "anna").stdin_pipe().spawn();
    let anna = anna.wait_within(Duration::from_secs(4)).expect_code(1);
    assert!(
        anna.stderr_text().contains("connection refused"),
        "{}",
        anna.stderr_text()
    );
}

#[test]
fn a_name_is_reached_at_the_address_where_the_server_is() {
    // On most machines this name has an IPv6 address, too, where nobody listens.
    let server = serve(0).spawn();
    let port = server.await_address().port().to_string();
    let flags = [
        "join",
        "--host",
        "localhost",
        "--port",
        &port,
        "--nick",
        "anna",
    ];
    let anna = Program::new(UDP_CHAT).args(flags).stdin_bytes("hi\n");
    anna.output().expect_success();
}

#[test]
fn a_refused_join_is_explained_on_stderr() {
    let server = serve(0).spawn();
    let address = server.await_address();
    let _anna = member(address, "anna");
    let taken = join(address, "ANNA").output().expect_code(1);
    assert_eq!(
        taken.stderr_text(),
        "udp-chat: the server refuses \"ANNA\": the nick is taken, or looks like one that is; \
         choose another with --nick (if it was you, the nick is kept for you for 10 minutes)\n"
    );
    assert_eq!(taken.stdout_text(), "");
    let none = join(address, "a b").output().expect_code(1);
    let why = none.stderr_text();
    assert!(
        why.starts_with("udp-chat: cannot join: \"a b\" is no nick: a nick has letters"),
        "{why}"
    );
    assert!(why.ends_with("; choose another with --nick\n") && why.lines().count() == 1);
    let nameless = Program::new(UDP_CHAT)
        .args(["join", "--port", "1"])
        .output();
    assert!(
        nameless
            .expect_code(2)
            .stderr_text()
            .contains("--nick NAME")
    );
    let nowhere = Program::new(UDP_CHAT)
        .args(["join", "--nick", "a", "--port", "0"])
        .output();
    nowhere.expect_code(2);
}

#[test]
fn a_line_of_invalid_utf8_is_reported_and_the_others_are_sent() {
    let server = serve(0).spawn();
    let address = server.await_address();
    let bo = member(address, "bo");
    let long = [&[b'x'; 1 << 20][..], b"\n"].concat();
    let input = [b"one\n\xd0\n".as_slice(), &long, b"two".as_slice()].concat();
    let anna = join(address, "anna")
        .stdin_bytes(input)
        .output()
        .expect_code(1);
    assert_eq!(
        lines(&anna),
        [
            "! not sent: line 2 is not UTF-8 from byte 0 on",
            "! not sent: line 3 has 1048576 bytes, and texts of 4096 are the limit"
        ]
    );
    assert_eq!(bo.wait_for_line(">"), "<anna> one");
    assert_eq!(bo.next_line(), "<anna> two");
}

#[test]
fn a_pipe_full_of_lines_is_slowed_and_not_lost() {
    let server = serve(0).spawn();
    let address = server.await_address();
    let bo = member(address, "bo");
    let input: String = (0..70).map(|text| format!("{text}\n")).collect();
    let anna = thread::spawn(move || join(address, "anna").stdin_bytes(input).output());
    let texts = (0..70).map(|_| bo.wait_for_line("<anna> "));
    assert!(texts.eq((0..70).map(|text| format!("<anna> {text}"))));
    anna.join().unwrap().expect_success();
}

#[cfg_attr(windows, ignore = "Windows has no signals")]
#[test]
fn ctrl_c_says_bye_and_a_signal_has_its_status() {
    let server = serve(0).spawn();
    let address = server.await_address();
    let bo = member(address, "bo");
    for (nick, status) in [("anna", 130), ("carl", 143)] {
        let member = member(address, nick);
        match status {
            130 => member.interrupt(),
            _ => member.terminate(),
        }
        let member = member.wait().expect_code(status);
        let last = member.stderr_text().lines().last().unwrap();
        assert!(last.contains("disconnected: interrupted; sent "), "{last}");
        assert_eq!(bo.wait_for_line("left"), format!("* {nick} left (quit)"));
    }
}

#[test]
fn nothing_a_member_writes_commands_another_s_terminal() {
    let server = serve(0).spawn();
    let address = server.await_address();
    let bo = member(address, "bo");
    let evil = "\x1b[2J \x07 \u{9b}1m \u{202e}gpj \r<carl> forged";
    let input = format!("{evil}\n/me {evil}\n/msg bo {evil}\n👨\u{200d}👩\u{200d}👧\n");
    join(address, "anna")
        .stdin_bytes(input)
        .output()
        .expect_success();
    let shown = r"\x1b[2J \x07 \u{9b}1m \u{202e}gpj \r<carl> forged";
    assert_eq!(bo.wait_for_line("<anna>"), format!("<anna> {shown}"));
    assert_eq!(bo.next_line(), format!("** anna {shown}"));
    assert_eq!(bo.next_line(), format!("[anna] {shown}"));
    assert_eq!(
        bo.next_line(),
        "<anna> 👨\u{200d}👩\u{200d}👧",
        "joined as it was"
    );
}

#[cfg_attr(windows, ignore = "Windows has no signals")]
#[test]
fn the_protocol_can_be_seen_at_work() {
    let server = serve(0).spawn();
    let address = server.await_address();
    let bo = member(address, "bo");
    let input: String = (0..40).map(|text| format!("{text}\n")).collect();
    let anna = join(address, "anna").args(["--drop", "30", "--trace"]);
    let anna = anna.stdin_pipe().spawn();
    anna.write_stdin(input);
    let texts = (0..40).map(|_| bo.wait_for_line("<anna> "));
    assert!(texts.eq((0..40).map(|text| format!("<anna> {text}"))));
    // It may well end with status 1: five seconds without an acknowledgement are not that rare.
    anna.interrupt();
    let anna = anna.wait().expect_code(130);
    for seen in [
        "trace: to ",
        "trace: from ",
        "lost on purpose",
        "handshake {\"type\":\"hello\"",
        "message 1 {\"type\":\"say\"",
        "round trip with the server",
    ] {
        assert!(anna.stderr_text().contains(seen), "{seen}");
    }
}

#[cfg_attr(windows, ignore = "Windows has no shell and tools of Unix")]
#[test]
fn a_reader_that_stops_reading_ends_it_quietly() {
    let server = serve(0).spawn();
    let address = server.await_address();
    let redirected = join(address, "anna").stdin_pipe().redirect("| head -n 1");
    let anna = redirected.spawn();
    anna.wait_for_stderr("connected to");
    let bo = member(address, "bo");
    assert_eq!(anna.next_line(), "* bo joined");
    bo.write_stdin("one\n");
    bo.wait_for_line("* anna left (quit)");
    anna.wait().expect_success();
}
