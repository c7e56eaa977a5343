//! Commands and passwords from scripts.

#[cfg(unix)]
use std::fs;
#[cfg(unix)]
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::Duration;

use auth_server::SessionLimits;

use crate::server::{PASSWORD, Server};

#[test]
fn a_byte_order_mark_is_no_part_of_a_password() {
    let server = Server::start();
    let password = format!("\u{feff}{PASSWORD}\r\n");
    let register = server.scripted(&["--user", "anna", "register"], &password);
    register.output().expect_success();
    let login = server.scripted(&["--user", "anna", "login"], PASSWORD);
    login.output().expect_success();
}

#[test]
fn a_token_is_kept_for_its_owner_and_used_again() {
    let server = Server::start();
    server.register("Аня");
    #[cfg(unix)]
    assert_eq!(mode(&server), 0o600);
    let token = server.token().unwrap();
    let whoami = server.client(&["whoami"]).output().expect_success();
    assert_eq!(whoami.stdout_text(), "You are Аня.\n");
    assert_eq!(whoami.stderr_text(), "");
    let sessions = server.client(&["sessions"]).output().expect_success();
    let lines: Vec<_> = sessions.stdout_text().lines().collect();
    assert!(lines.len() == 2 && lines[1].contains("127.0.0.1") && lines[1].ends_with("this one"));
    assert_eq!(server.token(), Some(token), "one session for all of it");
}

#[test]
fn the_token_file_can_be_elsewhere() {
    let server = Server::start();
    let register = ["--user", "anna", "--token-file", "my/tokens", "register"];
    server
        .scripted(&register, PASSWORD)
        .output()
        .expect_success();
    assert!(!server.token_file().exists());
    let whoami = ["--token-file", "my/tokens", "whoami"];
    server.client(&whoami).output().expect_success();

    let state = server.home.join("state");
    let login = server.scripted(&["--user", "anna", "login"], PASSWORD);
    login
        .env("XDG_STATE_HOME", &state)
        .output()
        .expect_success();
    assert!(state.join("socket-lab/tokens.json").exists());
    server.client(&["whoami"]).output().expect_code(1);
}

#[test]
fn logging_out_drops_the_token() {
    let server = Server::start();
    server.register("anna");
    for arguments in [&["logout"][..], &["logout", "--all"]] {
        let login = ["--user", "ANNA", "login"];
        server.scripted(&login, PASSWORD).output().expect_success();
        server.client(arguments).output().expect_success();
        assert_eq!(server.token(), None);
        let whoami = server.client(&["whoami"]).output().expect_code(1);
        let words = "auth-client: you are not logged in; auth-client login does it\n";
        assert_eq!(whoami.stderr_text(), words);
    }
}

#[test]
fn an_expired_token_is_dropped_and_a_login_asked_for() {
    let server = Server::start_with(SessionLimits { idle: 1, max: 1 });
    server.register("anna");
    assert!(server.token().is_some());
    // The session ends by the clock of the server alone, so no event can be awaited.
    thread::sleep(Duration::from_secs(1));
    let whoami = server.client(&["whoami"]).output().expect_code(1);
    let words = "the session is over; log in again\n\
                 auth-client: you are not logged in; auth-client login does it\n";
    assert_eq!(whoami.stderr_text(), words);
    assert_eq!(server.token(), None);
    let converse = server
        .scripted(&["--user", "anna"], "correct horse\n")
        .output();
    assert_eq!(converse.expect_success().stdout_text(), "Hello, anna!\n");
}

#[test]
fn a_password_is_changed_from_old_to_new() {
    let server = Server::start();
    server.register("anna");
    let token = server.token();
    let passwd = server.scripted(&["passwd"], "correct horse\nbattery staple\n");
    let changed = passwd.output().expect_success();
    let words = "The password is changed, and all other sessions are ended.\n";
    assert_eq!(changed.stdout_text(), words);
    assert_ne!(server.token(), token);
    server.client(&["whoami"]).output().expect_success();
    server.client(&["logout"]).output().expect_success();

    // Without a session the old one logs in first.
    let passwd = ["--user", "anna", "passwd"];
    let changed = server
        .scripted(&passwd, "battery staple\r\ncorrect horse")
        .output();
    assert!(changed.expect_success().stdout_text().ends_with(words));
    let login = ["--user", "anna", "login"];
    server.scripted(&login, PASSWORD).output().expect_success();
}

#[test]
fn commands_come_from_a_pipe() {
    let server = Server::start();
    let input = "unneeded\nregister Anna\ncorrect horse\n\nwhoami\nlogin anna\ncorrect horse\nsessions\nlogout\n";
    let talked = server.scripted(&[], input).output().expect_success();
    let lines: Vec<_> = talked.stdout_text().lines().collect();
    assert_eq!(
        lines[..3],
        ["Hello, Anna!", "You are Anna.", "Hello, Anna!"]
    );
    assert_eq!((lines.len(), lines[6]), (7, "The session is ended."));
    assert!(lines[3].starts_with("ID "));
    let current = lines.iter().filter(|line| line.ends_with("this one"));
    assert_eq!(current.count(), 1);

    let wrong = "unneeded\nwhoami\ncorrect horse\nrevoke zzz\nexit\nwhoami\n";
    let talked = server.scripted(&[], wrong).output().expect_code(1);
    let error = talked.stderr_text();
    assert!(
        error.contains("this needs a session; log in first"),
        "{error}"
    );
    assert!(error.ends_with("3 commands were not carried out, as explained above\n"));
    assert!(!error.contains("correct horse"), "{error}");
}

#[test]
fn the_first_line_is_the_password_whether_or_not_a_token_is_kept() {
    let server = Server::start();
    server.register("anna");
    for _ in 0..2 {
        let input = "correct horse\nwhoami\nlogout\n";
        let talked = server.scripted(&["--user", "anna"], input).output();
        let talked = talked.expect_success();
        assert_eq!(
            talked.stdout_text(),
            "Hello, anna!\nYou are anna.\nThe session is ended.\n"
        );
        assert_eq!(talked.stderr_text(), "");
    }
    // Nor is anything of a password a command that cannot be one.
    server.register("bo");
    let input = format!("{}\nwhoami\n", "logout all ".repeat(1000));
    let talked = server.scripted(&[], &input).output().expect_success();
    assert_eq!(talked.stdout_text(), "Hello, bo!\nYou are bo.\n");
}

#[test]
fn the_password_of_a_name_that_is_none_is_no_command() {
    let server = Server::start();
    server.register("anna");
    let long = "x".repeat(65);
    let input = format!("unneeded\nregister {long}\nlogout all\nwhoami\n");
    let talked = server.scripted(&[], &input).output().expect_code(1);
    assert_eq!(talked.stdout_text(), "Hello, anna!\nYou are anna.\n");
    let error = "a name has at most 64 characters, this one has 65\n\
                auth-client: 1 command was not carried out, as explained above\n";
    assert_eq!(talked.stderr_text(), error);
}

#[test]
fn a_mistake_is_reported_in_one_line() {
    let server = Server::start();
    server.register("anna");
    let program = server.client(&[]).stdin_bytes("passwd x\nhelp\n");
    let talked = program.output().expect_code(1);
    let mut lines = talked.stderr_text().lines();
    let error = "passwd stands alone; help lists the commands";
    assert_eq!(lines.next(), Some(error));
    assert!(lines.any(|line| line == "help             list these commands"));
}

#[cfg(unix)]
fn mode(server: &Server) -> u32 {
    let found = fs::metadata(server.token_file()).unwrap();
    found.permissions().mode() & 0o777
}

#[cfg(unix)]
#[test]
fn tokens_that_others_can_read_are_taken_from_them() {
    let server = Server::start();
    server.register("anna");
    for open in [0o644, 0o620] {
        fs::set_permissions(server.token_file(), fs::Permissions::from_mode(open)).unwrap();
        let whoami = server.client(&["whoami"]).output().expect_success();
        let error = whoami.stderr_text();
        let start = format!(
            "other users could read {} (mode {open:04o}); now its mode is 0600",
            server.token_file().display()
        );
        assert!(error.starts_with(&start), "{error}");
        assert_eq!(mode(&server), 0o600);
    }
    let whoami = server.client(&["whoami"]).output().expect_success();
    assert_eq!(whoami.stderr_text(), "");
}

#[test]
fn a_session_is_ended_by_its_id() {
    let server = Server::start();
    server.register("anna");
    let login = ["--user", "anna", "login"];
    server.scripted(&login, PASSWORD).output().expect_success();
    let sessions = server.client(&["sessions"]).output().expect_success();
    let other = sessions.stdout_text().lines().skip(1);
    let other = other.filter(|line| !line.ends_with("this one"));
    let id = other.last().unwrap().split(' ').next().unwrap().to_owned();
    let revoked = server.client(&["revoke", &id]).output().expect_success();
    assert_eq!(revoked.stdout_text(), format!("Session {id} is ended.\n"));
    // An id may begin as a flag does.
    let again = server
        .client(&["revoke", "-x4v0sYcQ1zB"])
        .output()
        .expect_code(1);
    let words = "auth-client: you have no session of that id\n";
    assert_eq!(again.stderr_text(), words);
    let again = server.client(&["revoke", &id]).output().expect_code(1);
    let words = "auth-client: you have no session of that id\n";
    assert_eq!(again.stderr_text(), words);
}

#[test]
fn another_user_is_not_who_was_named() {
    let server = Server::start();
    server.register("anna");
    server.register("bo");
    let whoami = |user| server.client(&["--user", user, "whoami"]).output();
    assert_eq!(whoami("BO").expect_success().stdout_text(), "You are bo.\n");
    let words = format!(
        "auth-client: the session kept for {} is bo's; auth-client login --user anna opens one\n",
        server.fingerprint
    );
    assert_eq!(whoami("anna").expect_code(1).stderr_text(), words);
    for arguments in [&["--user", "anna", "logout"][..], &["--user", "anna"]] {
        let refused = server.client(arguments).output().expect_code(1);
        assert_eq!(refused.stderr_text(), words);
    }
    let anna = server
        .scripted(&["--user", "anna", "whoami"], PASSWORD)
        .output();
    assert_eq!(
        anna.expect_success().stdout_text(),
        "Hello, anna!\nYou are anna.\n"
    );
}

#[test]
fn what_is_missing_or_refused_is_reported() {
    let server = Server::start();
    server.register("anna");
    server.client(&["logout"]).output().expect_success();
    for (arguments, input, words) in [
        (
            &["login"][..],
            PASSWORD,
            "a user's name is needed; give it with --user",
        ),
        (
            &["--user", "a", "login"],
            "",
            "a password is needed, and the input is at its end; nothing was done",
        ),
        (
            &["--user", "a", "login"],
            "wrong horse",
            "the user or the password is wrong; wait 1 s before the next attempt",
        ),
        (
            &["--user", "a", "register"],
            "short",
            "the password has 5 characters; it needs at least 8",
        ),
        (
            &["--user", "ANNA", "register"],
            PASSWORD,
            "there is a user of that name; choose another, or log in",
        ),
    ] {
        let refused = server.scripted(arguments, input).output().expect_code(1);
        assert_eq!(refused.stderr_text(), format!("auth-client: {words}\n"));
    }
    let none = ["--user", " ", "login"];
    let none = server.client(&none).output().expect_code(2);
    assert_eq!(
        none.stderr_text(),
        "auth-client: --user cannot be a name: a name has at least one character\n"
    );
    let without_terminal = server
        .client(&["--user", "a", "login"])
        .output()
        .expect_code(1);
    assert!(without_terminal.stderr_text().contains("--password-stdin"));
    for password in [&b"\xff\xfe\n"[..], &[b'x'; 5000]] {
        let program = server.client(&["--user", "a", "--password-stdin", "login"]);
        let refused = program.stdin_bytes(password).output().expect_code(1);
        assert_eq!(
            refused.stderr_text(),
            "auth-client: a password is one line of UTF-8 text\n"
        );
    }
}

#[test]
fn neither_password_nor_token_is_shown() {
    let server = Server::start();
    server.register("anna");
    let token = server.token().unwrap();
    let talk = crate::server::client(server.address)
        .args(["--password-stdin", "--user", "anna"])
        .in_folder(&server.home)
        .stdin_bytes(
            "correct horse\nsessions\npasswd\ncorrect horse\nbattery staple\nbattery staple\n",
        )
        .output()
        .expect_code(1);
    let seen = format!("{}{}", talk.stdout_text(), talk.stderr_text());
    assert!(seen.contains("] connected to ") && seen.contains("The password is changed"));
    for secret in ["horse", "staple", &token, &server.token().unwrap()] {
        assert!(!seen.contains(secret), "{seen}");
    }
}
