//! What the server's owner can do, and what the server reports.

use std::fs;

use serde_json::json;
use testbed::{Folder, Program};

use crate::server::{PASSWORD, SESSIONS_FILE, Server, USERS_FILE, login, plain, program, resume};

fn users(arguments: &[&str], folder: &Folder) -> Program {
    let program = Program::new(env!("CARGO_BIN_EXE_auth-server")).arg("user");
    program.args(arguments).in_folder(folder)
}

#[test]
fn users_are_listed_and_removed_while_the_server_is_stopped() {
    let server = Server::start(&[]);
    let (mut client, token) = server.register("Аня", PASSWORD);
    client.enter("login", "аня", PASSWORD);
    let (_, of_bo) = server.register("Bo", PASSWORD);
    let running = users(&["list"], server.folder()).output().expect_code(1);
    assert!(
        running
            .stderr_text()
            .contains("users.jsonl is in use by another process")
    );
    let folder = server.stop();

    let listed = users(&["list"], &folder).output().expect_success();
    assert_eq!(listed.stdout_text(), "Bo\nАня\n");
    let removed = users(&["remove", "АНЯ"], &folder).output().expect_success();
    assert_eq!(removed.stderr_text(), "removed Аня\n");
    let again = users(&["remove", "АНЯ"], &folder).output().expect_code(1);
    assert!(again.stderr_text().contains("there is no user \"АНЯ\""));
    let nobody = users(&["remove", " "], &folder).output().expect_code(2);
    let line = "auth-server: NAME cannot be a name: a name has at least one character\n";
    assert_eq!(nobody.stderr_text(), line);
    let listed = users(&["list", "--data-file", USERS_FILE], &folder).output();
    assert_eq!(listed.expect_success().stdout_text(), "Bo\n");

    let text = fs::read_to_string(folder.join(USERS_FILE)).unwrap();
    assert_eq!(
        text.lines().count(),
        1,
        "nothing of the other is left: {text}"
    );
    let text = fs::read_to_string(folder.join(SESSIONS_FILE)).unwrap();
    assert!(text.contains("bo") && !text.contains("аня"), "{text}");

    let server = Server::start_in(&folder, &[]);
    let mut client = server.connect();
    client.refused(resume(&token), "session_expired");
    client.refused(login("Аня", PASSWORD), "bad_credentials");
    // A new user of the same name does not get the old sessions.
    client.enter("register", "АНЯ", "another horse");
    client.refused(resume(&token), "session_expired");
    let sessions = client.ask(plain("sessions"));
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(client.ask(resume(&of_bo))["user"], "Bo");
}

#[test]
#[cfg(target_os = "linux")]
fn a_new_password_that_cannot_be_shown_is_a_failure_that_says_so() {
    let server = Server::start(&[]);
    server.register("Anna", PASSWORD);
    let folder = server.stop();
    let lost = users(&["passwd", "anna"], &folder).redirect("> /dev/full");
    let lost = lost.output().expect_code(1);
    let reason =
        "the password of Anna is changed, and nobody knows the new one: run this command again\n";
    assert!(
        lost.stderr_text().ends_with(reason),
        "{}",
        lost.stderr_text()
    );
}

#[test]
fn a_user_gets_a_new_password_while_the_server_is_stopped() {
    let server = Server::start(&[]);
    let (_, token) = server.register("Anna", PASSWORD);
    let folder = server.stop();
    let nobody = users(&["passwd", "bo"], &folder).output().expect_code(1);
    assert!(nobody.stderr_text().contains("there is no user \"bo\""));
    let set = users(&["passwd", "anna"], &folder)
        .output()
        .expect_success();
    assert_eq!(set.stderr_text(), "the new password of Anna:\n");
    let password = set.stdout_text().trim_end().to_owned();
    assert_eq!(password.len(), 16);

    let server = Server::start_in(&folder, &[]);
    let mut client = server.connect();
    client.refused(resume(&token), "session_expired");
    let token = client.enter("login", "anna", &password);
    let folder = server.stop();
    let chosen = users(&["passwd", "anna", "--password-stdin"], &folder);
    let weak = chosen.clone().stdin_bytes("annaanna\n").output();
    let weak = weak.expect_code(1);
    assert!(weak.stderr_text().contains("made of the user's name"));
    let empty = chosen.clone().stdin_bytes("").output().expect_code(1);
    assert!(empty.stderr_text().contains("no line with a password"));
    // A byte-order mark, as Windows programs write it, is no part of the password.
    let set = chosen.stdin_bytes("\u{feff}battery staple\r\n").output();
    assert_eq!(set.expect_success().stdout_text(), "");

    let server = Server::start_in(&folder, &[]);
    let mut client = server.connect();
    client.refused(resume(&token), "session_expired");
    client.enter("login", "anna", "battery staple");
    client.refused(login("anna", &password), "bad_credentials");
}

#[cfg(unix)]
#[test]
fn a_password_that_an_administrator_types_is_not_shown() {
    let server = Server::start(&[]);
    server.register("Anna", PASSWORD);
    let folder = server.stop();
    let passwd = users(&["passwd", "anna", "--password-stdin"], &folder);
    let type_passwords = |second| {
        let terminal = passwd.spawn_in_terminal();
        for (prompt, password) in [
            ("New password: ", "battery staple"),
            ("Once more: ", second),
        ] {
            terminal.expect(prompt);
            terminal.type_line(password);
        }
        let code = terminal.wait().code();
        assert!(!terminal.plain().contains("staple"), "{}", terminal.plain());
        (code, terminal)
    };
    let (code, terminal) = type_passwords("battery stable");
    terminal.expect("auth-server: the two differ; nothing was changed\n");
    assert_eq!(code, Some(1));
    let (code, terminal) = type_passwords("battery staple");
    terminal.expect("changed the password of Anna\n");
    assert_eq!(code, Some(0));
    let redirected = passwd.clone().redirect("2> error").spawn_in_terminal();
    assert_eq!(redirected.wait().code(), Some(2));
    let error = fs::read_to_string(folder.join("error")).unwrap();
    assert!(error.contains("without showing the password"), "{error}");

    let server = Server::start_in(&folder, &[]);
    server.connect().enter("login", "anna", "battery staple");
}

#[test]
fn a_user_deleted_by_hand_leaves_no_session() {
    let server = Server::start(&[]);
    let (_, token) = server.register("anna", PASSWORD);
    let folder = server.stop();
    fs::write(folder.join(USERS_FILE), "").unwrap();
    let server = Server::start_in(&folder, &[]);
    server
        .log()
        .wait_for("sessions that have ended and were removed: 1");
    let mut client = server.connect();
    client.enter("register", "anna", PASSWORD);
    client.refused(resume(&token), "session_expired");
}

#[test]
fn a_list_of_a_file_that_is_not_there_makes_none() {
    let folder = Folder::new();
    let listed = users(&["list"], &folder).output().expect_code(1);
    assert!(
        listed
            .stderr_text()
            .contains("there is no data/users.jsonl")
    );
    assert!(!folder.join("data").exists());
}

#[test]
fn what_another_version_or_a_person_wrote_stays() {
    let server = Server::start(&[]);
    server.register("anna", PASSWORD);
    let folder = server.stop();
    for file in [USERS_FILE, SESSIONS_FILE] {
        let path = folder.join(file);
        let text = fs::read_to_string(&path).unwrap();
        let edited = text.replace("\"value\":{", "\"note\":\"kept\",\"value\":{\"more\":[1],");
        fs::write(&path, edited).unwrap();
    }
    let server = Server::start_in(&folder, &["--hash-passes", "3"]);
    server.connect().enter("login", "anna", PASSWORD);
    let user = server.last_line(USERS_FILE, "anna");
    assert_eq!(user["more"], json!([1]));
    assert!(user["hash"].as_str().unwrap().contains("t=3"));
}

#[test]
fn a_user_under_another_key_is_reported() {
    let server = Server::start(&[]);
    server.register("anna", PASSWORD);
    let folder = server.stop();
    let path = folder.join(USERS_FILE);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace(r#""key":"anna""#, r#""key":"Anna""#)).unwrap();
    let server = Server::start_in(&folder, &[]);
    let line = server.log().wait_for("users who cannot log in");
    assert!(line.contains(" [WARN] ") && line.ends_with(": 1"), "{line}");
}

#[test]
fn a_name_that_the_rules_refuse_is_reported_and_can_be_corrected() {
    let server = Server::start(&[]);
    server.register("anna", PASSWORD);
    let folder = server.stop();
    let path = folder.join(USERS_FILE);
    let text = fs::read_to_string(&path).unwrap();

    fs::write(&path, text.replace("anna", "an\u{3164}na")).unwrap();
    let server = Server::start_in(&folder, &[]);
    let line = server.log().wait_for("users who cannot log in");
    assert!(line.contains(" [WARN] ") && line.ends_with(": 1"), "{line}");
    let folder = server.stop();

    for control_or_format in ["\\u0007", "\u{200b}"] {
        let name = format!("an{control_or_format}na");
        fs::write(&path, text.replace("anna", &name)).unwrap();
        let start = program().in_folder(&folder).output().expect_code(1);
        let error = start.stderr_text();
        assert!(
            error.contains("damaged at line 1: a name has no control"),
            "{error}"
        );
    }

    fs::write(&path, text).unwrap();
    let server = Server::start_in(&folder, &[]);
    server.connect().enter("login", "anna", PASSWORD);
}

#[test]
fn files_can_be_elsewhere() {
    let server = Server::start(&["--data-file", "a/u.jsonl", "--sessions-file", "b/s.jsonl"]);
    server.register("anna", PASSWORD);
    let folder = server.stop();
    let text = |file| fs::read_to_string(folder.join(file)).unwrap();
    assert!(text("a/u.jsonl").contains("anna") && text("b/s.jsonl").contains("anna"));
    let server = Server::start_in(&folder, &["--data-file", "a/u.jsonl"]);
    server.connect().enter("login", "anna", PASSWORD);
    assert!(folder.join("a/sessions.jsonl").exists());
}

#[test]
fn limits_cannot_be_lowered() {
    for wrong in [
        ["--hash-memory-kib", "19455"],
        ["--hash-passes", "1"],
        ["--hash-memory-kib", "4294967295"],
        ["--min-password", "7"],
        ["--min-password", "129"],
        ["--session-idle", "0"],
        ["--session-max", "0"],
        ["--registration", "ajar"],
    ] {
        let refused = program().args(wrong).output().expect_code(2);
        assert!(refused.stderr_text().contains(wrong[0]), "{wrong:?}");
    }
}

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn every_event_is_logged() {
    let server = Server::start(&[]);
    let (mut client, token) = server.register("\"Bo\\", PASSWORD);
    let peer = format!("{} (connection 1)", client.socket.local_addr().unwrap());
    let id = client.ask(plain("sessions"))["sessions"][0]["id"].clone();
    let id = id.as_str().unwrap();
    client.ask(resume(&token));
    client.ask(login("\"bo\\", "wrong horse"));
    client.ask(plain("logout"));
    client.ask(plain("whoami"));
    client.ask(plain("exit"));
    client.expect_end();
    server.log().wait_for("client disconnected");
    let log = server.log();
    server.stop();
    let text = log.text();
    let messages = text.lines().map(|line| line.split_once("] ").unwrap().1);
    let is_traffic =
        |message: &&str| message.starts_with("received ") || message.starts_with("sent ");
    let mut messages = messages.filter(|message| !is_traffic(message));
    for start in [
        "server started: auth-server ",
        "up to ",
        "users: 0, sessions: 0, changes: 0, fsyncs: 0",
        "the fingerprint of this server is SHA256:",
        "listening on 127.0.0.1:",
        "client connected: ",
        &format!(r#"registered "\"Bo\\" from {peer}"#),
        &format!(r#"opened session {id} of "\"Bo\\" for {peer}"#),
        &format!(r#"{peer} resumed session {id} of "\"Bo\\""#),
        &format!(r#"refused {peer}: not the password of "\"Bo\\""#),
        &format!(r#"ended session {id} of "\"Bo\\" for {peer}"#),
        &format!("client disconnected: {peer}: the client said exit; received "),
        "server stopped: served 1 client, received ",
    ] {
        let message = messages.next().unwrap_or("the end of the log");
        assert!(message.starts_with(start), "{start:?} in {text}");
    }
    assert_eq!(messages.next(), None);
}
