//! Clients that say what no honest client would.

use std::io::Write;

use serde_json::json;
use testbed::{NUMBER_KEY, RAW_VALUE_KEY, unfolding_json, unreadable_json};

use crate::server::{Server, welcome};

fn name(text: &str) -> String {
    json!({"type": "name", "name": text}).to_string()
}

#[test]
fn hostile_names_are_refused_and_the_third_is_the_last() {
    let server = Server::start(&[]);
    let long = "я".repeat(65);
    for (first, second, third) in [
        ("", " \u{3000}\n", "\u{1b}]0;pwned\u{7}"),
        (&long, "a\nb", "a\0b"),
        ("\u{202e}evil", "zero\u{200b}width", "line\u{2028}two"),
    ] {
        let mut client = server.connect_from("127.0.0.1");
        client.hear();
        for text in [first, second, third] {
            let why = client.refused(name(text), "bad_name");
            assert!(why.starts_with("a name has "), "{why}");
            assert!(!why.contains(char::is_control), "{why:?}");
        }
        client.expect_end();
    }
    let reported = server.log().wait_for_nth(3, "client disconnected");
    assert!(
        reported.contains("the client gave too many bad names"),
        "{reported}"
    );
    server.register("127.0.0.1", "Anna");
}

#[test]
fn bad_names_count_on_one_connection_alone() {
    let server = Server::start(&[]);
    let mut client = server.connect_from("127.0.0.1");
    client.hear();
    client.refused(name(""), "bad_name");
    client.refused(name(""), "bad_name");
    let emoji = "😀".repeat(64);
    assert_eq!(client.ask(name(&emoji)), welcome(&emoji));
    client.refused(r#"{"type":"rename","name":""}"#, "bad_name");
    client.expect_end();
    server.greet("127.0.0.1", &emoji);
}

#[test]
fn json_that_is_no_request_is_refused_and_the_dialogue_goes_on() {
    let server = Server::start(&[]);
    let mut client = server.register("127.0.0.1", "Anna");
    for text in [
        r#"{"type":"login","user":"anna","password":"hunter22"}"#,
        r#"{"type":"rename"}"#,
        r#"{"type":"rename","name":7}"#,
        r#"{"type":"rename","name":null}"#,
        r#"{"type":["hunter22"]}"#,
        r#"{"name":"Bo"}"#,
        r#"["exit"]"#,
        r#""exit""#,
        "{}",
        "null",
        "-1.5",
    ] {
        let why = client.refused(text, "bad_message");
        assert!(!why.contains("hunter22"), "{why}");
    }
    let more = r#"{"new":[{}],"type":"rename","name":"Bo","name":"Carl"}"#;
    assert_eq!(client.ask(more), welcome("Carl"));
}

#[test]
fn what_is_not_json_is_refused_and_ends_the_dialogue() {
    let server = Server::start(&[]);
    for (wire, why) in [
        (&b"\0\0\0\x04exit"[..], "the message is not JSON: "),
        (b"\0\0\0\0", "the message is not JSON: "),
        (b"\0\0\0\x01{", "the message is not JSON: "),
        (b"\0\0\0\x02\"\xff", "a payload of 2 bytes is not UTF-8"),
        (
            b"\0\0\x40\x01",
            "a payload of 16385 bytes is over the limit of 16384",
        ),
        (
            b"GET / HTTP/1.1\r\n\r\n",
            "a payload of 1195725856 bytes is over the limit",
        ),
    ] {
        let mut client = server.connect_from("127.0.0.1");
        client.hear();
        client.socket.write_all(wire).unwrap();
        let reply = client.hear();
        assert_eq!(reply["code"], "bad_message");
        assert!(
            reply["message"].as_str().unwrap().starts_with(why),
            "{reply}"
        );
        client.expect_end();
    }
    server.register("127.0.0.1", "Anna");
}

#[test]
fn unknown_fields_may_contain_any_json() {
    let server = Server::start(&[]);
    let mut client = server.register("127.0.0.1", "Anna");
    for value in unreadable_json() {
        let unknown = format!(r#"{{"type":"rename","name":"Bo","x":{value}}}"#);
        assert_eq!(client.ask(&unknown), welcome("Bo"));
        let known = format!(r#"{{"type":"rename","name":{value}}}"#);
        client.refused(&known, "bad_message");
        client.refused(&value, "bad_message");
        let mut other = server.greet("127.0.0.1", "Bo");
        other.refused(&unknown[..unknown.len() - 1], "bad_message");
        other.expect_end();
    }
    server.greet("127.0.0.1", "Bo");
}

#[test]
fn keys_that_a_json_library_reserves_are_ordinary_keys() {
    let server = Server::start(&[]);
    let mut client = server.register("127.0.0.1", "Anna");
    for key in [RAW_VALUE_KEY, NUMBER_KEY] {
        let unfolding = unfolding_json(key);
        client.refused(
            format!(r#"{{"type":"rename","name":{unfolding}}}"#),
            "bad_message",
        );
        client.refused(
            json!({"type": {key: "\"forget\""}}).to_string(),
            "bad_message",
        );
        for value in ["no JSON", "1e", "\"Bo\""] {
            let unknown = json!({"type": "rename", "name": "Anna", "x": {key: value}});
            assert_eq!(client.ask(unknown.to_string()), welcome("Anna"));
        }
        let mut last = server.greet("127.0.0.1", "Anna");
        let bye = last.ask(format!(r#"{{"type":"exit","x":{unfolding}}}"#));
        assert_eq!(bye, json!({"type": "bye"}));
        last.expect_end();
    }
    server.greet("127.0.0.1", "Anna");
}
