//! A client in Python, written from PROTOCOL.md alone, and the real echo-server.

use std::fmt::Write;

use testbed::{Program, Running, python};

fn server(flags: &[&str]) -> Running {
    Program::new(env!("CARGO_BIN_EXE_echo-server"))
        .args(["--port", "0"])
        .args(flags)
        .spawn()
}

/// The client in Python, with the address of `server`.
fn client(server: &Running, flags: &[&str]) -> Option<Program> {
    let port = server.await_address().port().to_string();
    Some(python("echo.py")?.args(["--port", &port]).args(flags))
}

#[test]
fn lines_come_back_as_they_were() {
    let server = server(&[]);
    let Some(client) = client(&server, &[]) else {
        return;
    };
    let mut text = "hello\nПривет 🙂\n\n  spaces \r\nnull \0\nexit \n".to_owned();
    // More than all buffers on the way hold, so that the client must read while it writes.
    for number in 0..20_000 {
        writeln!(text, "строка {number}: {:50}", "я").expect("a string takes all");
    }
    text += &"ж".repeat(1_048_576 / 2);
    text += "\nthe last line, without an end";
    let finished = client.stdin_bytes(text.clone()).output().expect_success();
    assert!(finished.stdout_text() == text + "\n");
}

#[test]
fn exit_ends_the_dialogue_after_what_is_owed() {
    let server = server(&[]);
    let Some(client) = client(&server, &[]) else {
        return;
    };
    let client = client.stdin_bytes("one\ntwo\nexit\nthree\n");
    assert_eq!(client.output().expect_success().stdout, b"one\ntwo\n");
    server.log().wait_for("the client said exit");
}

#[test]
fn raw_bytes_come_back_as_they_were() {
    let server = server(&["--raw"]);
    let Some(client) = client(&server, &["--raw"]) else {
        return;
    };
    let mut bytes = b"exit\n".to_vec();
    bytes.extend((0..4 << 20).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8));
    let finished = client.stdin_bytes(bytes.clone()).output().expect_success();
    assert!(finished.stdout == bytes);
}

#[test]
fn the_examples_of_the_document_hold() {
    let server = server(&[]);
    let port = server.await_address().port().to_string();
    if let Some(replay) = python("replay.py") {
        replay
            .args(["echo", "--port", &port])
            .output()
            .expect_success();
    }
}
