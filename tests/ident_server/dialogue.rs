//! What is said between the server and its clients.

use std::net::TcpListener;

use proto::FramedSocket;
use serde_json::{Value, json};

use crate::server::{Server, welcome};

const WHOAMI: &str = r#"{"type":"whoami"}"#;

fn rename(name: &str) -> Value {
    json!({"type": "rename", "name": name})
}

#[test]
fn two_addresses_are_two_clients() {
    let server = Server::start(&[]);
    server.register("127.0.0.1", "Аня");
    server.register("127.0.0.2", "Bo");
    let mut first = server.greet("127.0.0.1", "Аня");
    let mut second = server.greet("127.0.0.2", "Bo");
    let you_are = |name, address| json!({"type": "you_are", "name": name, "address": address});
    assert_eq!(first.ask(WHOAMI), you_are("Аня", "127.0.0.1"));
    assert_eq!(second.ask(WHOAMI), you_are("Bo", "127.0.0.2"));
}

#[test]
fn a_mapped_address_is_the_one_it_maps() {
    if TcpListener::bind("[::]:0").is_err() {
        eprintln!("skipped: this machine has no IPv6");
        return;
    }
    let mut server = Server::start(&["--host", "::"]);
    server.address.set_ip("127.0.0.1".parse().unwrap());
    let mut client = server.register("127.0.0.1", "Four");
    assert_eq!(client.ask(WHOAMI)["address"], "127.0.0.1");
    server.address.set_ip("::ffff:127.0.0.1".parse().unwrap());
    server.greet("::ffff:127.0.0.1", "Four");
    server.address.set_ip("::1".parse().unwrap());
    let mut client = server.register("::1", "Six");
    assert_eq!(client.ask(WHOAMI)["address"], "::1");
}

#[test]
fn a_client_is_renamed_and_forgotten() {
    let server = Server::start(&[]);
    let mut client = server.register("127.0.0.1", "Anna");
    assert_eq!(client.ask(rename(" Andre\u{301} ")), welcome("Andr\u{e9}"));
    assert_eq!(client.ask(WHOAMI)["name"], "Andr\u{e9}");
    // A known client is known already, whatever name it gives.
    assert_eq!(
        client.ask(r#"{"type":"name","name":""}"#),
        welcome("Andr\u{e9}")
    );
    assert_eq!(
        client.ask(r#"{"type":"forget"}"#),
        json!({"type": "forgotten"})
    );

    let not_known = r#"this address has no name yet; send one with "name""#;
    for text in [WHOAMI, r#"{"type":"forget"}"#, &rename("Bo").to_string()] {
        assert_eq!(client.refused(text, "not_known"), not_known);
    }
    assert_eq!(client.ask(r#"{"type":"name","name":"Bo"}"#), welcome("Bo"));
    assert_eq!(client.ask(r#"{"type":"exit"}"#), json!({"type": "bye"}));
    client.expect_end();
    server.greet("127.0.0.1", "Bo");
}

#[test]
fn all_connections_of_an_address_are_one_client() {
    let server = Server::start(&[]);
    let mut asked = server.connect_from("127.0.0.1");
    assert_eq!(asked.hear(), json!({"type": "who_are_you"}));
    let mut known = server.register("127.0.0.1", "Anna");
    assert_eq!(asked.ask(r#"{"type":"name","name":"Bo"}"#), welcome("Anna"));
    assert_eq!(known.ask(rename("Carl")), welcome("Carl"));
    assert_eq!(asked.ask(WHOAMI)["name"], "Carl");
    asked.ask(r#"{"type":"forget"}"#);
    known.refused(WHOAMI, "not_known");
}

#[test]
fn requests_that_come_together_are_answered_in_order() {
    let server = Server::start(&[]);
    let mut client = server.register("127.0.0.1", "Anna");
    let wire = {
        let mut wire = std::io::Cursor::new(vec![]);
        wire.send_text(WHOAMI).unwrap();
        wire.send_json(&rename("Bo")).unwrap();
        wire.send_text(WHOAMI).unwrap();
        wire.send_text(r#"{"type":"exit"}"#).unwrap();
        wire.send_text(WHOAMI).unwrap();
        wire.into_inner()
    };
    std::io::Write::write_all(&mut client.socket, &wire).unwrap();
    assert_eq!(client.hear()["name"], "Anna");
    assert_eq!(client.hear(), welcome("Bo"));
    assert_eq!(client.hear()["name"], "Bo");
    assert_eq!(client.hear(), json!({"type": "bye"}));
    client.expect_end();
    // The first answer did not wait for the disk; the others left together.
    let sent = server.log().wait_for(": 3 messages");
    assert!(sent.contains(" sent "), "{sent}");
}

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn every_event_is_reported() {
    let server = Server::start(&[]);
    let mut client = server.register("127.0.0.1", "Аня");
    let peer = client.socket.local_addr().unwrap();
    client.ask(rename("\"Bo\\"));
    client.ask(r#"{"type":"forget"}"#);
    client.ask(r#"{"type":"exit"}"#);
    client.expect_end();
    let log = server.log();
    log.wait_for("client disconnected");
    server.stop();
    let text = log.text();
    let mut messages = text.lines().map(|line| line.split_once("] ").unwrap().1);
    for start in [
        "server started: ident-server ",
        "up to ",
        "clients known from data/clients.jsonl: 0",
        "listening on 127.0.0.1:",
        &format!("client connected: {peer} (connection 1), 1 connected now"),
        &format!("asked {peer} (connection 1) for its name"),
        &format!("sent 26 bytes to {peer} (connection 1): 1 message"),
        &format!("received 35 bytes from {peer} (connection 1): 1 message"),
        &format!("greeted {peer} (connection 1) as \"Аня\""),
        &format!("sent 38 bytes to {peer} (connection 1): 1 message"),
        "received ",
        &format!(r#"renamed {peer} (connection 1) to "\"Bo\\""#),
        "sent ",
        "received ",
        &format!("forgot {peer} (connection 1)"),
        "sent ",
        "received ",
        "sent ",
        &format!("client disconnected: {peer} (connection 1): the client said exit; received "),
        "server stopped: served 1 client, received ",
    ] {
        let message = messages.next().unwrap_or("the end of the log");
        assert!(message.starts_with(start), "{start:?} in {text}");
    }
    assert_eq!(messages.next(), None);
}
