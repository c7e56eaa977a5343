//! Users and their passwords.

use std::fs;
use std::thread;

use serde_json::Value;

use crate::server::{PASSWORD, Server, USERS_FILE, change_password, login, register};

#[test]
fn a_password_is_kept_as_argon2id_with_a_salt_of_its_own() {
    let server = Server::start(&[]);
    server.register("anna", PASSWORD);
    server.register("bo", PASSWORD);
    let [anna, bo] = ["anna", "bo"].map(|key| {
        let user = server.last_line(USERS_FILE, key);
        let hash = user["hash"].as_str().unwrap().to_owned();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        let parts = hash.split('$').map(str::to_owned);
        <[String; 6]>::try_from(parts.collect::<Vec<_>>()).unwrap()
    });
    // 16 bytes of salt and 32 of hash, in base64.
    assert_eq!((anna[4].len(), anna[5].len()), (22, 43));
    assert_ne!(anna[4], bo[4]);
    assert_ne!(anna[5], bo[5]);
}

#[test]
fn a_name_is_one_in_every_case_and_compatibility_form() {
    let server = Server::start(&[]);
    let (mut client, _) = server.register("Straße", PASSWORD);
    for name in ["straße", "STRASSE", "ｓｔｒａｓｓｅ", " Strasse "] {
        let words = client.refused(register(name, PASSWORD), "name_taken");
        assert_eq!(words, "there is a user of that name");
        let reply = client.ask(login(name, PASSWORD));
        assert_eq!(reply["user"], "Straße", "{reply}");
    }
    client.refused(register("\u{202e}evil", PASSWORD), "bad_name");
    client.refused(login("", PASSWORD), "bad_name");
}

#[test]
fn of_several_registrations_of_a_name_at_once_one_succeeds() {
    let server = Server::start(&[]);
    let names = [
        "anna",
        "ANNA",
        "Anna",
        "ａｎｎａ",
        "aNNA",
        "annA",
        "anNa",
        "ANna",
    ];
    let replies: Vec<Value> = thread::scope(|scope| {
        let ask = |name| {
            let mut client = server.connect();
            scope.spawn(move || client.ask(register(name, PASSWORD)))
        };
        let asked: Vec<_> = names.into_iter().map(ask).collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let winners: Vec<_> = replies
        .iter()
        .filter(|reply| reply["type"] == "session")
        .collect();
    assert_eq!(winners.len(), 1, "{replies:?}");
    let losers = replies.iter().filter(|reply| reply["code"] == "name_taken");
    assert_eq!(losers.count(), names.len() - 1, "{replies:?}");
    let users = fs::read_to_string(server.folder().join(USERS_FILE)).unwrap();
    assert_eq!(users.lines().count(), 1, "{users}");
    assert_eq!(
        server.last_line(USERS_FILE, "anna")["name"],
        winners[0]["user"]
    );
}

#[test]
fn a_weak_password_is_refused_with_its_reason() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    for (password, reason) in [
        (
            "пароль7",
            "the password has 7 characters; it needs at least 8",
        ),
        ("ы", "the password has 1 character; it needs at least 8"),
        (
            &"ж".repeat(129),
            "the password has 129 characters; 128 are the most",
        ),
        ("Anna-Maria", "the password is made of the user's name"),
        ("annamaria", "the password is made of the user's name"),
        ("Maria-Maria-7", "the password is made of the user's name"),
        ("socketlab", "the password is made of the service's name"),
        ("        ", "the password is blank"),
        ("Password1", "the password is one of the 3,000 commonest"),
    ] {
        let words = client.refused(register("anna-maria", password), "weak_password");
        assert_eq!(words, reason);
    }
    client.enter("register", "anna-maria", PASSWORD);
    let words = client.refused(change_password(PASSWORD, "iloveyou"), "weak_password");
    assert_eq!(words, "the password is one of the 3,000 commonest");
}

#[test]
fn any_characters_make_a_password() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    let longest = "🙂".repeat(128);
    for (user, password) in [
        ("a", "    .    "),
        ("b", "aaaaaaab"),
        ("c", "\u{0}\u{7}\u{1b}[2J'\""),
        ("d", &longest),
    ] {
        client.enter("register", user, password);
        client.enter("login", user, password);
    }
    // Nothing of a long one is cut off.
    client.refused(login("d", &"🙂".repeat(127)), "bad_credentials");
}

#[test]
fn the_owner_may_ask_for_longer_passwords() {
    let server = Server::start(&["--min-password", "15"]);
    let mut client = server.connect();
    let words = client.refused(register("anna", "correct horse!"), "weak_password");
    assert_eq!(
        words,
        "the password has 14 characters; it needs at least 15"
    );
    client.enter("register", "anna", "correct horse!!");
}

#[test]
fn composed_or_decomposed_a_password_is_one() {
    let server = Server::start(&[]);
    let (composed, decomposed) = ("\u{451}лка и \u{439}од", "е\u{308}лка и и\u{306}од");
    let (mut client, _) = server.register("аня", composed);
    client.enter("login", "аня", decomposed);
    let reply = client.ask(change_password(decomposed, "друго\u{439} пароль"));
    assert_eq!(reply["type"], "session", "{reply}");
    client.enter("login", "аня", "друго\u{438}\u{306} пароль");
}

#[test]
fn a_closed_server_takes_no_new_users() {
    let server = Server::start(&[]);
    server.register("anna", PASSWORD);
    let folder = server.stop();
    let server = Server::start_in(&folder, &["--registration", "closed"]);
    let mut client = server.connect();
    // Nor does it show which names are users.
    for name in ["anna", "bo"] {
        client.refused(register(name, PASSWORD), "registration_closed");
    }
    client.enter("login", "anna", PASSWORD);
}

#[test]
fn a_higher_cost_rehashes_at_the_next_login() {
    let cost_of = |server: &Server, key| {
        let user = server.last_line(USERS_FILE, key);
        user["hash"]
            .as_str()
            .unwrap()
            .split('$')
            .nth(3)
            .unwrap()
            .to_owned()
    };
    let server = Server::start(&[]);
    let (_, token) = server.register("anna", PASSWORD);
    server.register("bo", PASSWORD);
    let folder = server.stop();

    let server = Server::start_in(&folder, &["--hash-passes", "3"]);
    let mut client = server.connect();
    client.refused(login("bo", "wrong horse"), "bad_credentials");
    client.enter("login", "anna", PASSWORD);
    assert_eq!(cost_of(&server, "anna"), "m=19456,t=3,p=1");
    assert_eq!(cost_of(&server, "bo"), "m=19456,t=2,p=1");
    // It is the same password, so sessions go on.
    client.ask(crate::server::resume(&token));
    client.is("anna");
    let folder = server.stop();

    let server = Server::start_in(&folder, &[]);
    let mut client = server.connect();
    client.enter("login", "anna", PASSWORD);
    // The wrong password has its wait of a second, which survives the restart.
    let bo = login("bo", PASSWORD);
    while client.ask(bo.clone())["code"] == "too_many_attempts" {}
    client.is("bo");
    assert_eq!(cost_of(&server, "anna"), "m=19456,t=3,p=1");
}

/// The file's lines are rewritten within a minute; this does not wait for that.
#[cfg_attr(windows, ignore = "Wine lets no open file be replaced")]
#[test]
fn an_old_hash_leaves_the_file() {
    let server = Server::start(&[]);
    let (mut client, _) = server.register("anna", PASSWORD);
    let hash_of = |server: &Server| {
        let user = server.last_line(USERS_FILE, "anna");
        user["hash"].as_str().unwrap().to_owned()
    };
    let old = hash_of(&server);
    let reply = client.ask(change_password(PASSWORD, "battery staple"));
    assert_eq!(reply["type"], "session", "{reply}");
    let new = hash_of(&server);
    assert_ne!(old, new);
    let text = |folder: &testbed::Folder| fs::read_to_string(folder.join(USERS_FILE)).unwrap();
    let folder = server.stop();
    assert!(!text(&folder).contains(&old) && text(&folder).contains(&new));

    // A stronger hash of the same password replaces the weaker one likewise.
    let server = Server::start_in(&folder, &["--hash-passes", "3"]);
    server.connect().enter("login", "anna", "battery staple");
    let folder = server.stop();
    assert!(!text(&folder).contains(&new) && text(&folder).contains("t=3"));
}
