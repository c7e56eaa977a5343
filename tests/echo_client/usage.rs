//! Flags, the variables that stand for them, and what is said of wrong ones.

use echo_client::Wire;
use testbed::Program;

use crate::server::{FRAMED, client_of, echo_client, echo_server};

#[test]
fn wrong_usage_is_reported_with_status_2() {
    for (flags, error) in [
        (
            &["--port", "99999"][..],
            "a port is a number from 0 to 65535",
        ),
        (
            &["-p", "abc"],
            "'--port <PORT>': a port is a number from 0 to 65535",
        ),
        (
            &["--port", "0", "--host", "::1"],
            "cannot connect to port 0",
        ),
        (&["--host", "a b"], "no spaces and no control characters"),
        (&["--host", "[::1]:80"], "give the port with --port"),
        (
            &["-H", "9090"],
            "this is a number, not a host; for a port give --port 9090",
        ),
        (
            &["010.0.0.1"],
            "010 is octal or hexadecimal to some programs",
        ),
        (&["http://127.0.0.1"], "this is a URL; give the host alone"),
        (&["--host", "::1", "::1"], "cannot be used with"),
        (
            &["[::1]:80", "-p", "81"],
            "HOST:PORT and --port give different ports",
        ),
        (&["--local", "::1"], "cannot be used with"),
        (&["--bind", "localhost"], "give an address of this machine"),
        (
            &["--host", "a\r"],
            "an argument contains a line end: \"a\\r\"",
        ),
        (
            &["--local", "--host", "::1"],
            "'--local' cannot be used with '--host <HOST>'",
        ),
        (
            &["--local", "--port", "1"],
            "'--local' cannot be used with '--port <PORT>'",
        ),
        (&["--timeout", "0"], "'--timeout <SECONDS>'"),
        (&["--max-message", "0"], "'--max-message <BYTES>'"),
        (&["--raw", "--max-message", "9"], "cannot be used with"),
        (&["localhost:"], "a port is a number from 1 to 65535"),
        (&["224.0.0.1"], "a multicast address"),
        (&["--portion", "1"], "unexpected argument '--portion'"),
        (&["::1", "stray"], "unexpected argument 'stray'"),
    ] {
        let finished = echo_client().args(flags).output().expect_code(2);
        let words = finished.stderr_text();
        assert!(words.contains(error), "{flags:?}: {words}");
        assert_eq!(finished.stdout_text(), "");
    }
}

#[test]
fn help_has_every_flag_and_examples() {
    let finished = echo_client().arg("--help").output().expect_success();
    let help = finished.stdout_text();
    for part in [
        "Usage: echo-client [OPTIONS] [HOST[:PORT]]",
        "--host <HOST>",
        "--port <PORT>",
        "[default: 9090]",
        "--prompt <auto|always|never>",
        "--local",
        "--raw",
        "--max-message <BYTES>",
        "--timeout <SECONDS>",
        "[default: 30]",
        "--quiet",
        "Examples:\n  echo-client --local ",
        "LAB_ECHO_CLIENT_PROMPT",
    ] {
        assert!(help.contains(part), "no {part:?} in\n{help}");
    }
    assert!(
        help.lines().all(|line| line.chars().count() <= 100),
        "{help}"
    );
}

#[test]
fn the_version_is_reported() {
    let finished = echo_client().arg("--version").output().expect_success();
    let expected = format!("echo-client {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(finished.stdout_text(), expected);
}

#[test]
fn variables_stand_for_flags_and_flags_win() {
    let (framed, raw) = (echo_server(FRAMED), echo_server(Wire::Raw));
    let client = echo_client()
        .env("LAB_ECHO_CLIENT_HOST", "127.0.0.1")
        .env("LAB_ECHO_CLIENT_PORT", raw.port().to_string())
        .env("LAB_ECHO_CLIENT_RAW", "true")
        .env("LAB_ECHO_CLIENT_QUIET", "true")
        .stdin_bytes(b"\xff\n");
    let finished = client.output().expect_success();
    assert_eq!(
        (&finished.stdout[..], &finished.stderr[..]),
        (&b"\xff\n"[..], &b""[..])
    );

    let client = client.env("LAB_ECHO_CLIENT_RAW", "false");
    let client = client.args(["--port", &framed.port().to_string()]);
    let finished = client.stdin_bytes("hello\n").output().expect_success();
    assert_eq!(finished.stdout_text(), "hello\n");
}

#[test]
fn a_variable_never_stands_in_the_way_of_a_flag() {
    let server = echo_server(FRAMED);
    let nowhere = |client: Program| {
        client
            .env("LAB_ECHO_CLIENT_HOST", "nowhere.invalid")
            .env("LAB_ECHO_CLIENT_PORT", "1")
    };
    for client in [
        nowhere(echo_client().arg("--local")),
        client_of(server).env("LAB_ECHO_CLIENT_LOCAL", "true"),
        client_of(server).env("LAB_ECHO_CLIENT_SIZE", "5"),
        client_of(server).env("LAB_ECHO_CLIENT_QUIET", ""),
    ] {
        let finished = client.stdin_bytes("hello\n").output().expect_success();
        assert_eq!(finished.stdout_text(), "hello\n");
    }
    // One that is of use beside another variable only is used.
    let bench = client_of(server)
        .env("LAB_ECHO_CLIENT_SIZE", "5")
        .env("LAB_ECHO_CLIENT_DURATION", "1")
        .env("LAB_ECHO_CLIENT_BENCH", "true");
    let finished = bench.output().expect_success();
    let error = "framed, 1 connection, 5 bytes a message, ";
    assert!(finished.stdout_text().starts_with(error));
}

#[test]
fn variables_that_exclude_one_another_are_reported() {
    let client = echo_client().env("LAB_ECHO_CLIENT_LOCAL", "true");
    let client = client.env("LAB_ECHO_CLIENT_PORT", "1");
    let finished = client.output().expect_code(2);
    let error = finished.stderr_text();
    assert!(error.contains("cannot be used with"), "{error}");
    assert!(error.contains("LAB_ECHO_CLIENT_"), "{error}");
}

#[test]
fn a_bad_value_is_reported_with_where_it_came_from() {
    for (variable, value) in [
        ("LAB_ECHO_CLIENT_PORT", "abc"),
        ("LAB_ECHO_CLIENT_QUIET", "ja"),
    ] {
        let client = echo_client().env(variable, value);
        let finished = client.output().expect_code(2);
        let error = finished.stderr_text();
        assert!(
            error.contains(&format!("invalid value '{value}' for '{variable}'")),
            "{error}"
        );
    }
}

#[test]
fn completions_are_printed_for_each_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = echo_client().args(["completions", shell]).output();
        let script = script.expect_success();
        assert!(script.stdout_text().contains("max-message"), "{shell}");
    }
    let unknown = echo_client().args(["completions", "cmd"]).output();
    unknown.expect_code(2);
}

#[test]
#[cfg(target_os = "linux")]
fn help_and_completions_that_cannot_be_printed_are_a_failure() {
    for arguments in [&["--help"][..], &["--version"], &["completions", "bash"]] {
        let client = echo_client().args(arguments).redirect("> /dev/full");
        let error = "echo-client: cannot write to stdout: no space left on device\n";
        assert_eq!(client.output().expect_code(1).stderr_text(), error);
    }
}

#[test]
fn the_server_can_be_given_in_one_word() {
    let port = echo_server(FRAMED).port();
    let client = echo_client().arg(format!("localhost:{port}")).arg("-q");
    let client = client
        .stdin_bytes("hello\n")
        .env("LAB_ECHO_CLIENT_PORT", "1");
    let finished = client.output().expect_success();
    assert_eq!(
        (finished.stdout_text(), finished.stderr_text()),
        ("hello\n", "")
    );
    let client = echo_client().args(["-q", "-H", "127.0.0.1", "-p", &port.to_string()]);
    let client = client.args(["--bind", "127.0.0.1"]).stdin_bytes("hello\n");
    assert_eq!(client.output().expect_success().stdout_text(), "hello\n");
}
