//! The client at a terminal: one command shows a dialogue, and replies cannot command the screen.

use proto::FramedSocket;

use crate::server::{FRAMED, FakeServer, client_of, echo_client, echo_server};

/// What was shown, without the ports and times that differ from run to run.
fn without_numbers(shown: &str) -> Vec<&str> {
    let lines = shown.lines();
    lines
        .map(|line| match line.find("127.0.0.1:") {
            Some(at) => &line[..at],
            None => line.split(", in ").next().unwrap_or_default(),
        })
        .collect()
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn one_command_shows_both_sides_in_order() {
    for (flags, of_text, of_frames) in [
        (
            &["--local"][..],
            "16 bytes: 4 header + 12 text",
            "16 bytes: 1 message",
        ),
        (&["--local", "--raw"], "13 bytes", "13 bytes"),
    ] {
        let terminal = echo_client().args(flags).spawn_in_terminal();
        terminal.expect("> ");
        terminal.type_line("Привет");
        terminal.expect("> ");
        terminal.type_line("exit");
        assert!(terminal.wait().success());
        let shown = terminal.plain();
        let lines = without_numbers(&shown);
        let typed = lines.iter().position(|line| *line == "> Привет");
        let typed = typed.unwrap_or_else(|| panic!("{shown}"));
        assert_eq!(
            lines[typed + 1..typed + 7],
            [
                &format!("client  sent {of_text}")[..],
                &format!("server  received {of_frames}"),
                &format!("server  sent {of_frames}"),
                &format!("client  received {of_text}"),
                "Привет",
                "> exit",
            ],
            "{shown}"
        );
        for line in [
            "server  server started, listening on ",
            "server  client connected: ",
            "client  connected to ",
            "server  client disconnected: ",
        ] {
            assert!(lines.contains(&line), "{line:?} is missing: {shown}");
        }
        assert!(shown.contains("client  disconnected: everything came back"));
        assert!(!shown.contains("Host [") && !shown.contains("Port ["));
    }
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn service_messages_are_short_and_dimmed_unless_the_environment_forbids_it() {
    let server = echo_server(FRAMED);
    let client = || client_of(server);
    for (client, is_dimmed) in [
        (client(), true),
        (client().env("NO_COLOR", "1"), false),
        (client().env("NO_COLOR", ""), true),
        (client().env("TERM", "dumb"), false),
    ] {
        let terminal = client.spawn_in_terminal();
        terminal.expect("> ");
        terminal.type_line("what was it again?");
        terminal.expect("sent 22 bytes: 4 header + 18 text\n");
        terminal.expect("> ");
        terminal.type_keys("\u{4}");
        assert!(terminal.wait().success());
        let raw = String::from_utf8(terminal.raw()).unwrap();
        let dimmed = "\u{1b}[2mreceived 22 bytes: 4 header + 18 text\u{1b}[m\r\n";
        assert_eq!(raw.contains(dimmed), is_dimmed, "{raw:?}");
        assert_eq!(raw.contains('\u{1b}'), is_dimmed, "{raw:?}");
        assert!(!raw.contains("INFO"), "{raw:?}");
    }
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn frames_are_shown_in_hex_and_as_text() {
    let terminal = echo_client()
        .args(["--local", "--quiet", "--show-frames"])
        .spawn_in_terminal();
    terminal.type_line("Жук\t");
    for verb in ["sent", "received"] {
        terminal.expect(&format!(
            "frame {verb}\n  header   00 00 00 07  = 7, the payload's length in bytes\n  \
             payload  d0 96 d1 83 d0 ba 09\n  text     \"Жук\\t\"\n"
        ));
    }
    terminal.type_line("exit");
    terminal.expect("  payload  65 78 69 74\n  text     \"exit\"\n");
    assert!(terminal.wait().success());
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_person_may_put_blanks_around_exit_and_a_pipe_may_not() {
    for flags in [&["--local"][..], &["--local", "--raw"]] {
        let terminal = echo_client().args(flags).spawn_in_terminal();
        terminal.expect("> ");
        terminal.type_line("  exit ");
        assert!(terminal.wait().success());
        let end = "disconnected: everything came back; ";
        assert!(terminal.plain().contains(end));

        let client = echo_client().args(flags).arg("--quiet");
        let finished = client.stdin_bytes(" exit \nexit\r\nno\n").output();
        assert_eq!(finished.expect_success().stdout_text(), " exit \n");
    }
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn the_end_of_input_ends_it() {
    // Without a prompt nothing shows when the editor starts, so the terminal's own lines are used.
    let client = echo_client()
        .args(["--local", "--quiet"])
        .env("TERM", "dumb");
    let terminal = client.spawn_in_terminal();
    terminal.type_line("hello");
    terminal.expect("hello\nhello\n");
    terminal.type_keys("\u{4}");
    assert!(terminal.wait().success());
    assert_eq!(terminal.plain(), "hello\nhello\n\n", "nor a prompt");
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn replies_cannot_command_the_terminal() {
    let server = FakeServer::start(|mut client| {
        client
            .send_text("\u{1b}[2Jhidden\u{9b}31m\r\u{7}\u{202e}\ntwo")
            .unwrap();
        client.recv_text(16).unwrap()
    });
    let terminal = client_of(server.address).arg("--quiet").spawn_in_terminal();
    terminal.expect_raw("\\x1b[2Jhidden\\u{9b}31m\\r\\x07\\u{202e}\\ntwo\r\n");
    terminal.type_keys("\u{4}");
    assert_eq!(terminal.wait().code(), Some(1), "that is not an echo");
    assert_eq!(server.join(), None);

    for flags in [&["--local"][..], &["--local", "--raw"]] {
        let client = echo_client().args(flags).env("TERM", "dumb");
        let terminal = client.spawn_in_terminal();
        terminal.expect("> ");
        terminal.type_line("\u{1b}c\u{1}");
        terminal.expect_raw("\r\n\\x1bc\\x01\r\n");
        terminal.type_line("exit");
        assert!(terminal.wait().success());
        assert!(!terminal.raw().contains(&0x1b));
    }
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_pipe_gets_replies_as_they_are_while_a_person_types() {
    let client = echo_client().arg("--local").redirect("> out.txt");
    let terminal = client.spawn_in_terminal();
    terminal.expect("> ");
    terminal.type_line("a\tb");
    terminal.expect("> ");
    terminal.type_line("exit");
    assert!(terminal.wait().success());
    let out = std::fs::read(terminal.folder().join("out.txt")).unwrap();
    assert_eq!(out, b"a\tb\n");
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn ctrl_c_ends_it_with_status_130() {
    let terminal = echo_client().arg("--local").spawn_in_terminal();
    terminal.expect("> ");
    terminal.type_line("hello");
    terminal.expect("client  received 9 bytes: 4 header + 5 text\n");
    terminal.expect("hello\n");
    terminal.type_keys("\u{3}");
    assert_eq!(terminal.wait().code(), Some(130));
    let shown = terminal.plain();
    let last = "disconnected: interrupted; sent 9 bytes, received 9 bytes\n";
    assert!(shown.contains(last), "{shown}");
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn what_follows_an_open_prompt_stands_on_a_line_of_its_own() {
    for (keys, status) in [("\u{3}", 130), ("\u{4}", 0)] {
        let terminal = echo_client().arg("--local").spawn_in_terminal();
        terminal.expect("> ");
        terminal.type_keys(keys);
        assert_eq!(terminal.wait().code(), Some(status));
        let shown = terminal.plain();
        let (_, last) = shown.rsplit_once("> ").expect("a prompt");
        let (typed, _) = last.split_once('\n').expect("a line after it");
        assert!(!typed.contains("client"), "{shown}");
    }
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn ctrl_c_leaves_nothing_of_a_progress_line() {
    let client = echo_client().args(["--local", "--bench", "--duration", "100"]);
    let terminal = client.spawn_in_terminal();
    terminal.expect(" messages came back ");
    terminal.type_keys("\u{3}");
    assert_eq!(terminal.wait().code(), Some(130));
    assert!(terminal.raw().ends_with(b"\r\x1b[K"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_line_that_the_terminal_cuts_is_reported() {
    let client = echo_client().arg("--local").env("TERM", "dumb");
    let terminal = client.spawn_in_terminal();
    terminal.expect("> ");
    terminal.type_line(&"y".repeat(4094));
    terminal.expect("sent 4098 bytes");
    terminal.expect("> ");
    terminal.type_line(&"y".repeat(6000));
    terminal.expect("the terminal keeps 4095 bytes of a line at most");
    terminal.expect("sent 4099 bytes");
    terminal.expect("> ");
    terminal.type_line("exit");
    assert!(terminal.wait().success());
    assert_eq!(terminal.plain().matches("the terminal keeps").count(), 1);
}
