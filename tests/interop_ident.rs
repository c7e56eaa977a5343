//! A client in Python, written from the document alone, and the real ident-server.

use testbed::{Program, Running, python};

fn server() -> Running {
    Program::new(env!("CARGO_BIN_EXE_ident-server"))
        .args(["--port", "0"])
        .spawn()
}

#[test]
fn a_client_is_known_when_it_comes_back() {
    let server = server();
    let port = server.await_address().port().to_string();
    let Some(client) = python("ident.py") else {
        return;
    };
    let client = client.args(["--port", &port, "--name", "  Аня "]);
    // Of an error its code: the words after it are for people.
    let said = |commands: &str| -> Vec<String> {
        let finished = client.clone().stdin_bytes(commands).output();
        let finished = finished.expect_success();
        let lines = finished.stdout_text().lines();
        lines
            .map(|line| line.split(": ").next().unwrap_or(line).to_owned())
            .collect()
    };
    assert_eq!(
        said("whoami\n"),
        ["Hello, Аня!", "You are Аня at 127.0.0.1.", "Bye."]
    );
    assert_eq!(
        said("name Bo\nrename Anna\nexit\n"),
        ["Hello, Аня!", "Hello, Аня!", "Hello, Anna!", "Bye."]
    );
    assert_eq!(
        said("forget\nforget\nfly\nname \u{200d}\nname Bo\n"),
        [
            "Hello, Anna!",
            "You are forgotten.",
            "not_known",
            "bad_message",
            "bad_name",
            "Hello, Bo!",
            "Bye.",
        ]
    );
}

#[test]
fn the_examples_of_the_document_hold() {
    let server = server();
    let port = server.await_address().port().to_string();
    if let Some(replay) = python("replay.py") {
        replay
            .args(["ident", "--port", &port])
            .output()
            .expect_success();
    }
}
