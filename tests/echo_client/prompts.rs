//! Questions for host and port: answers, bad answers, and none.

use testbed::{Terminal, is_interrupted};

use crate::server::{FRAMED, client_of, echo_client, echo_server};

/// An unknown host is an error soon, even where questions to name servers are lost.
fn at_a_terminal(flags: &[&str]) -> Terminal {
    let client = echo_client().args(flags);
    client
        .env("RES_OPTIONS", "timeout:1 attempts:1")
        .spawn_in_terminal()
}

#[track_caller]
fn expect_dialogue(terminal: &Terminal) {
    terminal.expect("connected to 127.0.0.1:");
    terminal.expect("> ");
    terminal.type_line("hello");
    terminal.expect("received 9 bytes: 4 header + 5 text\n");
    terminal.expect("hello\n");
    terminal.type_line("exit");
    assert!(terminal.wait().success());
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn bad_answers_are_explained_and_asked_again() {
    let terminal = at_a_terminal(&[]);
    for (bad, why) in [
        (
            "two words",
            "\"two words\": a host has no spaces and no control characters\n",
        ),
        ("no.such.host", "\"no.such.host\": "),
        (
            "localhost:9090",
            "\"localhost:9090\": give the host alone; the port is asked for next\n",
        ),
        (
            "\u{1b}c",
            "\"\\x1bc\": a host has no spaces and no control characters\n",
        ),
    ] {
        terminal.expect("Host [127.0.0.1]: ");
        terminal.type_line(bad);
        terminal.expect(why);
    }
    terminal.expect("Host [127.0.0.1]: ");
    terminal.type_line(&"x".repeat(2000));
    terminal.expect(": too long: at most 1024 bytes\n");
    terminal.expect("Host [127.0.0.1]: ");
    terminal.type_line("");

    for bad in ["ninety", "99999", "0", "-1", "\u{1}"] {
        terminal.expect("Port [9090]: ");
        terminal.type_line(bad);
        terminal.expect("\": a port is a number from 1 to 65535\n");
    }
    terminal.expect("Port [9090]: ");
    terminal.type_line(&echo_server(FRAMED).port().to_string());
    expect_dialogue(&terminal);
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn only_what_is_not_given_is_asked_for() {
    let port = echo_server(FRAMED).port().to_string();
    let terminal = at_a_terminal(&["--port", &port]);
    terminal.expect("Host [127.0.0.1]: ");
    terminal.type_line("");
    expect_dialogue(&terminal);
    assert!(!terminal.plain().contains("Port ["));

    let terminal = at_a_terminal(&["--host", "127.0.0.1"]);
    terminal.expect("Port [9090]: ");
    terminal.type_line(&port);
    expect_dialogue(&terminal);
    assert!(!terminal.plain().contains("Host ["));

    let terminal = at_a_terminal(&["--port", &port, "--prompt", "never"]);
    terminal.expect("using the default host 127.0.0.1 (--host)\n");
    expect_dialogue(&terminal);
    assert!(!terminal.plain().contains("Host ["));
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn ctrl_c_at_a_prompt_ends_it() {
    let terminal = at_a_terminal(&[]);
    terminal.expect("Host [127.0.0.1]: ");
    terminal.type_keys("\u{3}");
    let status = terminal.wait();
    assert!(is_interrupted(status), "{status}");
}

#[test]
fn in_a_pipe_the_answers_stand_ahead_of_the_data() {
    let port = echo_server(FRAMED).port();
    let input = format!("\u{feff}localhost\r\n{port}\r\n\u{feff}hello\r\nlast");
    let client = echo_client().args(["--prompt", "always", "--quiet"]);
    let finished = client.stdin_bytes(input).output().expect_success();
    assert_eq!(finished.stdout_text(), "\u{feff}hello\r\nlast");
    assert_eq!(finished.stderr_text(), "Host [127.0.0.1]: Port [9090]: ");
}

#[test]
fn in_a_pipe_a_bad_answer_ends_it() {
    let port = echo_server(FRAMED).port();
    for (input, error_line) in [
        (
            format!("{port}\n127.0.0.1\n{port}\n"),
            format!("\"{port}\" is no answer to the question Host: this is a number, not a host"),
        ),
        (
            format!("\n99999\n{port}\nhello\n"),
            "\"99999\" is no answer to the question Port: a port is a number from 1 to 65535"
                .into(),
        ),
    ] {
        let client = echo_client().args(["--prompt", "always", "--quiet"]);
        let finished = client.stdin_bytes(input).output().expect_code(1);
        assert_eq!(finished.stdout_text(), "");
        let words = finished.stderr_text();
        assert!(words.contains(&error_line), "{words}");
    }
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn ctrl_d_at_a_prompt_leaves() {
    let terminal = at_a_terminal(&[]);
    terminal.expect("Host [127.0.0.1]: ");
    terminal.type_keys("\u{4}");
    assert!(terminal.wait().success());
    assert_eq!(terminal.plain(), "Host [127.0.0.1]: \n");
}

#[test]
fn in_a_pipe_nothing_is_asked_and_the_defaults_are_reported() {
    let server = echo_server(FRAMED);
    let port = server.port().to_string();
    let client = echo_client().args(["--port", &port, "--quiet"]);
    let finished = client.stdin_bytes("hello\n").output().expect_success();
    assert_eq!(finished.stdout_text(), "hello\n");
    assert_eq!(
        finished.stderr_text(),
        "using the default host 127.0.0.1 (--host)\n"
    );
    let finished = client_of(server).arg("--quiet").output().expect_success();
    assert_eq!(finished.stderr_text(), "");
}
