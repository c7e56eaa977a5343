//! The client at a terminal.

use crate::server::{Server, client, sending};

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_person_is_asked_and_greeted() {
    let server = Server::start();
    let terminal = client(server.address).arg("--quiet").spawn_in_terminal();
    terminal.expect("What is your name? ");
    terminal.type_line("");
    terminal.expect("a name has at least one character; exit or Ctrl-D leaves without one\n");
    terminal.expect("What is your name? ");
    terminal.type_line(&"я".repeat(65));
    terminal.expect("a name has at most 64 characters, this one has 65\n");
    terminal.expect("What is your name? ");
    terminal.type_line("Аня");
    terminal.expect("\nHello, Аня!\n> ");
    terminal.type_line("help");
    terminal.expect("whoami  ");
    terminal.expect("\n> ");
    terminal.type_line("whoareyou");
    terminal.expect("whoareyou is not a command; help lists the commands\n> ");
    terminal.type_line("whoami");
    terminal.expect("You are Аня, by your address 127.0.0.1.\n> ");
    terminal.type_line("rename Anna");
    terminal.expect("Hello, Anna!\n> ");
    terminal.type_line("forget");
    terminal.expect("Your name is forgotten.\n> ");
    terminal.type_line("whoami");
    terminal.expect("this address has no name yet; send one with \"name\"\n> ");
    terminal.type_line("exit");
    assert!(
        terminal.wait().success(),
        "a person has seen what was not done"
    );
    assert_eq!(server.known(), None);
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn host_and_port_are_asked_for_first() {
    let server = Server::knowing("Anna");
    let program = testbed::Program::new(env!("CARGO_BIN_EXE_ident-client"));
    let terminal = program.spawn_in_terminal();
    terminal.expect("Host [127.0.0.1]: ");
    terminal.type_line("");
    terminal.expect("Port [9190]: ");
    terminal.type_line("99999");
    terminal.expect("a port is a number from 1 to 65535\nPort [9190]: ");
    terminal.type_line(&server.address.port().to_string());
    terminal.expect("connected to 127.0.0.1:");
    terminal.expect("Hello, Anna!\n> ");
    terminal.type_keys("\u{4}");
    terminal.expect("disconnected: the server said bye; ");
    assert!(terminal.wait().success());
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_person_may_leave_without_a_name() {
    let server = Server::start();
    for keys in ["\u{4}", " exit\r"] {
        let terminal = client(server.address).spawn_in_terminal();
        terminal.expect("What is your name? ");
        terminal.type_keys(keys);
        terminal.expect("disconnected: the server said bye; ");
        assert!(terminal.wait().success());
    }
    assert_eq!(server.known(), None);
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn after_a_line_that_is_no_text_the_prompt_comes_again() {
    let server = Server::start();
    let terminal = client(server.address).arg("--quiet").spawn_in_terminal();
    for (prompt, line, answer) in [
        ("What is your name? ", "Anna", "Hello, Anna!"),
        ("> ", "whoami", "You are Anna"),
    ] {
        terminal.expect(prompt);
        terminal.type_line(&"x".repeat(1025));
        terminal.expect("is too long: at most 1024 bytes\n");
        terminal.expect(prompt);
        terminal.type_line(line);
        terminal.expect(answer);
    }
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_command_in_place_of_a_name_is_explained() {
    let server = Server::start();
    let terminal = client(server.address).arg("--quiet").spawn_in_terminal();
    terminal.expect("What is your name? ");
    terminal.type_line("whoami");
    terminal
        .expect("\"whoami\" is a command, and the name comes first; --name gives it as a name\n");
    terminal.expect("What is your name? ");
    terminal.type_line("exit");
    assert!(terminal.wait().success());
    assert_eq!(server.known(), None);
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn an_interrupt_ends_it_whatever_it_waits_for() {
    let server = Server::start();
    let asked = client(server.address).spawn_in_terminal();
    asked.expect("What is your name? ");
    let known = Server::knowing("Anna");
    let greeted = client(known.address).spawn_in_terminal();
    greeted.expect("Hello, Anna!\n> ");
    let unanswered = client(sending(b"")).spawn_in_terminal();
    unanswered.expect("connected to ");
    for terminal in [asked, greeted, unanswered] {
        terminal.type_keys("\u{3}");
        terminal.expect("disconnected: interrupted; sent 0 bytes, received ");
        assert_eq!(terminal.wait().code(), Some(130));
    }
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn after_an_interrupted_prompt_a_new_line_begins() {
    let server = Server::start();
    let terminal = client(server.address).arg("--quiet").spawn_in_terminal();
    terminal.expect("What is your name? ");
    terminal.type_keys("\u{3}");
    terminal.wait();
    assert_eq!(terminal.plain(), "What is your name? \n");
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn names_and_commands_are_edited_and_recalled() {
    let server = Server::start();
    let terminal = client(server.address).arg("--quiet").spawn_in_terminal();
    terminal.expect("What is your name? ");
    terminal.type_keys("Анна\u{1b}[D\u{7f}\r");
    terminal.expect("\nHello, Ана!\n> ");
    terminal.type_keys("\u{1b}[A\u{1}rename \u{5}с\r");
    terminal.expect("\nHello, Анас!\n> ");
    terminal.type_bytes(b"rename \xff\r");
    terminal.expect("\nHello, \u{fffd}!\n> ");
    terminal.type_line("exit");
    assert!(terminal.wait().success());
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn service_messages_are_short_and_explained() {
    let server = Server::knowing("Anna");
    let terminal = client(server.address).spawn_in_terminal();
    terminal.expect("received 36 bytes: 4 header + 32 text\n");
    terminal.expect("Hello, Anna!\n> ");
    terminal.type_line("whoami");
    terminal.expect_raw("\u{1b}[2msent 21 bytes: 4 header + 17 text\u{1b}[m\r\n");
    terminal.expect("> ");
    terminal.type_line("help sent");
    terminal.expect("sent: one `write`: bytes on the wire");
    terminal.expect("> ");
    terminal.type_line("help nonsense");
    terminal.expect("there is no such service message; help lists the commands\n");
    terminal.type_line("exit");
    assert!(terminal.wait().success());
    assert!(!terminal.plain().contains("INFO"));
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn frames_are_shown_in_hex_and_as_text() {
    let server = Server::knowing("Anna");
    let flags = ["--quiet", "--show-frames"];
    let terminal = client(server.address).args(flags).spawn_in_terminal();
    terminal
        .expect("frame received\n  header   00 00 00 20  = 32, the payload's length in bytes\n");
    terminal.expect("  text     \"{\\\"type\\\":\\\"welcome\\\",\\\"name\\\":\\\"Anna\\\"}\"\n");
    terminal.expect("> ");
    terminal.type_line("exit");
    terminal.expect("frame sent\n  header   00 00 00 0f  = 15, ");
    terminal.expect("frame received\n");
    assert!(terminal.wait().success());
}
