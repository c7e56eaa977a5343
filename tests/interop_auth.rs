//! A client in Python, written from the document alone, and the real auth-server.

use testbed::{Finished, Program, Running, python};

fn server() -> Running {
    Program::new(env!("CARGO_BIN_EXE_auth-server"))
        .args(["--port", "0"])
        .spawn()
}

/// The first word of each line: of an error its code, for the words after it are for people.
fn first_words(finished: &Finished) -> Vec<&str> {
    let lines = finished.stdout_text().lines();
    lines
        .filter_map(|line| line.split([' ', ',', ':']).next())
        .collect()
}

#[test]
fn a_session_goes_on_by_its_token_until_the_password_changes() {
    let server = server();
    let port = server.await_address().port().to_string();
    let Some(client) = python("auth.py") else {
        return;
    };
    let client = client.args(["--port", &port]);
    let talk = |commands: &str| {
        let finished = client.clone().stdin_bytes(commands).output();
        finished.expect_success()
    };

    let first = talk("whoami\nregister Аня\nконь и скрепка\nexit\n");
    assert_eq!(
        first_words(&first),
        ["not_logged_in", "Hello", "token", "Bye."]
    );
    let lines = first.stdout_text().lines();
    let token = lines.filter_map(|line| line.strip_prefix("token ")).next();
    let token = token.unwrap_or_else(|| first.fail("expected a token"));

    let second = talk(&format!(
        "resume {token}\nwhoami\nsessions\nchange_password\nконь и скрепка\nдругой пароль\n\
         resume {token}\n"
    ));
    assert_eq!(
        first_words(&second),
        [
            "Hello",
            "You",
            "session",
            "Hello",
            "token",
            "session_expired"
        ]
    );
    assert!(second.stdout_text().contains("You are Аня.\n"));

    let third = talk("login аня\nконь и скрепка\nlogin аня\nдругой пароль\n");
    assert_eq!(
        first_words(&third),
        ["bad_credentials", "too_many_attempts"]
    );
}

#[test]
fn the_examples_of_the_document_hold() {
    let server = server();
    let port = server.await_address().port().to_string();
    if let Some(replay) = python("replay.py") {
        replay
            .args(["auth", "--port", &port])
            .output()
            .expect_success();
    }
}
