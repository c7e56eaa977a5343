//! The log of security events: no client can erase a line of it, and few can fill it.

use std::fs;
use std::time::{Duration, Instant};

use testbed::Folder;

use crate::log_lines::events_of;
use crate::server::{Client, Server, login, plain};

const SECURITY_LOG: &str = "logs/auth-server.security.log";

/// Names that a guesser tries.
const GUESSES: usize = 60;

#[test]
fn a_flood_of_messages_leaves_failed_logins_in_the_log() {
    let folder = Folder::new();
    let server = Server::start_in(&folder, &["--log-max-mib", "1"]);
    let mut guesser = server.connect();
    guesser.ask(login("anna", "not her password"));
    let security = folder.log(SECURITY_LOG);
    security.wait_for("no such user");

    let mut floods: [Client; 2] = [(); 2].map(|()| server.connect());
    let began = Instant::now();
    let mut messages = 0;
    while began.elapsed() < Duration::from_secs(2) {
        for client in &mut floods {
            client.ask(plain("whoami"));
            messages += 1;
        }
    }
    drop(floods);
    server.log().wait_for("client disconnected");
    assert_eq!(
        security.lines_with("no such user").len(),
        1,
        "{}",
        security.text()
    );
    // A second has at most fifty lines of a connection, of at most 150 bytes.
    let size = fs::metadata(server.log().path()).unwrap().len();
    assert!(
        size < 2 * 4 * 52 * 150,
        "{size} bytes for {messages} messages"
    );
}

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn many_failed_logins_are_one_line_a_second_and_all_are_counted() {
    let folder = Folder::new();
    let server = Server::start_in(&folder, &[]);
    let began = Instant::now();
    let mut guesser = server.connect();
    for guess in 0..GUESSES {
        guesser.ask(login(&format!("guess {guess}"), "not the password"));
    }
    drop(guesser);
    let seconds = began.elapsed().as_secs() as usize + 1;
    server.stop();
    let text = fs::read_to_string(folder.join(SECURITY_LOG)).unwrap();
    let lines: Vec<_> = text
        .lines()
        .filter(|line| !line.contains("registration"))
        .collect();
    // Two kinds, failed logins and waits, of a line a second each, and a last sum.
    assert!(lines.len() <= 2 * (seconds + 2), "{text}");
    let events: usize = lines.iter().map(|line| events_of(line)).sum();
    assert_eq!(events, GUESSES, "{text}");
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_logs() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new();
    let server = Server::start_in(&folder, &[]);
    server.connect().ask(login("anna", "not her password"));
    folder.log(SECURITY_LOG).wait_for("no such user");
    for file in [SECURITY_LOG, "logs/auth-server.log"] {
        let mode = fs::metadata(folder.join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}
