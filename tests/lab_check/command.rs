//! The program itself: what it prints, and its exit status.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use testbed::{Finished, Program};

use crate::server::{Shared, start};

fn lab_check(args: &[&str]) -> Finished {
    Program::new(env!("CARGO_BIN_EXE_lab-check"))
        .args(args)
        .output()
}

/// A raw echo server that is right, or answers in capital letters.
fn echo(shouts: bool) -> String {
    let serve = move |mut client: TcpStream, _: &_| {
        let mut buffer = [0; 1024];
        while let Ok(count @ 1..) = client.read(&mut buffer) {
            if shouts {
                buffer.make_ascii_uppercase();
            }
            if client.write_all(&buffer[..count]).is_err() {
                return;
            }
        }
    };
    start(serve).to_string()
}

#[test]
fn a_right_server_is_a_line_a_check_and_status_0() {
    let finished = lab_check(&["echo", "--raw", &echo(false)]).expect_success();
    let output = finished.stdout_text();
    let (lines, summary) = output.trim_end().rsplit_once('\n').unwrap();
    assert!(
        summary.ends_with(" 0 failed, 1 note, 0 skipped"),
        "{summary}"
    );
    assert!(
        lines
            .lines()
            .filter(|line| line.starts_with("ok    "))
            .count()
            >= 24,
        "{lines}"
    );
}

#[test]
fn a_failure_shows_what_was_sent_and_came_and_a_hint() {
    let finished = lab_check(&["echo", "--raw", &echo(true), "--only", "text"]);
    assert_eq!(finished.status.code(), Some(1));
    let output = finished.stdout_text();
    assert!(output.starts_with("FAIL  text "), "{output}");
    assert!(
        output.contains(r#"sent      6 bytes: 68 65 6c 6c 6f 0a "hello\n""#),
        "{output}"
    );
    assert!(
        output.contains(r#"received  6 bytes: 48 45 4c 4c 4f 0a "HELLO\n""#),
        "{output}"
    );
    assert!(
        output.contains("task 1    The server must send back"),
        "{output}"
    );
    assert!(
        output.ends_with("0 passed, 1 failed, 0 notes, 0 skipped\n"),
        "{output}"
    );
}

#[test]
fn bytes_instead_of_the_end_are_shown() {
    let server = start(|mut client: TcpStream, _: &_| {
        let _ = std::io::copy(&mut client.try_clone().unwrap(), &mut client);
    });
    let finished = lab_check(&["echo", &server.to_string()]);
    assert_eq!(finished.status.code(), Some(1));
    let output = finished.stdout_text();
    let (_, exit) = output.split_once("FAIL  exit ").unwrap();
    assert!(exit.contains("more came instead of the end\n"), "{exit}");
    assert!(
        exit.contains(r#"received  8 bytes: 00 00 00 04 65 78 69 74 "\x00\x00\x00\x04exit""#),
        "{exit}"
    );
}

#[test]
fn a_server_with_tls_is_named_as_such() {
    for flags in [
        &["echo", "--raw"][..],
        &["echo"],
        &["echo", "--header", "ascii4"],
    ] {
        let server = start(|mut client: TcpStream, _: &_| {
            let _ = client.read(&mut [0; 64]);
            // A fatal alert: decode_error.
            let _ = client.write_all(b"\x15\x03\x03\0\x02\x02\x32");
        });
        let finished = lab_check(&[flags, &[&server.to_string(), "--only", "text"]].concat());
        assert_eq!(finished.status.code(), Some(1));
        let output = finished.stdout_text();
        assert!(
            output.contains("; the reply is an alert of TLS: try --tls\n"),
            "{output}"
        );
    }
}

#[test]
fn json_is_one_document() {
    let finished = lab_check(&["echo", "--raw", &echo(true), "--json"]);
    assert_eq!(finished.status.code(), Some(1));
    let document: Value = serde_json::from_str(finished.stdout_text()).unwrap();
    assert_eq!(
        (&document["protocol"], &document["wire"]),
        (&"echo".into(), &"raw".into())
    );
    assert_eq!(document["summary"]["failed"], 1);
    let checks = document["checks"].as_array().unwrap();
    assert_eq!(checks[0]["verdict"], "failed");
    assert_eq!(checks[0]["received"]["last_text"], r#""HELLO\n""#);
    assert!(
        checks[1..]
            .iter()
            .all(|check| check["verdict"] == "skipped"),
        "{document}"
    );
}

#[test]
fn the_checks_are_listed_without_a_server() {
    for (protocol, least) in [("echo", 30), ("ident", 15), ("auth", 15)] {
        let finished = lab_check(&[protocol, "--list"]).expect_success();
        let output = finished.stdout_text();
        assert!(output.lines().count() >= least, "{output}");
        assert!(
            output.lines().all(|line| line.contains(" task ")),
            "{output}"
        );
    }
}

#[test]
fn a_server_that_is_not_there_is_one_clear_line() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let finished = lab_check(&["echo", &free.to_string()]);
    assert_eq!(finished.status.code(), Some(1));
    assert_eq!(finished.stdout_text(), "");
    let error = finished.stderr_text();
    assert!(
        error.starts_with(&format!("lab-check: cannot connect to {free}: ")),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn wrong_usage_has_status_2() {
    for args in [
        &["echo"][..],
        &["echo", "--header", "be3", "127.0.0.1"],
        &["echo", "127.0.0.1", "--only", "nothing"],
        &["dance", "127.0.0.1"],
    ] {
        let finished = lab_check(args);
        assert_eq!(finished.status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn a_server_that_is_gone_is_one_failure_and_one_word_for_each_further_check() {
    let serve = |mut client: TcpStream, shared: &Shared| {
        let mut buffer = [0; 1024];
        while let Ok(count @ 1..) = client.read(&mut buffer) {
            if buffer[..count].contains(&0) {
                return shared.crash();
            }
            client.write_all(&buffer[..count]).unwrap();
        }
    };
    let finished = lab_check(&["echo", "--raw", &start(serve).to_string(), "--timeout", "2"]);
    assert_eq!(finished.status.code(), Some(1));
    let output = finished.stdout_text();
    let (_, after) = output.split_once("FAIL  nul ").unwrap();
    let mut skipped = after.lines().filter(|line| line.starts_with("skip"));
    assert!(skipped.clone().count() > 10, "{output}");
    assert!(skipped.all(|line| line.ends_with(" gone")), "{output}");
    assert_eq!(output.matches("FAIL").count(), 1, "{output}");
}

#[test]
fn a_changed_text_is_described() {
    let finished = lab_check(&["echo", "--raw", &echo(true), "--only", "text"]);
    let output = finished.stdout_text();
    assert!(
        output.contains(": letters came back in another case;"),
        "{output}"
    );
}

#[test]
fn a_server_without_an_idle_limit_gets_a_note() {
    let check = |address: &str| {
        let finished = lab_check(&[
            "echo",
            "--raw",
            address,
            "--idle",
            "1",
            "--only",
            "idle-limit",
        ]);
        finished.expect_success().stdout_text().to_owned()
    };
    let output = check(&echo(false));
    assert!(output.starts_with("note  idle-limit "), "{output}");
    assert!(
        output.contains("it is still connected after 1 s"),
        "{output}"
    );
    let impatient = start(|client: TcpStream, _: &_| {
        client
            .set_read_timeout(Some(Duration::from_millis(100)))
            .unwrap();
        let _ = (&client).read(&mut [0]);
    });
    let output = check(&impatient.to_string());
    assert!(output.starts_with("ok    idle-limit "), "{output}");
}

#[test]
fn flags_come_from_the_environment() {
    let program = Program::new(env!("CARGO_BIN_EXE_lab-check")).env("LAB_CHECK_TIMEOUT", "never");
    let refused = program.args(["echo", "127.0.0.1"]).output().expect_code(2);
    let stderr = refused.stderr_text();
    assert!(
        stderr.contains("invalid value 'never' for 'LAB_CHECK_TIMEOUT'"),
        "{stderr}"
    );
}
