//! Questions to a person at a terminal: answers, bad answers, and none.

use testbed::{Program, Terminal, is_interrupted};

use crate::server::{Server, connect, echo_server, expect_echo};

/// A host that does not exist is reported soon, even where queries to name servers are lost.
fn at_a_terminal(flags: &[&str]) -> Terminal {
    let program: Program = echo_server().args(flags);
    program
        .env("RES_OPTIONS", "timeout:1 attempts:1")
        .spawn_in_terminal()
}

/// Waits for the server's line on stdout, uses the address in it, and ends the server with Ctrl-C.
#[track_caller]
fn expect_service(terminal: &Terminal, start: &str) {
    terminal.expect(&format!("echo-server listening on {start}"));
    let log = terminal.log().wait_for("listening on ");
    let (_, address) = log.split_once("listening on ").unwrap();
    // Where its port was taken, that follows.
    let (address, _) = address.split_once(", ").unwrap_or((address, ""));
    assert!(address.starts_with(start), "{address}");
    expect_echo(&mut connect(address.parse().unwrap()), "hello");
    terminal.type_keys("\u{3}");
    assert!(terminal.wait().success());
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn bad_answers_are_explained_and_asked_again() {
    let terminal = at_a_terminal(&[]);
    for (bad, why) in [
        (
            "two words",
            "\"two words\": a host has no spaces and no control characters",
        ),
        ("no.such.host", "\"no.such.host\": "),
        (
            "127.0.0.1:80",
            "\"127.0.0.1:80\": give the host alone; the port is asked for next",
        ),
        (
            "\u{1b}c",
            "\"\\x1bc\": a host has no spaces and no control characters",
        ),
    ] {
        terminal.expect("Host [127.0.0.1]: ");
        terminal.type_line(bad);
        terminal.expect(why);
    }
    terminal.expect("Host [127.0.0.1]: ");
    terminal.type_line(&"x".repeat(2000));
    terminal.expect("xxx…\" (1025 bytes): too long: at most 1024 bytes");
    terminal.expect("Host [127.0.0.1]: ");
    terminal.type_line(" localhost ");

    for bad in ["ninety", "99999", "-1", "\u{1}", "80 81", "１２", "9.5"] {
        terminal.expect("Port [9090]: ");
        terminal.type_line(bad);
        terminal.expect("\": a port is a number from 0 to 65535\n");
    }
    terminal.expect("Port [9090]: ");
    terminal.type_line("0");
    terminal.expect("echo-server listening on ");
    let shown = String::from_utf8(terminal.raw()).unwrap();
    assert!(
        !shown.contains('\u{1b}'),
        "a terminal was commanded: {shown:?}"
    );
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn enter_takes_the_defaults() {
    let terminal = at_a_terminal(&[]);
    terminal.expect("Host [127.0.0.1]: ");
    terminal.type_line("");
    terminal.expect("Port [9090]: ");
    terminal.type_line("");
    // Another program of this machine may have port 9090; then the walk begins there.
    expect_service(&terminal, "127.0.0.1:");
    let shown = terminal.plain();
    let took = shown.contains("listening on 127.0.0.1:9090\n");
    let walked = shown.contains(" taken, using 909");
    assert!(took != walked, "{shown}");
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn only_what_is_not_given_is_asked_for() {
    let terminal = at_a_terminal(&["--host", "127.0.0.1"]);
    terminal.expect("Port [9090]: ");
    terminal.type_line("0");
    expect_service(&terminal, "127.0.0.1:");
    assert!(!terminal.plain().contains("Host ["));

    let terminal = at_a_terminal(&["--port", "0"]);
    terminal.expect("Host [127.0.0.1]: ");
    terminal.type_line("");
    expect_service(&terminal, "127.0.0.1:");
    assert!(!terminal.plain().contains("Port ["));

    let terminal = at_a_terminal(&["--prompt", "never", "--port", "0"]);
    expect_service(&terminal, "127.0.0.1:");
    let shown = terminal.plain();
    assert!(
        !shown.contains("Host [") && shown.contains("using the default host 127.0.0.1 (--host)"),
        "{shown}"
    );
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn ctrl_d_at_a_prompt_leaves() {
    let terminal = at_a_terminal(&["--port", "0"]);
    terminal.expect("Host [127.0.0.1]: ");
    terminal.type_keys("\u{4}");
    assert!(terminal.wait().success());
    assert!(!terminal.plain().contains("listening"));
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn ctrl_c_at_a_prompt_ends_it() {
    let terminal = at_a_terminal(&[]);
    terminal.expect("Host [127.0.0.1]: ");
    terminal.type_keys("\u{3}");
    let status = terminal.wait();
    assert!(is_interrupted(status), "{status}");
    assert!(!terminal.log().path().exists(), "the log had not begun");
}

#[test]
fn a_pipe_is_asked_when_it_must_be() {
    let program = echo_server().args(["--prompt", "always"]);
    let server = Server::spawn(&program.clone().stdin_bytes("localhost\n0\n"));
    assert!(server.address.ip().is_loopback());
    let finished = server.stop();
    let words = finished.stderr_text();
    assert!(
        words.starts_with("Host [127.0.0.1]: Port [9090]: service messages go to "),
        "{words}"
    );

    let bad = program
        .stdin_bytes("\u{7}\nlocalhost\n")
        .output()
        .expect_code(1);
    let expected = "echo-server: \"\\x07\" is no answer to the question Host: a host has no spaces";
    assert!(bad.stderr_text().contains(expected));
}

#[test]
fn without_a_terminal_the_defaults_are_taken_and_reported() {
    let server = Server::spawn(&echo_server());
    server
        .wait_for_stderr_line("using the defaults, host 127.0.0.1 and port 9090 (--host, --port)");
    expect_echo(&mut server.connect(), "hello");
}
