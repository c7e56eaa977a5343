//! What a token opens, and until when.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::server::{
    Client, PASSWORD, SESSIONS_FILE, Server, change_password, login, plain, register, resume,
};

/// Waits until a moment in Unix seconds: only time ends a session.
fn wait_until(unix_seconds: u64) {
    let moment = UNIX_EPOCH + Duration::from_secs(unix_seconds);
    if let Ok(wait) = moment.duration_since(SystemTime::now()) {
        thread::sleep(wait);
    }
}

fn unix_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

fn ids(client: &mut Client) -> Vec<String> {
    let reply = client.ask(plain("sessions"));
    let sessions = reply["sessions"].as_array().unwrap().iter();
    sessions
        .map(|session| session["id"].as_str().unwrap().to_owned())
        .collect()
}

fn is_over(server: &Server, token: &str) {
    let words = server.connect().refused(resume(token), "session_expired");
    assert_eq!(words, "the session is over; log in again");
}

#[test]
fn a_token_goes_on_with_its_session() {
    let server = Server::start(&[]);
    let (mut first, token) = server.register("Anna", PASSWORD);
    assert_eq!(token.len(), 43);
    first.is("Anna");
    let mut second = server.connect_from("127.0.0.2");
    second.refused(plain("whoami"), "not_logged_in");
    let reply = second.ask(resume(&token));
    assert_eq!(
        (&reply["type"], &reply["user"]),
        (&json!("session"), &json!("Anna"))
    );
    assert_eq!(reply.get("token"), None);
    second.is("Anna");
    second.refused(resume(&"A".repeat(43)), "session_expired");
    second.is("Anna");
    let reply = second.ask(plain("sessions"));
    let session = &reply["sessions"][0];
    assert_eq!(session["address"], "127.0.0.1");
    assert_eq!(session["current"], true);
    assert_eq!(ids(&mut first).len(), 1);
    assert_eq!(second.ask(plain("exit")), json!({"type": "bye"}));
    second.expect_end();
    first.is("Anna");
}

#[test]
fn no_other_token_opens_anything() {
    let (server, other) = (Server::start(&[]), Server::start(&[]));
    let (_, token) = server.register("anna", PASSWORD);
    other.register("anna", PASSWORD);
    for at in [0, 20, 42] {
        let digit = if &token[at..=at] == "A" { "B" } else { "A" };
        let mut changed = token.clone();
        changed.replace_range(at..=at, digit);
        is_over(&server, &changed);
    }
    let id = server.register("bo", PASSWORD).1;
    for text in ["", "anna", &token[..42], &format!("{token}A"), &id[..12]] {
        is_over(&server, text);
    }
    is_over(&other, &token);
    // A failure leaves the connection in the session that it had.
    let mut client = server.connect();
    client.ask(resume(&token));
    client.refused(resume(&id[..12]), "session_expired");
    client.is("anna");
}

#[test]
fn logging_out_ends_one_session_or_all() {
    let server = Server::start(&[]);
    let (mut first, first_token) = server.register("anna", PASSWORD);
    let mut second = server.connect();
    let second_token = second.enter("login", "anna", PASSWORD);
    let mut third = server.connect();
    let third_token = third.enter("login", "anna", PASSWORD);

    assert_eq!(first.ask(plain("logout")), json!({"type": "logged_out"}));
    first.refused(plain("whoami"), "not_logged_in");
    is_over(&server, &first_token);
    second.is("anna");

    assert_eq!(
        second.ask(plain("logout_all")),
        json!({"type": "logged_out"})
    );
    second.refused(plain("whoami"), "not_logged_in");
    third.refused(plain("whoami"), "session_expired");
    third.refused(plain("whoami"), "not_logged_in");
    is_over(&server, &second_token);
    is_over(&server, &third_token);
}

#[test]
fn a_session_can_be_revoked_from_another_by_its_user_alone() {
    let server = Server::start(&[]);
    let (mut lost, token) = server.register("anna", PASSWORD);
    let lost_id = ids(&mut lost).remove(0);
    let mut client = server.connect();
    client.enter("login", "anna", PASSWORD);
    let (mut stranger, _) = server.register("bo", PASSWORD);
    let revoke = json!({"type": "revoke", "id": lost_id});

    stranger.refused(revoke.clone(), "no_such_session");
    lost.is("anna");
    assert_eq!(
        client.ask(revoke.clone()),
        json!({"type": "revoked", "id": lost_id})
    );
    client.refused(revoke, "no_such_session");
    lost.refused(plain("whoami"), "session_expired");
    is_over(&server, &token);
    assert_eq!(ids(&mut client).len(), 1);

    let own = ids(&mut client).remove(0);
    client.ask(json!({"type": "revoke", "id": own}));
    client.refused(plain("whoami"), "not_logged_in");
}

#[test]
fn a_password_change_ends_all_other_sessions() {
    let server = Server::start(&[]);
    let (mut client, first_token) = server.register("anna", PASSWORD);
    let mut other = server.connect();
    let other_token = other.enter("login", "anna", PASSWORD);

    let wrong = change_password("wrong horse", "battery staple");
    let words = client.refused(wrong, "bad_credentials");
    assert_eq!(words, "the old password is wrong");
    other.is("anna");
    // The failure makes it wait.
    wait_until(unix_now() + 2);
    let reply = client.ask(change_password(PASSWORD, "battery staple"));
    let token = reply["token"].as_str().expect("a token").to_owned();
    client.is("anna");
    other.refused(plain("whoami"), "session_expired");
    is_over(&server, &first_token);
    is_over(&server, &other_token);
    assert_eq!(ids(&mut client).len(), 1);

    let folder = server.kill();
    let server = Server::start_in(&folder, &[]);
    is_over(&server, &other_token);
    server.connect().ask(resume(&token));
    let mut client = server.connect();
    client.enter("login", "anna", "battery staple");
    client.refused(login("anna", PASSWORD), "bad_credentials");
}

#[test]
fn a_session_ends_when_nothing_is_heard_from_it() {
    let server = Server::start(&["--session-idle", "3"]);
    let mut client = server.connect();
    let reply = client.ask(register("anna", PASSWORD));
    let [token, expires_at] = ["token", "expires_at"].map(|field| reply[field].clone());
    let token = token.as_str().unwrap();
    let id = ids(&mut client).remove(0);

    // Each request moves the end on.
    wait_until(expires_at.as_u64().unwrap() - 2);
    let later = server.connect().ask(resume(token))["expires_at"].clone();
    assert!(later.as_u64() > expires_at.as_u64(), "{later} {expires_at}");
    wait_until(later.as_u64().unwrap());
    client.refused(plain("whoami"), "session_expired");
    is_over(&server, token);
    server
        .log()
        .wait_for("sessions that have ended and were removed: 1");
    assert_eq!(server.last_line(SESSIONS_FILE, &id), Value::Null);
}

#[test]
fn a_session_ends_in_the_end_whatever_is_heard_from_it() {
    let server = Server::start(&["--session-max", "3"]);
    let mut client = server.connect();
    let reply = client.ask(register("anna", PASSWORD));
    let end = reply["expires_at"].as_u64().unwrap();
    let resumed = client.ask(resume(reply["token"].as_str().unwrap()));
    assert_eq!(resumed["expires_at"], end);
    wait_until(end - 2);
    client.is("anna");
    wait_until(end);
    client.refused(plain("whoami"), "session_expired");
}
