//! The client at a terminal: one command shows a dialogue, and replies cannot command the screen.

use proto::FramedSocket;

use crate::server::{FakeServer, client_of, echo_client};

#[test]
fn one_command_shows_it_all() {
    for (flags, received) in [
        (&["--local"][..], "] received 16 bytes: 1 message\n"),
        (&["--local", "--raw"], "] received 13 bytes\n"),
    ] {
        let terminal = echo_client().args(flags).spawn_in_terminal();
        terminal.expect("> ");
        terminal.type_line("Привет");
        terminal.expect(received);
        terminal.expect("Привет\n");
        terminal.expect("> ");
        terminal.type_line("exit");
        assert!(terminal.wait().success());
        let shown = terminal.plain();
        // The server's words about a message stand before the next prompt.
        let (before, _) = shown.rsplit_once("> ").expect("a prompt");
        let gave = before.matches("] sent ").count();
        assert_eq!(gave, 2, "the client's and the server's: {shown}");
        assert!(
            !shown.contains("Host [") && !shown.contains("Port ["),
            "{shown}"
        );
        assert!(
            shown.contains("disconnected: everything came back"),
            "{shown}"
        );
    }
}

#[test]
fn the_end_of_input_ends_it() {
    let terminal = echo_client()
        .args(["--local", "--quiet"])
        .spawn_in_terminal();
    terminal.type_line("hello");
    terminal.expect("hello\nhello\n");
    terminal.type_keys("\u{4}");
    assert!(terminal.wait().success());
    assert_eq!(terminal.plain(), "hello\nhello\n", "nor a prompt");
}

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
        let terminal = echo_client().args(flags).spawn_in_terminal();
        terminal.expect("> ");
        terminal.type_line("\u{1b}c\u{1}");
        terminal.expect_raw("\r\n\\x1bc\\x01\r\n");
        terminal.type_line("exit");
        assert!(terminal.wait().success());
        assert!(!terminal.raw().contains(&0x1b));
    }
}

#[test]
fn a_pipe_gets_replies_as_they_are_while_a_person_types() {
    let client = echo_client().arg("--local").redirect("> out.txt");
    let terminal = client.spawn_in_terminal();
    terminal.expect("> ");
    terminal.type_line("\u{1b}c");
    terminal.expect("> ");
    terminal.type_line("exit");
    assert!(terminal.wait().success());
    let out = std::fs::read(terminal.folder().join("out.txt")).unwrap();
    assert_eq!(out, b"\x1bc\n");
}

#[test]
fn ctrl_c_ends_it_with_status_130() {
    let terminal = echo_client().arg("--local").spawn_in_terminal();
    terminal.expect("> ");
    terminal.type_line("hello");
    terminal.expect("] received 9 bytes: 1 message\n");
    terminal.expect("hello\n");
    terminal.type_keys("\u{3}");
    assert_eq!(terminal.wait().code(), Some(130));
    let shown = terminal.plain();
    let told = "disconnected: interrupted; sent 9 bytes, received 9 bytes\n";
    assert!(shown.contains(told), "{shown}");
}

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
        assert!(!typed.contains("INFO"), "{shown}");
    }
}

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
fn a_line_that_the_terminal_cuts_is_told() {
    let terminal = echo_client().arg("--local").spawn_in_terminal();
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
