//! What strangers and bad members send.

use proptest::prelude::*;
use proto::chat::Json;
use proto::chat::{Body, Data, Datagram, Notice, Reason, Request, SessionId, Trouble};
use std::borrow::Cow;

use super::town::{SETTINGS, Town};
use super::{CALM, STORM, seconds};

#[test]
fn what_is_of_no_session_is_met_with_silence() {
    let mut town = Town::new(1, CALM, SETTINGS);
    town.enter_all(&["Anna", "Boris"]);
    town.run(seconds(1));
    let session = r#""session":"00112233445566778899aabbccddeeff""#;
    let datagrams = [
        format!(
            r#"{{"type":"data",{session},"seq":1,"ack":0,"message":{{"type":"say","text":"I am Anna"}}}}"#
        ),
        format!(r#"{{"type":"ack",{session},"ack":1}}"#),
        format!(r#"{{"type":"ping",{session},"id":1}}"#),
        format!(r#"{{"type":"pong",{session},"id":1}}"#),
        format!(r#"{{"type":"bye",{session},"reason":"quit"}}"#),
        r#"{"type":"challenge","nonce":"00112233445566778899aabbccddeeff","cookie":"x"}"#
            .to_owned(),
        r#"{"type":"hello","version":1,"nonce":"00112233445566778899aabbccddeeff","nick":"x"}"#
            .to_owned(),
        "Привет всем".to_owned(),
        String::new(),
        "x".repeat(60_000),
        "[".repeat(1_200),
        format!("{}1{}", r#"{"a":"#.repeat(126), "}".repeat(126)),
    ];
    let from_anna = town.guests[0].address.to_string();
    let before = town.sent;
    for datagram in &datagrams {
        town.throw(datagram.as_bytes(), "198.51.100.7:1234");
        town.throw(datagram.as_bytes(), &from_anna);
    }
    town.throw(b"\xff\xfe\xfd", "198.51.100.7:1234");
    assert_eq!(town.sent, before);
    assert_eq!(town.room.totals().ignored, 2 * datagrams.len() as u64 + 1);
    town.say(0, "undisturbed");
    town.run(seconds(1));
    assert_eq!(town.guests[1].texts_from("Anna"), ["undisturbed"]);
}

#[test]
fn nested_json_from_a_member_is_only_a_bad_message() {
    let mut town = Town::new(1, CALM, SETTINGS);
    town.enter_all(&["Anna", "Boris"]);
    // A member's own message may be any JSON, up to 127 levels with the datagram around it.
    let nested = [
        format!("{}{}", "[".repeat(126), "]".repeat(126)),
        format!("{}1{}", r#"{"a":"#.repeat(126), "}".repeat(126)),
        r#"{"type":{"$serde_json::private::RawValue":"\"who\""}}"#.to_owned(),
        format!(
            r#"{{"text":{}{},"type":"say"}}"#,
            "[".repeat(125),
            "]".repeat(125)
        ),
    ];
    for message in &nested {
        let message = serde_json::from_str::<Json>(message).unwrap();
        town.ask(0, &message);
    }
    town.run(seconds(1));
    let bad = |notice: &&Notice| {
        matches!(
            notice,
            Notice::Error {
                code: Trouble::BadMessage,
                ..
            }
        )
    };
    let heard = &town.guests[0].heard;
    assert_eq!(heard.iter().filter(bad).count(), nested.len(), "{heard:?}");
    assert_eq!(town.room.members(), 2);
}

#[test]
fn who_floods_has_to_go_and_who_keeps_the_rate_may_stay() {
    let mut town = Town::new(1, CALM, SETTINGS);
    town.enter_all(&["Anna", "Boris", "Flood"]);
    for number in 0..200 {
        town.say(0, &number.to_string());
        town.run(seconds(1) / 38);
    }
    for _ in 0..101 {
        town.say(2, "flood");
    }
    town.run(seconds(10));
    let boris = &town.guests[1];
    assert_eq!(boris.texts_from("Anna").len(), 200);
    assert_eq!(boris.texts_from("Flood").len(), 100);
    let (nick, reason) = ("Flood".to_owned(), Reason::Flooding);
    assert_eq!(boris.heard.last(), Some(&Notice::Left { nick, reason }));
    let end = crate::link::End::PeerLeft(reason);
    assert_eq!(town.guests[2].end, Some(end));
    assert_eq!(town.room.members(), 2);
}

#[test]
fn corrupted_datagrams_harm_nobody() {
    for seed in 0..10 {
        let mut town = Town::new(seed, CALM, SETTINGS);
        town.enter_all(&["Anna", "Boris"]);
        let session = town.guests[0].session();
        let message = Body::new(&Request::Say {
            text: "x".into(),
            more: false,
        })
        .unwrap();
        let data = Data {
            session,
            seq: 1,
            ack: 0,
            ranges: Vec::new(),
            message: Cow::Borrowed(message.as_json()),
        };
        let mut whole = Vec::new();
        Datagram::Data(data).encode(&mut whole).unwrap();
        let weather = crate::weather::Weather {
            corrupted: 1.0,
            ..STORM
        };
        let mut random = crate::weather::Random(seed);
        for _ in 0..2_000 {
            crate::weather::fly(&mut random, &weather, &whole, |_, bytes| {
                town.room
                    .handle(&bytes, "198.51.100.7:1".parse().unwrap(), town.now);
            });
        }
        town.settle();
        town.say(1, "still here");
        town.run(seconds(30));
        assert!(town.guests.iter().all(|guest| guest.end.is_none()));
        assert_eq!(town.room.members(), 2);
    }
}

proptest! {
    #[test]
    fn any_bytes_leave_the_room_as_it_was(
        bytes in proptest::collection::vec(any::<u8>(), 0..1_300),
        text in "\\{\"type\":\"(data|ack|bye|hello)\",\"(session|nonce|nick)\":(\"[0-9a-f]{32}\"|1)[,}].{0,40}",
    ) {
        let mut town = Town::new(1, CALM, SETTINGS);
        town.throw(&bytes, "198.51.100.7:1");
        town.throw(text.as_bytes(), "198.51.100.7:1");
        prop_assert_eq!(town.sent, (0, 0));
        prop_assert_eq!(town.room.deadline(), None);
        let session = SessionId::from_bytes([0; 16]);
        prop_assert!(!town.room.sessions.contains_key(&session));
    }
}
