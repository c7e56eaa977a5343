//! How fast passwords can be tried.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{
    Client, PASSWORD, Server, USERS_FILE, change_password, login, plain, register, resume,
};

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

/// Guesses until three guesses have failed, and leaves 3 s to wait: enough for a test on a busy machine.
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

/// Only time ends a wait of the rate limit.
fn wait(seconds: u64) {
    thread::sleep(Duration::from_secs(seconds));
}

/// Sends a request on each connection at once.
fn ask_all(requests: Vec<(Client, Value)>) -> Vec<Value> {
    thread::scope(|scope| {
        let ask = |(mut client, request): (Client, Value)| {
            // All hashes together take long on a machine that has other work.
            client.socket.set_read_timeout(None).unwrap();
            scope.spawn(move || client.ask(request))
        };
        let asked: Vec<_> = requests.into_iter().map(ask).collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

#[test]
fn guessing_is_slowed_and_locks_nobody_out() {
    let server = Server::start(&[]);
    let (mut owner, token) = server.register("anna", PASSWORD);
    server.register("bo", PASSWORD);
    let mut guesser = server.connect_from("127.0.0.2");
    fail_three_times(&mut guesser, "anna");
    // Even the right password waits, from every network where anna was not lately.
    too_early(guesser.ask(login("ANNA", PASSWORD)));
    let mut elsewhere = server.connect_from("127.0.0.3");
    let seconds = too_early(elsewhere.ask(login("anna", PASSWORD)));
    assert!((1..=3).contains(&seconds), "{seconds}");
    // Her own network and her sessions do not wait, and neither do other users.
    server.connect().enter("login", "anna", PASSWORD);
    owner.is("anna");
    owner.ask(resume(&token));
    owner.is("anna");
    guesser.enter("login", "bo", PASSWORD);
    let reply = owner.ask(change_password(PASSWORD, "battery staple"));
    assert_eq!(reply["type"], "session", "{reply}");

    // Asking early has not made the wait longer.
    wait(seconds);
    elsewhere.enter("login", "anna", "battery staple");
    // That has not forgiven what the guesser failed: its next failure is the fourth.
    guesser.refused(login("anna", "wrong horse"), "bad_credentials");
    let seconds = too_early(guesser.ask(login("anna", "battery staple")));
    assert!((2..=3).contains(&seconds), "{seconds}");
}

#[test]
fn an_unknown_user_is_refused_like_a_wrong_password() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    fail_three_times(&mut client, "nobody");
    too_early(client.ask(login("nobody", PASSWORD)));
}

#[test]
fn wrong_guesses_at_once_gain_nothing() {
    let server = Server::start(&[]);
    server.register("anna", PASSWORD);
    let guess = |number: usize| {
        let client = server.connect_from(&format!("127.0.1.{}", number % 4 + 1));
        (client, login("anna", &format!("wrong horse {number}")))
    };
    let replies = ask_all((0..16).map(guess).collect());
    let tried = |reply: &&Value| reply["code"] == "bad_credentials";
    assert_eq!(replies.iter().filter(tried).count(), 1, "{replies:?}");
    for reply in replies.into_iter().filter(|reply| !tried(&reply)) {
        too_early(reply);
    }
}

#[test]
fn right_logins_at_once_all_succeed() {
    let server = Server::start(&[]);
    server.register("anna", PASSWORD);
    // From her own network, and from others where she has never been.
    for networks in [1, 5] {
        let enter = |number: usize| {
            let from = format!("127.0.0.{}", number % networks + 1);
            (server.connect_from(&from), login("anna", PASSWORD))
        };
        let replies = ask_all((0..10).map(enter).collect());
        for reply in replies {
            assert_eq!(reply["type"], "session", "{reply}");
        }
    }
}

#[test]
fn a_class_behind_one_address_gets_in() {
    let server = Server::start(&[]);
    let student = |number: usize| format!("student {number}");
    // All register at once, then all log in at once, and a client that is no student fails in between.
    for (round, request) in [register, login].into_iter().enumerate() {
        let enter = |number| (server.connect(), request(&student(number), PASSWORD));
        let replies = ask_all((0..30).map(enter).collect());
        for reply in replies {
            assert_eq!(reply["type"], "session", "{reply}");
        }
        let wrong = login(&student(99 + round), PASSWORD);
        server.connect().refused(wrong, "bad_credentials");
    }
}

#[test]
fn a_network_has_thirty_failures_and_regains_them() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.enter("register", "anna", PASSWORD);
    let began = Instant::now();
    let mut failures = 0;
    let wait = loop {
        let reply = client.ask(login(&format!("nobody {failures}"), PASSWORD));
        if reply["code"] != "bad_credentials" {
            break too_early(reply);
        }
        failures += 1;
        assert!(failures < 60, "no end");
    };
    // One comes back every two seconds.
    let regained = began.elapsed().as_secs() / 2;
    assert!((30..=30 + regained + 1).contains(&failures), "{failures}");
    assert!((1..=2).contains(&wait));
    // Registrations have a bucket of their own, and what cannot be a password and `resume` are in none.
    client.enter("register", "bo", PASSWORD);
    client.refused(register("carl", "short"), "weak_password");
    client.refused(resume("short"), "session_expired");
    client.is("bo");
    server
        .connect_from("127.0.0.2")
        .enter("login", "anna", PASSWORD);
}

#[test]
fn a_network_has_thirty_registrations() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    let began = Instant::now();
    let mut registered = 0;
    loop {
        let reply = client.ask(register(&format!("user {registered}"), PASSWORD));
        if reply["type"] != "session" {
            too_early(reply);
            break;
        }
        registered += 1;
        assert!(registered < 60, "no end");
    }
    let regained = began.elapsed().as_secs() / 2;
    assert!(
        (30..=30 + regained + 1).contains(&registered),
        "{registered}"
    );
    client.enter("login", "user 0", PASSWORD);
}

#[test]
fn a_session_waits_for_its_own_wrong_passwords() {
    let server = Server::start(&[]);
    let (mut thief, token) = server.register("anna", PASSWORD);
    let mut owner = server.connect_from("127.0.0.2");
    owner.enter("login", "anna", PASSWORD);
    thief.ask(resume(&token));
    let guess = |number: usize| change_password(&format!("wrong horse {number}"), "another horse");
    let mut failures = 0;
    while failures < 3 {
        let reply = thief.ask(guess(failures));
        match reply["code"] == "bad_credentials" {
            true => failures += 1,
            false => wait(too_early(reply)),
        }
    }
    too_early(thief.ask(guess(failures)));
    // Neither the other session nor a login waits for that.
    server.connect().enter("login", "anna", PASSWORD);
    let reply = owner.ask(change_password(PASSWORD, "battery staple"));
    assert_eq!(reply["type"], "session", "{reply}");
}

/// Three networks poll one name without end, as fast as the server answers.
#[test]
fn an_owner_gets_in_while_three_networks_guess() {
    const LOGINS: usize = 20;
    let server = Server::start(&[]);
    server.register("anna", PASSWORD);
    let is_over = AtomicBool::new(false);
    let (times, guesses) = thread::scope(|scope| {
        let attack = |number: usize| {
            let mut client = server.connect_from(&format!("127.0.0.{}", number + 10));
            let is_over = &is_over;
            scope.spawn(move || {
                let mut refused = 0;
                while !is_over.load(Ordering::Relaxed) {
                    let reply = client.ask(login("anna", "wrong horse"));
                    refused += usize::from(reply["code"] == "too_many_attempts");
                    // A pause, so that the guessers use less of the machine than the server does.
                    thread::sleep(Duration::from_millis(1));
                }
                refused
            })
        };
        let attackers: Vec<_> = (0..3).map(attack).collect();
        let times: Vec<_> = (0..LOGINS)
            .map(|_| {
                let start = Instant::now();
                server.connect().enter("login", "anna", PASSWORD);
                start.elapsed()
            })
            .collect();
        is_over.store(true, Ordering::Relaxed);
        let refused: usize = attackers.into_iter().map(|one| one.join().unwrap()).sum();
        (times, refused)
    });
    let slowest = times.iter().max().unwrap();
    let mean = times.iter().sum::<Duration>() / LOGINS as u32;
    println!("{LOGINS} logins under attack: {mean:.0?} on average, the slowest {slowest:.0?}");
    assert!(guesses > 0, "the attack is real");
}

#[test]
fn waits_survive_a_restart() {
    for is_killed in [false, true] {
        let server = Server::start(&[]);
        server.register("anna", PASSWORD);
        let mut guesser = server.connect_from("127.0.0.2");
        fail_three_times(&mut guesser, "anna");
        // Failures reach the file within a second or so.
        let state = server.folder().log("data/throttle.jsonl");
        state.wait_for(r#""failures":3"#);
        let folder = match is_killed {
            true => server.kill(),
            false => server.stop(),
        };
        let text = state.text();
        assert!(!text.contains("anna") && !text.contains("127."), "{text}");
        let server = Server::start_in(&folder, &[]);
        // The third failure is 3 s old by now, or younger. The fourth shows that the first three still count.
        let mut guesser = server.connect_from("127.0.0.2");
        let reply = guesser.ask(login("anna", "wrong horse"));
        if reply["code"] != "bad_credentials" {
            wait(too_early(reply));
            guesser.refused(login("anna", "wrong horse"), "bad_credentials");
        }
        let seconds = too_early(guesser.ask(login("anna", PASSWORD)));
        assert!((2..=3).contains(&seconds), "{seconds}");
        server.connect().enter("login", "anna", PASSWORD);
    }
}

#[test]
fn known_networks_survive_a_restart() {
    let server = Server::start(&[]);
    server.register("anna", PASSWORD);
    server
        .connect_from("127.0.0.5")
        .enter("login", "anna", PASSWORD);
    let folder = server.stop();
    let server = Server::start_in(&folder, &[]);
    let user = server.last_line(USERS_FILE, "anna");
    let networks = user["networks"].as_array().unwrap().iter();
    let networks: Vec<_> = networks.map(|known| known["network"].clone()).collect();
    assert_eq!(networks, ["127.0.0.5", "127.0.0.1"]);
    fail_three_times(&mut server.connect_from("127.0.0.2"), "anna");
    for known in ["127.0.0.1", "127.0.0.5"] {
        server.connect_from(known).enter("login", "anna", PASSWORD);
    }
}

#[test]
fn a_full_hash_queue_is_reported_and_sessions_go_on() {
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
        tried >= 48 && refused > 0,
        "{tried} tried, {refused} refused"
    );
    assert_eq!(tried + refused, CLIENTS, "{replies:?}");
    let busy = replies
        .iter()
        .find(|reply| reply["code"] == "unavailable")
        .unwrap();
    assert_eq!(busy["message"], "the server is busy; try again later");
    // An attempt that was not looked at has not failed.
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
