//! Passwords and tokens are nowhere but on the wire.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::server::{Server, change_password, login, plain, program, register, resume};

/// All that the files in a folder say, logs included.
fn all_files(folder: &Path, text: &mut Vec<u8>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all_files(&path, text);
        } else {
            text.extend(path.to_string_lossy().bytes());
            text.extend(fs::read(&path).unwrap());
        }
    }
}

#[test]
fn nothing_shows_a_password_or_a_token() {
    let server = Server::run(&program().args(["--log-to", "both", "--log-level", "trace"]));
    let mut client = server.connect();
    let mut replies = vec![];
    let mut secrets = vec![];
    for request in [
        register("anna", "Secret"),
        register("anna", "Secret-of-anna"),
        login("anna", "Secret-of-anna"),
        login("anna", "Secret-that-is-wrong"),
        // A password in the field of the name: no user has this name.
        login("Secret-as-a-name", "Secret-of-nobody"),
        resume("Secret-as-a-token"),
        json!({"type": "login", "user": "anna", "password": 7_365_637_265_743_u64}),
        json!({"type": "Secret-as-a-type"}),
        json!({"type": "login", "user": ["Secret-in-a-list"], "password": "Secret-beside-it"}),
        json!({"type": "revoke", "id": "Secret-as-an-id"}),
        plain("whoami"),
        change_password("Secret-of-anna", "Secret-new"),
    ] {
        let mut reply = client.ask(request);
        if let Some(token) = reply.get_mut("token") {
            secrets.push(token.take().as_str().unwrap().to_owned());
        }
        replies.push(reply);
    }
    assert!(secrets.len() >= 2, "{replies:?}");
    client.ask(resume(&secrets[0]));
    // The last words before the server hangs up.
    replies.push(client.ask("Secret, but no JSON"));
    client.expect_end();
    for secret in &secrets {
        let mut client = server.connect();
        client.ask(resume(secret));
    }

    let folder = server.folder().clone();
    server.running.terminate();
    let finished = server.running.wait().expect_success();
    let mut seen = vec![];
    all_files(folder.path(), &mut seen);
    seen.extend(&finished.stdout);
    seen.extend(&finished.stderr);
    seen.extend(format!("{replies:?}").bytes());
    let seen = String::from_utf8(seen).unwrap();
    assert!(seen.contains("$argon2id$") && seen.contains("not the password of \"anna\""));
    secrets.extend(["Secret".to_owned(), "7365637265743".to_owned()]);
    for secret in secrets {
        assert!(!seen.contains(&secret), "{secret} in {seen}");
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_what_is_kept() {
    use std::os::unix::fs::PermissionsExt;

    let server = Server::start(&[]);
    server.register("anna", "correct horse");
    for entry in fs::read_dir(server.folder().join("data")).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", entry.path());
    }
}
