//! Clients that say what no honest client would.

use std::io::Write;

use serde_json::json;
use testbed::{NUMBER_KEY, RAW_VALUE_KEY, unfolding_json, unreadable_json};

use crate::server::{PASSWORD, Server, plain};

#[test]
fn json_that_is_no_request_is_refused_and_the_dialogue_goes_on() {
    let server = Server::start(&[]);
    let (mut client, _) = server.register("anna", PASSWORD);
    for text in [
        r#"{"type":"login","user":"anna"}"#,
        r#"{"type":"login","user":"anna","password":12345678}"#,
        r#"{"type":"name","name":"anna"}"#,
        r#"["login","anna","correct horse"]"#,
        r#"{}"#,
        "7",
    ] {
        let reply = client.ask(text);
        assert_eq!(reply["code"], "bad_message", "{text}: {reply}");
        client.is("anna");
    }
    let more = json!({"type": "whoami", "new": [1, 2], "user": "bo"});
    assert_eq!(client.ask(more)["user"], "anna");
}

#[test]
fn what_is_no_message_ends_the_dialogue() {
    let server = Server::start(&[]);
    for wire in [
        &b"\0\0\0\x04anna"[..],
        b"\0\0\0\x02\xff\xfe",
        b"\0\0\x40\x01",
        b"GET / HTTP/1.1\r\n\r\n",
    ] {
        let mut client = server.connect();
        client.socket.write_all(wire).unwrap();
        assert_eq!(client.hear()["code"], "bad_message");
        client.expect_end();
    }
    server.register("anna", PASSWORD);
}

#[test]
fn unknown_fields_may_contain_any_json() {
    let server = Server::start(&[]);
    let (mut client, token) = server.register("anna", PASSWORD);
    for value in unreadable_json() {
        let known = client.ask(format!(r#"{{"type":"resume","token":{value}}}"#));
        assert_eq!(known["code"], "bad_message");
        let unknown = format!(r#"{{"type":"resume","token":"{token}","x":{value}}}"#);
        assert_eq!(client.ask(&unknown)["type"], "session");
        let mut last = server.connect();
        assert_eq!(
            last.ask(&unknown[..unknown.len() - 1])["code"],
            "bad_message"
        );
        last.expect_end();
    }
    client.is("anna");
}

#[test]
fn requests_that_come_together_are_answered_in_order() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    let register = crate::server::register("anna", PASSWORD);
    let requests = [
        plain("whoami"),
        register,
        plain("whoami"),
        plain("exit"),
        plain("whoami"),
    ];
    let mut wire = vec![];
    for request in requests {
        let text = request.to_string();
        wire.extend((text.len() as u32).to_be_bytes());
        wire.extend(text.bytes());
    }
    client.socket.write_all(&wire).unwrap();
    assert_eq!(client.hear()["code"], "not_logged_in");
    assert_eq!(client.hear()["type"], "session");
    assert_eq!(client.hear(), json!({"type": "you_are", "user": "anna"}));
    assert_eq!(client.hear(), json!({"type": "bye"}));
    client.expect_end();
}

#[test]
fn keys_that_a_json_library_reserves_are_ordinary_keys() {
    let server = Server::start(&[]);
    let (mut client, _) = server.register("anna", PASSWORD);
    for key in [RAW_VALUE_KEY, NUMBER_KEY] {
        let unfolding = unfolding_json(key);
        client.is("anna");
        let known = client.ask(format!(r#"{{"type":"resume","token":{unfolding}}}"#));
        assert_eq!(known["code"], "bad_message");
        let no_type = client.ask(json!({"type": {key: "\"whoami\""}}));
        assert_eq!(no_type["code"], "bad_message");
        for value in ["no JSON", "1e", "\"whoami\""] {
            let unknown = client.ask(json!({"type": "whoami", "x": {key: value}}));
            assert_eq!(unknown["user"], "anna", "{unknown}");
        }
        let mut last = server.connect();
        assert_eq!(
            last.ask(format!(r#"{{"type":"exit","x":{unfolding}}}"#)),
            json!({"type": "bye"})
        );
        last.expect_end();
    }
    client.is("anna");
}
