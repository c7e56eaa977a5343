//! What was acknowledged is on disk; what the disk does not take is told.

use std::fs;

use testbed::Program;

use crate::server::{
    PASSWORD, Server, USERS_FILE, change_password, login, plain, register, resume,
};

#[test]
fn a_restart_keeps_users_and_sessions() {
    let server = Server::start(&[]);
    let (mut ended, ended_token) = server.register("Anna", PASSWORD);
    let token = server.connect().enter("login", "anna", PASSWORD);
    ended.ask(plain("logout"));
    let folder = server.stop();

    let server = Server::start_in(&folder, &[]);
    let mut client = server.connect();
    assert_eq!(client.ask(resume(&token))["user"], "Anna");
    client.refused(resume(&ended_token), "session_expired");
    client.enter("login", "anna", PASSWORD);
}

#[test]
fn a_kill_right_after_the_session_keeps_it() {
    let mut folder = None;
    for round in 0..5 {
        let server = match &folder {
            None => Server::start(&[]),
            Some(folder) => Server::start_in(folder, &[]),
        };
        let user = format!("user {round}");
        let (_, token) = server.register(&user, PASSWORD);
        let killed = server.kill();
        let server = Server::start_in(&killed, &[]);
        let mut client = server.connect();
        assert_eq!(client.ask(resume(&token))["user"], user);
        client.ask(plain("logout"));
        let killed = server.kill();
        let server = Server::start_in(&killed, &[]);
        let mut client = server.connect();
        client.refused(resume(&token), "session_expired");
        client.enter("login", &user, PASSWORD);
        folder = Some(server.kill());
    }
}

/// A server whose files end after so many blocks, as on a full disk: a block has 512 or 1,024 bytes, as the shell likes.
fn on_a_small_disk(blocks: u32) -> Server {
    let script = format!(r#"trap "" XFSZ; ulimit -f {blocks}; exec "$0" "$@""#);
    let binary = env!("CARGO_BIN_EXE_auth-server");
    let running = Program::new("sh")
        .args(["-c", &script, binary, "--port", "0", "--log-to", "console"])
        .spawn();
    let line = running.next_line();
    let address = line.strip_prefix("auth-server listening on ").unwrap();
    let address = address.parse().unwrap();
    Server { running, address }
}

#[test]
fn a_full_disk_is_told_and_survived() {
    let server = on_a_small_disk(2);
    let mut client = server.connect();
    let (mut token, mut users) = (String::new(), 0);
    let words = loop {
        let reply = client.ask(register(&format!("user {users}"), PASSWORD));
        match reply["token"].as_str() {
            Some(new) => token = new.to_owned(),
            None => {
                assert_eq!(reply["code"], "unavailable", "{reply}");
                break reply["message"].as_str().unwrap().to_owned();
            }
        }
        users += 1;
        assert!(users < 25, "the disk is never full");
    };
    // Which file is full first is no matter; the words tell whether anything was done.
    assert!(
        words == "the server cannot do it now; try again later"
            || words == "it is done, but no session could be opened; log in later",
        "{words}"
    );
    // What needs no disk goes on, and what does is told again.
    let last = format!("user {}", users - 1);
    client.is(&last);
    let mut other = server.connect();
    assert_eq!(other.ask(resume(&token))["user"], last);
    for _ in 0..9 {
        let reply = other.ask(login(&last, PASSWORD));
        if reply["type"] != "session" {
            assert_eq!(reply["code"], "unavailable", "{reply}");
            break;
        }
    }
    let warning = server.running.wait_for_stderr_line(" WARN ");
    assert!(warning.contains("File too large"), "{warning}");

    // Whole lines, and with room again all goes on.
    let folder = server.stop();
    let text = fs::read_to_string(folder.join(USERS_FILE)).unwrap();
    assert!(text.ends_with("}\n"), "{text}");
    let server = Server::start_in(&folder, &[]);
    let mut client = server.connect();
    assert_eq!(client.ask(resume(&token))["user"], last);
    let reply = client.ask(change_password(PASSWORD, "battery staple"));
    assert_eq!(reply["type"], "session", "{reply}");
}
