//! Servers that are no auth servers.

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use proto::FramedSocket;
use serde_json::json;
use testbed::Folder;

/// A client that these servers understand.
fn client(server: std::net::SocketAddr) -> testbed::Program {
    crate::server::client(server).arg("--plaintext")
}

/// What the client says of a server that answers everything with `reply`.
fn words_for(reply: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        while let Ok(Some(_)) = socket.recv_text(1 << 14) {
            socket.send_text(reply).unwrap();
        }
    });
    let login = ["--user", "anna", "--password-stdin", "--quiet", "login"];
    let program = client(address).args(login).stdin_bytes("correct horse");
    let finished = program.output().expect_code(1);
    server.join().unwrap();
    finished.stderr_text().to_owned()
}

#[test]
fn a_strange_reply_is_reported_and_shows_nothing_harmful() {
    for (reply, words) in [
        ("hello", "the server sent an invalid message"),
        (
            r#"{"type":"bye"}"#,
            "an unexpected message; is it an auth-server?",
        ),
        (
            r#"{"type":"session","user":"anna","expires_at":1}"#,
            "an unexpected message",
        ),
        (
            r#"{"type":"session","user":"\u001b[2J","token":"t","expires_at":1}"#,
            "an invalid message",
        ),
        (
            r#"{"type":"error","code":"of a newer version","message":"no"}"#,
            "auth-client: no\n",
        ),
        (
            r#"{"type":"error","code":"bad_name","message":"\u001b[2J\nno"}"#,
            r"auth-client: \x1b[2J\nno",
        ),
    ] {
        let printed = words_for(reply);
        assert!(printed.contains(words), "{reply}: {printed}");
        assert!(!printed.contains('\u{1b}') && !printed.contains("correct horse"));
    }
}

#[test]
fn a_silent_server_is_not_waited_for_forever() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let program = client(address).args(["--timeout", "1", "--user", "anna"]);
    let program = program
        .args(["--password-stdin", "login"])
        .stdin_bytes("correct horse");
    let running = program.spawn();
    let finished = running.wait_within(Duration::from_secs(10)).expect_code(1);
    assert!(finished.stderr_text().contains("--timeout waits longer"));
}

/// A server that refuses the first two requests for `seconds`, then closes at the client's `exit`.
fn impatient(seconds: u64) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        for _ in 0..2 {
            let _login = socket.recv_text(1 << 14).unwrap();
            let message = format!("too many attempts; try again in {seconds} s");
            let reply = json!({
                "type": "error", "code": "too_many_attempts", "message": message, "retry_after": seconds,
            });
            socket.send_text(&reply.to_string()).unwrap();
        }
        let _ = socket.recv_text(1 << 14);
    });
    address
}

#[test]
fn without_a_terminal_a_short_wait_is_made_once() {
    let login = ["--user", "anna", "--password-stdin", "--quiet", "login"];
    for (seconds, waits) in [(1, 1), (6, 0)] {
        let program = client(impatient(seconds)).args(login);
        let finished = program.stdin_bytes("correct horse").output().expect_code(1);
        let printed = finished.stderr_text();
        let waited = printed.matches("waiting for that").count();
        assert_eq!(waited, waits, "{printed}");
        let words = format!("auth-client: too many attempts; try again in {seconds} s\n");
        assert!(printed.ends_with(&words), "{printed}");
    }
}

#[test]
fn what_was_done_on_the_server_alone_is_said() {
    let home = Folder::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let in_the_way = home.join(".local/state/socket-lab/tokens.json.tmp");
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let _register = socket.recv_text(1 << 14).unwrap();
        // The client has seen that it can write the file. Now it no longer can.
        std::fs::create_dir(in_the_way).unwrap();
        let session = json!({"type": "session", "user": "anna", "token": "t", "expires_at": 1});
        socket.send_text(&session.to_string()).unwrap();
        let _ = socket.recv_text(1 << 14);
    });
    let register = ["--user", "anna", "--password-stdin", "--quiet", "register"];
    let program = client(address).args(register).in_folder(&home);
    let done = program.stdin_bytes("correct horse").output().expect_code(1);
    assert_eq!(done.stdout_text(), "Hello, anna!\n");
    let printed = done.stderr_text();
    let start = "auth-client: you are registered, but the session is not kept: cannot write ";
    assert!(printed.starts_with(start), "{printed}");
    assert!(printed.ends_with("; log in again next time\n"), "{printed}");
}

#[cfg(unix)]
#[test]
fn an_unusable_token_file_is_explained_once() {
    let home = Folder::new();
    std::fs::write(home.join("file"), "no folder").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let flags = [
        "--token-file",
        "file/tokens",
        "--user",
        "anna",
        "--password-stdin",
        "register",
    ];
    let program = client(listener.local_addr().unwrap())
        .args(flags)
        .in_folder(&home);
    let failed = program.stdin_bytes("correct horse").output().expect_code(1);
    let stderr = failed.stderr_text();
    let start = "auth-client: cannot read file/tokens: ";
    let line = stderr.lines().last().unwrap();
    let reason = line
        .strip_prefix(start)
        .unwrap_or_else(|| panic!("{stderr}"));
    let expected = "file is a file, not a folder; move that file away, or choose another path; nothing was changed on \
                    the server; --token-file chooses another file";
    assert_eq!(reason, expected);
}
