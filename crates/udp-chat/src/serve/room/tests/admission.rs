//! Who is let in, who is not, and who comes back.

use proto::chat::{
    Datagram, Hello, MAX_DATAGRAM_BYTES, Nonce, Notice, Refusal, SessionId, VERSION,
};

use super::super::{RoomEvent, RoomSettings};
use super::town::{SETTINGS, Town};
use super::{CALM, seconds};

const NONCE: Nonce = Nonce::from_bytes([9; 16]);

fn hello(cookie: Option<String>, session: Option<SessionId>) -> Vec<u8> {
    let nick = "Zoe".to_owned();
    let version = VERSION;
    let hello = Hello {
        version,
        nonce: NONCE,
        nick,
        session,
        cookie,
    };
    let mut bytes = Vec::new();
    Datagram::Hello(hello).encode(&mut bytes).unwrap();
    bytes
}

/// What the room answers at once.
fn answers(town: &mut Town, bytes: &[u8], from: &str) -> Vec<Vec<u8>> {
    town.room.handle(bytes, from.parse().unwrap(), town.now);
    let mut answers = Vec::new();
    while let Some(transmit) = town.room.poll_transmit(town.now) {
        assert_eq!(transmit.to, from.parse().unwrap());
        answers.push(transmit.bytes.to_vec());
    }
    answers
}

fn challenge(town: &mut Town, from: &str) -> String {
    let answers = answers(town, &hello(None, None), from);
    match Datagram::decode(&answers[0]) {
        Ok(Datagram::Challenge(challenge)) if answers.len() == 1 => challenge.cookie,
        other => panic!("{other:?}"),
    }
}

fn welcome(answer: &[u8]) -> Option<SessionId> {
    match Datagram::decode(answer) {
        Ok(Datagram::Welcome(welcome)) => Some(welcome.session),
        _ => None,
    }
}

#[test]
fn a_forged_hello_leaves_nothing_and_draws_less_than_it_cost() {
    let mut town = Town::new(1, CALM, SETTINGS);
    for victim in 0..1_000 {
        let from = format!("198.51.100.1:{}", 1_000 + victim);
        let cookies = [None, Some("made up".to_owned()), Some("0".repeat(42))];
        for cookie in cookies {
            let answers = answers(&mut town, &hello(cookie, None), &from);
            let bytes: usize = answers.iter().map(Vec::len).sum();
            assert!(bytes <= MAX_DATAGRAM_BYTES / 5, "{bytes} bytes");
        }
    }
    assert!(town.room.members.is_empty() && town.room.sessions.is_empty());
    assert!(town.room.welcomes.is_empty());
    assert_eq!(town.room.deadline(), None, "nothing is to be sent ever");
    assert_eq!(town.room.poll_event(), None);
}

#[test]
fn a_cookie_is_good_for_one_address_and_one_welcome() {
    let mut town = Town::new(1, CALM, SETTINGS);
    let here = "203.0.113.1:4000";
    let cookie = challenge(&mut town, here);
    let with_cookie = hello(Some(cookie.clone()), None);

    let elsewhere = answers(&mut town, &with_cookie, "203.0.113.2:4000");
    assert!(matches!(
        Datagram::decode(&elsewhere[0]),
        Ok(Datagram::Challenge(_))
    ));
    let first = answers(&mut town, &with_cookie, here);
    assert_eq!(first, answers(&mut town, &with_cookie, here));
    let session = welcome(&first[0]).unwrap();
    assert_eq!(town.room.members(), 1);

    // Neither does a hello that was very late let anybody in who has left.
    let quit = format!(
        r#"{{"type":"bye","session":{},"reason":"quit"}}"#,
        json(session)
    );
    answers(&mut town, quit.as_bytes(), here);
    assert_eq!(town.room.members(), 0);
    assert_eq!(first, answers(&mut town, &with_cookie, here));
    assert_eq!(town.room.members(), 0);
    assert!(town.room.members.is_empty() && town.room.sessions.is_empty());

    town.run(seconds(16));
    let stale = answers(&mut town, &with_cookie, here);
    assert!(matches!(
        Datagram::decode(&stale[0]),
        Ok(Datagram::Challenge(_))
    ));
}

#[test]
fn what_cannot_be_granted_is_refused() {
    let settings = RoomSettings {
        max_members: 2,
        ..SETTINGS
    };
    let mut town = Town::new(1, CALM, settings);
    town.enter_all(&["Anna"]);
    for (nick, code) in [
        ("ANNA", Refusal::NickTaken),
        ("Аnnа", Refusal::NickTaken),
        ("", Refusal::BadNick),
        ("a b", Refusal::BadNick),
        ("\u{1b}[2J", Refusal::BadNick),
        ("\u{202e}annA", Refusal::BadNick),
        (&"я".repeat(33), Refusal::BadNick),
    ] {
        let guest = town.enter(nick);
        town.run(seconds(1));
        assert_eq!(town.guests[guest].refused, Some(code), "{nick:?}");
    }
    let hostile = town.events.iter().map(ToString::to_string);
    assert!(
        hostile
            .into_iter()
            .all(|line| !line.contains(['\u{1b}', '\u{202e}']))
    );
    let boris = town.enter("Boris");
    let clara = town.enter("Clara");
    town.run(seconds(1));
    assert_eq!(town.guests[boris].refused, None);
    assert_eq!(town.guests[clara].refused, Some(Refusal::Full));
    town.room.stop(town.now);
    let dora = town.enter("Dora");
    town.run(seconds(1));
    assert_eq!(town.guests[dora].refused, Some(Refusal::Stopping));
}

#[test]
fn another_version_is_told_so() {
    let mut town = Town::new(1, CALM, SETTINGS);
    let here = "203.0.113.1:4000";
    let cookie = challenge(&mut town, here);
    let bytes = hello(Some(cookie), None);
    let text = String::from_utf8(bytes)
        .unwrap()
        .replace(r#""version":1"#, r#""version":2"#);
    let answer = answers(&mut town, text.as_bytes(), here);
    assert!(String::from_utf8_lossy(&answer[0]).contains("bad_version"));
}

#[test]
fn who_comes_back_goes_on() {
    let mut town = Town::new(1, CALM, SETTINGS);
    town.enter_all(&["Anna", "Boris"]);
    let session = town.guests[0].session();
    town.guests[0].is_there = false;
    town.say(1, "while you were away");
    town.run(seconds(30));
    // Behind another address, with a link that never ended.
    town.guests[0].address = "198.51.100.7:1234".parse().unwrap();
    town.guests[0].is_there = true;
    town.knock(0, Some(session));
    town.run(seconds(2));
    assert_eq!(town.guests[0].session(), session);
    town.say(0, "back");
    town.run(seconds(2));
    assert_eq!(town.guests[0].texts_from("Boris"), ["while you were away"]);
    assert_eq!(town.guests[1].texts_from("Anna"), ["back"]);
    let (nick, address) = ("Anna".to_owned(), town.guests[0].address);
    assert!(town.events.contains(&RoomEvent::CameBack { nick, address }));
}

#[test]
fn a_member_is_where_it_last_wrote_from() {
    let mut town = Town::new(1, CALM, SETTINGS);
    town.enter_all(&["Anna", "Boris"]);
    town.guests[0].address = "198.51.100.7:1234".parse().unwrap();
    town.say(0, "from elsewhere");
    town.run(seconds(1));
    town.say(1, "I hear you");
    town.run(seconds(1));
    assert_eq!(town.guests[0].texts_from("Boris"), ["I hear you"]);
}

#[test]
fn after_a_restart_who_comes_back_starts_afresh_under_its_nick() {
    let mut town = Town::new(1, CALM, SETTINGS);
    town.enter_all(&["Anna", "Boris"]);
    let old = town.guests[0].session();
    town.restart();
    town.knock(0, Some(old));
    town.run(seconds(1));
    let new = town.guests[0].session();
    assert_ne!(new, old);

    // Had the welcome been lost for good, it would know its old session only, and be somewhere
    // else by now: its nick is its own all the same.
    town.guests[0].address = "198.51.100.7:1234".parse().unwrap();
    town.guests[0].link = None;
    town.knock(0, Some(old));
    town.run(seconds(1));
    assert_eq!(town.guests[0].refused, None);
    assert_eq!(town.guests[0].session(), new);
    assert_eq!(town.room.members(), 1);

    let old = town.guests[1].session();
    town.knock(1, Some(old));
    town.run(seconds(1));
    town.say(1, "here again");
    town.run(seconds(1));
    assert_eq!(town.guests[0].texts_from("Boris"), ["here again"]);
    assert!(matches!(&town.guests[0].heard[0], Notice::Joined { nick } if nick == "Boris"));
}

fn json(session: SessionId) -> String {
    serde_json::to_string(&session).unwrap()
}
