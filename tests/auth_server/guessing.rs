//! How fast passwords can be tried.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::server::{Client, PASSWORD, Server, change_password, login, plain, register, resume};

#[track_caller]
fn too_early(reply: Value) -> u64 {
    assert_eq!(reply["code"], "too_many_attempts", "{reply}");
    let seconds = reply["retry_after"].as_u64().unwrap();
    assert_eq!(
        reply["message"],
        format!("too many attempts; try again in {seconds} s")
    );
    seconds
}

/// Guesses until three guesses have been looked at, and leaves 3 s to wait: enough for a test on a busy machine.
fn fail_three_times(client: &mut Client, user: &str) {
    let mut failures = 0;
    while failures < 3 {
        let reply = client.ask(login(user, "wrong horse"));
        if reply["code"] == "bad_credentials" {
            assert_eq!(reply["message"], "the user or the password is wrong");
            failures += 1;
        } else {
            wait(too_early(reply));
        }
    }
}

/// Time is what is tested.
fn wait(seconds: u64) {
    thread::sleep(Duration::from_secs(seconds));
}

#[test]
fn guessing_is_slowed_and_locks_nobody_out() {
    let server = Server::start(&[]);
    let (mut owner, token) = server.register("anna", PASSWORD);
    server.register("bo", PASSWORD);
    let mut guesser = server.connect_from("127.0.0.2");
    fail_three_times(&mut guesser, "anna");
    // Even the right password waits, by this name from everywhere.
    too_early(guesser.ask(login("ANNA", PASSWORD)));
    let mut elsewhere = server.connect_from("127.0.0.3");
    let seconds = too_early(elsewhere.ask(login("anna", PASSWORD)));
    assert!((1..=3).contains(&seconds), "{seconds}");
    too_early(owner.ask(change_password(PASSWORD, "battery staple")));
    // Sessions that are open go on, and so do other users.
    owner.is("anna");
    owner.ask(resume(&token));
    owner.is("anna");
    guesser.enter("login", "bo", PASSWORD);

    // Asking early has not made the wait longer.
    wait(seconds);
    elsewhere.enter("login", "anna", PASSWORD);
    // That has not forgiven what the guesser failed.
    too_early(guesser.ask(login("anna", PASSWORD)));
}

#[test]
fn a_user_who_is_not_there_is_refused_alike() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    fail_three_times(&mut client, "nobody");
    too_early(client.ask(login("nobody", PASSWORD)));
}

#[test]
fn guesses_at_once_gain_nothing() {
    let server = Server::start(&[]);
    server.register("anna", PASSWORD);
    let replies: Vec<_> = thread::scope(|scope| {
        let guess = |number: usize| {
            let mut client = server.connect_from(&format!("127.0.1.{}", number % 4 + 1));
            scope.spawn(move || client.ask(login("anna", &format!("wrong horse {number}"))))
        };
        let guesses: Vec<_> = (0..16).map(guess).collect();
        guesses.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let tried = |reply: &&Value| reply["code"] == "bad_credentials";
    assert_eq!(replies.iter().filter(tried).count(), 1, "{replies:?}");
    for reply in replies.into_iter().filter(|reply| !tried(&reply)) {
        too_early(reply);
    }
}

#[test]
fn an_address_has_thirty_attempts_and_gains_them_back() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.enter("register", "anna", PASSWORD);
    let began = std::time::Instant::now();
    let mut attempts = 1;
    let wait = loop {
        let reply = client.ask(login(&format!("nobody {attempts}"), PASSWORD));
        if reply["code"] != "bad_credentials" {
            break too_early(reply);
        }
        attempts += 1;
        assert!(attempts < 60, "no end");
    };
    // One comes back every two seconds.
    let gained = began.elapsed().as_secs() / 2;
    assert!((30..=30 + gained + 1).contains(&attempts), "{attempts}");
    assert!((1..=2).contains(&wait));
    too_early(client.ask(register("bo", PASSWORD)));
    // What cannot be a password is no attempt, and `resume` never is one.
    client.refused(register("bo", "short"), "weak_password");
    client.refused(resume("short"), "session_expired");
    client.is("anna");
    server
        .connect_from("127.0.0.2")
        .enter("login", "anna", PASSWORD);
}

#[test]
fn more_than_can_wait_for_a_hash_are_told_so_and_sessions_go_on() {
    const CLIENTS: usize = 80;
    let server = Server::start(&["--hash-passes", "3"]);
    let (mut client, token) = server.register("anna", PASSWORD);
    let replies: Vec<_> = thread::scope(|scope| {
        let ask = |number: usize| {
            let mut client = server.connect_from(&format!("127.0.2.{}", number % 20 + 1));
            let request = login(&format!("user {number}"), PASSWORD);
            // All hashes together take long on a machine that has other work.
            client.socket.set_read_timeout(None).unwrap();
            scope.spawn(move || client.ask(request))
        };
        let asked: Vec<_> = (0..CLIENTS).map(ask).collect();
        for _ in 0..5 {
            client.is("anna");
            assert_eq!(server.connect().ask(resume(&token))["type"], "session");
        }
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let count = |code| {
        replies
            .iter()
            .filter(|reply: &&Value| reply["code"] == code)
            .count()
    };
    let (tried, refused) = (count("bad_credentials"), count("unavailable"));
    assert!(
        tried >= 64 && refused > 0,
        "{tried} tried, {refused} refused"
    );
    assert_eq!(tried + refused, CLIENTS, "{replies:?}");
    let busy = replies
        .iter()
        .find(|reply| reply["code"] == "unavailable")
        .unwrap();
    assert_eq!(busy["message"], "the server is busy; try again later");
    // Who was not looked at has not failed.
    let all_at_once = json!({"type": "sessions"});
    assert_eq!(
        client.ask(all_at_once)["sessions"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(client.ask(plain("logout"))["type"], "logged_out");
}
