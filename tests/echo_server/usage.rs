//! Flags, the variables that stand for them, and what is said of wrong ones.

use crate::server::{Server, echo_server, expect_echo};

#[test]
fn wrong_usage_is_reported_with_status_2() {
    for (flags, reported) in [
        (
            &["--port", "99999"][..],
            "a port is a number from 0 to 65535",
        ),
        (&["--port", "ninety"], "'ninety' for '--port <PORT>'"),
        (&["--port", "-1"], "'-1'"),
        (&["--host", ""], "'--host <HOST>'"),
        (
            &["--host", "two words"],
            "no spaces and no control characters",
        ),
        (&["--host", "127.0.0.1:80"], "give the port with --port"),
        (&["--prompt", "maybe"], "'maybe'"),
        (&["--portion", "0"], "'--portion <BYTES>'"),
        (&["--max-message", "0"], "'--max-message <BYTES>'"),
        (&["--max-message", "4294967296"], "'--max-message <BYTES>'"),
        (&["--max-clients", "0"], "'--max-clients <N>'"),
        (&["--idle-timeout", "soon"], "'--idle-timeout <SECONDS>'"),
        (&["--log-to", "moon"], "'--log-to <file|console|both>'"),
        (&["--log-level", "loud"], "'--log-level <LEVEL>'"),
        (&["--log-max-mib", "-1"], "'-1'"),
        (&["--bogus"], "unexpected argument '--bogus'"),
        (&["stray"], "unrecognized subcommand 'stray'"),
        (&["--raw=yes"], "'--raw'"),
        (&["--raw", "--max-message", "9"], "cannot be used with"),
        (&["--portion", "9"], "--raw"),
        (&["--host", "255.255.255.255"], "the broadcast address"),
        (&["--host", "ff02::1"], "a multicast address"),
    ] {
        let finished = echo_server().args(flags).output().expect_code(2);
        let words = finished.stderr_text();
        assert!(
            words.starts_with("error: ") && words.contains(reported),
            "{flags:?}: {words}"
        );
        assert_eq!(finished.stdout_text(), "");
        assert!(!finished.log().path().exists(), "{flags:?}");
    }
}

#[test]
fn help_has_every_flag_and_examples() {
    let finished = echo_server().arg("--help").output().expect_success();
    let help = finished.stdout_text();
    for part in [
        "Usage: echo-server [OPTIONS]",
        "--host <HOST>",
        "--port <PORT>",
        "[default: 9090]",
        "--prompt <auto|always|never>",
        "--strict-port",
        "--log-to <file|console|both>",
        "--log-file <PATH>",
        "--log-level <LEVEL>",
        "--log-max-mib <N>",
        "--max-clients <N>",
        "--idle-timeout <SECONDS>",
        "--raw",
        "--portion <BYTES>",
        "--max-message <BYTES>",
        "Examples:\n  echo-server ",
        "LAB_ECHO_SERVER_PROMPT",
    ] {
        assert!(help.contains(part), "no {part:?} in\n{help}");
    }
    assert!(
        help.lines().all(|line| line.chars().count() <= 100),
        "{help}"
    );
    assert_eq!(finished.stderr_text(), "");
}

#[test]
fn the_version_is_shown() {
    let finished = echo_server().arg("--version").output().expect_success();
    let expected = format!("echo-server {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(finished.stdout_text(), expected);
}

#[test]
fn variables_stand_for_flags_and_flags_win() {
    let program = echo_server()
        .env("LAB_ECHO_SERVER_HOST", "localhost")
        .env("LAB_ECHO_SERVER_PORT", "0")
        .env("LAB_ECHO_SERVER_RAW", "true")
        .env("LAB_ECHO_SERVER_LOG_TO", "console")
        .env("LAB_ECHO_SERVER_LOG_LEVEL", "error");
    let server = Server::spawn(&program.clone().args(["--log-level", "info"]));
    let mut client = server.connect();
    // With --raw a frame's bytes come back, too; the service messages do not count frames.
    expect_echo(&mut client, "hello");
    let line = server.wait_for_stderr_line("sent 9 bytes");
    assert!(line.ends_with("(connection 1)"), "{line}");
    assert!(!server.log().path().exists());

    let program = program.env("LAB_ECHO_SERVER_PORT", "99999");
    let finished = program.output().expect_code(2);
    assert!(finished.stderr_text().contains("99999"));
    Server::spawn(&program.args(["--port", "0"]));
}
