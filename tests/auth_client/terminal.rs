//! A person at a terminal.

#[cfg(unix)]
use testbed::{Program, Signal, Terminal};

use crate::server::{PASSWORD, Server};

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_person_registers_talks_and_comes_back() {
    let server = Server::start();
    let terminal = server.client(&[]).spawn_in_terminal();
    terminal.expect("Register or log in? [r/l, Enter for neither]: ");
    terminal.type_line("");
    terminal.expect("register [NAME]");
    terminal.expect("> ");
    terminal.type_line("register Аня");
    terminal.expect("New password: ");
    terminal.type_line(PASSWORD);
    terminal.expect("Once more: ");
    terminal.type_line("correct house");
    terminal.expect("the two differ; type it again");
    for prompt in ["New password: ", "Once more: "] {
        terminal.expect(prompt);
        terminal.type_line(PASSWORD);
    }
    terminal.expect("Hello, Аня!\n> ");
    terminal.type_line("whoami");
    terminal.expect("whoami\nYou are Аня.\n> ");
    terminal.type_line("exit");
    assert!(terminal.wait().success());
    assert!(
        !terminal.plain().contains("correct"),
        "{}",
        terminal.plain()
    );

    let again = server.client(&[]).spawn_in_terminal();
    again.expect("Hello, Аня!\n> ");
    again.type_keys("\u{4}");
    assert!(again.wait().success());
    assert!(!again.plain().contains("Register"));
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn whoami_asks_for_nothing() {
    let server = Server::start();
    let terminal = server.client(&["whoami"]).spawn_in_terminal();
    assert_eq!(terminal.wait().code(), Some(1));
    let words = "auth-client: you are not logged in; auth-client login does it\n";
    assert_eq!(terminal.plain(), words);
    server.register("anna");
    let terminal = server.client(&["whoami"]).spawn_in_terminal();
    assert!(terminal.wait().success());
    assert_eq!(terminal.plain(), "You are anna.\n");
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_person_is_asked_until_the_password_is_right() {
    let server = Server::start();
    server.register("anna");
    server.client(&["logout"]).output().expect_success();
    let terminal = server.client(&["--user", "anna"]).spawn_in_terminal();
    terminal.expect("Password: ");
    terminal.type_line("wrong horse");
    terminal.expect("the user or the password is wrong; wait 1 s before the next attempt\n");
    terminal.expect("Register or log in? ");
    terminal.type_line("login bo");
    terminal.expect("Password: ");
    terminal.type_line("wrong horse");
    terminal.expect("the user or the password is wrong; wait 1 s before the next attempt\n");
    terminal.expect("Register or log in? ");
    terminal.type_keys("\u{4}");
    assert!(terminal.wait().success());
    assert!(!terminal.plain().contains("horse"));
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn what_cannot_be_is_refused_before_more_is_asked_and_then_asked_again() {
    let server = Server::start();
    let terminal = server.client(&[]).spawn_in_terminal();
    terminal.expect("Register or log in? ");
    terminal.type_line("anna");
    terminal.expect("r registers a new user, l logs in, Enter goes on without, exit leaves\n");
    terminal.expect("Register or log in? ");
    terminal.type_line("r");
    terminal.expect("User: ");
    terminal.type_line(&"x".repeat(65));
    terminal.expect("a name has at most 64 characters, this one has 65\nUser: ");
    terminal.type_line(" ");
    terminal.expect("a name has at least one character\nUser: ");
    terminal.type_line("anna");
    for password in ["short", "password1"] {
        for prompt in ["New password: ", "Once more: "] {
            terminal.expect(prompt);
            terminal.type_line(password);
        }
        terminal.expect("the password ");
    }
    for prompt in ["New password: ", "Once more: "] {
        terminal.expect(prompt);
        terminal.type_line(PASSWORD);
    }
    terminal.expect("Hello, anna!\n> ");
    terminal.type_line("passwd");
    terminal.expect("Current password: ");
    terminal.type_line(PASSWORD);
    for password in ["anna", "battery staple"] {
        for prompt in ["New password: ", "Once more: "] {
            terminal.expect(prompt);
            terminal.type_line(password);
        }
    }
    terminal.expect("The password is changed");
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn the_end_of_input_instead_of_an_answer_cancels_the_command() {
    let server = Server::start();
    server.register("anna");
    server.client(&["logout"]).output().expect_success();
    let terminal = server.client(&["--user", "anna"]).spawn_in_terminal();
    terminal.expect("Password: ");
    terminal.type_keys("\u{4}");
    terminal.expect("\ncancelled\nRegister or log in? ");
    terminal.type_line("");
    for (command, prompt) in [
        ("login anna", "Password: "),
        ("register", "User: "),
        ("register bo", "New password: "),
    ] {
        terminal.expect("\n> ");
        terminal.type_line(command);
        terminal.expect(prompt);
        terminal.type_keys("\u{4}");
        terminal.expect("\ncancelled");
    }
    terminal.expect("\n> ");
    terminal.type_keys("\u{4}");
    assert!(terminal.wait().success());

    let login = ["--user", "anna", "login"];
    let terminal = server.client(&login).spawn_in_terminal();
    terminal.expect("Password: ");
    terminal.type_keys("\u{4}");
    terminal.expect("a password is needed");
    assert_eq!(terminal.wait().code(), Some(1));
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn logging_out_leaves_the_token_that_another_program_has_kept_since() {
    let server = Server::start();
    server.register("anna");
    let terminal = server.client(&[]).spawn_in_terminal();
    terminal.expect("Hello, anna!\n> ");
    let login = ["--user", "anna", "login"];
    server.scripted(&login, PASSWORD).output().expect_success();
    let kept = server.token();
    terminal.type_line("logout");
    terminal.expect("The session is ended.");
    assert_eq!(server.token(), kept);
    server.client(&["whoami"]).output().expect_success();
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn after_an_interrupted_prompt_a_new_line_begins() {
    let server = Server::start();
    server.register("anna");
    let terminal = server.client(&[]).spawn_in_terminal();
    terminal.expect("> ");
    terminal.type_keys("\u{3}");
    assert_eq!(terminal.wait().code(), Some(130));
    assert_eq!(terminal.plain(), "Hello, anna!\n> \n");
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn commands_are_recalled_and_passwords_are_not() {
    let server = Server::start();
    let terminal = server.client(&[]).spawn_in_terminal();
    terminal.expect("Register or log in? ");
    terminal.type_line("register Аня");
    for prompt in ["New password: ", "Once more: "] {
        terminal.expect(prompt);
        terminal.type_line(PASSWORD);
    }
    terminal.expect("Hello, Аня!\n> ");
    terminal.type_keys("whomi\u{1b}[D\u{1b}[Da\r");
    terminal.expect("You are Аня.\n> ");
    terminal.type_keys("\u{1b}[A\r");
    terminal.expect("You are Аня.\n> ");
    terminal.type_line("help sent");
    terminal.expect("sent: one `write`: bytes on the wire");
    terminal.type_keys("\u{1b}[A\u{1b}[A\u{1b}[A");
    terminal.expect("register Аня");
    terminal.type_keys("\u{15}exit\r");
    assert!(terminal.wait().success());
    assert!(!terminal.plain().contains("horse"));
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_terminal_shows_no_password_that_is_read_from_stdin() {
    let server = Server::start();
    let register = ["--user", "anna", "--password-stdin", "register"];
    let terminal = server.client(&register).spawn_in_terminal();
    for prompt in ["New password: ", "Once more: "] {
        terminal.expect(prompt);
        terminal.type_line(PASSWORD);
    }
    terminal.expect("Hello, anna!");
    assert!(terminal.wait().success());
    assert!(!terminal.plain().contains("horse"), "{}", terminal.plain());
}

#[cfg(unix)]
#[test]
fn a_terminal_that_cannot_be_asked_reads_no_password() {
    let server = Server::start();
    let login = ["--user", "anna", "--password-stdin", "login"];
    let login = server.client(&login).redirect("2> error");
    assert_eq!(login.spawn_in_terminal().wait().code(), Some(1));
    let error = std::fs::read_to_string(server.home.join("error")).unwrap();
    assert!(
        error.contains("stdin and stderr are no terminal"),
        "{error}"
    );
}

/// The client in a shell that goes on after it and prints the mode of the terminal, as a person's own shell does.
#[cfg(unix)]
fn within_a_shell(server: &Server, run: &str) -> Terminal {
    let script = format!(r#"{run}; echo "ended with $?"; stty -a | grep -o -- '-*echo '"#);
    let port = server.address.port().to_string();
    let client = env!("CARGO_BIN_EXE_auth-client");
    let shell = Program::new("sh").args(["-c", &script, client, "--host", "127.0.0.1"]);
    let flags = ["--port", &port, "--quiet", "--user", "anna", "login"];
    let terminal = shell.args(flags).spawn_in_terminal();
    terminal.expect("Password: ");
    terminal
}

#[cfg(unix)]
#[test]
fn ctrl_c_while_a_password_is_typed_brings_the_echo_back() {
    let server = Server::start();
    let terminal = within_a_shell(&server, r#"trap : INT; "$0" "$@""#);
    terminal.type_keys("half a passw\u{3}");
    terminal.expect("\nended with 130\necho ");
    assert!(terminal.wait().success());
    assert!(!terminal.plain().contains("half"));
}

#[cfg(unix)]
#[test]
fn sigterm_while_a_password_is_typed_brings_the_echo_back() {
    let server = Server::start();
    let run = r#"exec 3<&0; "$0" "$@" <&3 & trap "kill -TERM $!" USR1; wait $!; wait $!"#;
    let terminal = within_a_shell(&server, run);
    terminal.signal(Signal::USR1);
    terminal.expect("ended with 143\necho ");
    assert!(terminal.wait().success());
}

/// The shell in which it was started turns the echo on before it goes on.
#[cfg(unix)]
#[test]
fn after_a_stop_a_password_is_asked_for_again_and_not_shown() {
    let server = Server::start();
    server.register("anna");
    let stop = "kill -STOP $!; stty echo <&3; kill -CONT $!";
    let run = format!(r#"exec 3<&0; "$0" "$@" <&3 & trap '{stop}' USR1; wait $!; wait $!"#);
    let terminal = within_a_shell(&server, &run);
    terminal.signal(Signal::USR1);
    terminal.expect("Password: ");
    terminal.type_line(PASSWORD);
    terminal.expect("Hello, anna!\nended with 0\necho ");
    assert!(terminal.wait().success());
    assert!(!terminal.plain().contains("horse"));
}
