//! A session against a server of one member, on a clock of its own.

mod outage;
mod world;

use std::borrow::Cow;
use std::time::Duration;

use proptest::prelude::*;
use proto::chat::{Ack, Body, Challenge, Data, Kind, Notice, SessionId, Welcome};

use super::*;
use world::{Door, World};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn said(id: u64, text: &str) -> Notice {
    Notice::Said {
        id,
        at: 1,
        from: "bo".into(),
        kind: Kind::Say,
        text: text.into(),
        more: false,
        history: false,
    }
}

#[test]
fn joining_takes_two_hellos_and_then_all_is_confirmed() {
    let mut world = World::joined();
    assert_eq!(world.server.hellos, 2);
    world.say("hi");
    assert!(!world.session.is_settled(), "the acknowledgement may wait");
    world.server.post(&said(1, "hello"));
    world.run(seconds(1));
    assert!(world.session.is_settled());
    assert_eq!(world.server.texts(), ["hi"]);
    assert_eq!(world.take_lines(), ["<bo> hello"]);
    world.session.leave(world.now);
    world.run(seconds(1));
    assert_eq!(world.session.end(), Some(&End::Left));
}

#[test]
fn the_end_waits_for_the_history_as_long_as_it_comes() {
    let mut world = World::new();
    world.server.tells_who = false;
    world.settle();
    world.run(seconds(3));
    assert!(world.session.is_joined() && !world.session.is_settled());
    let history = Notice::Said {
        id: 1,
        at: 1,
        from: "bo".into(),
        kind: Kind::Say,
        text: "past".into(),
        more: false,
        history: true,
    };
    world.server.post(&history);
    world.settle();
    assert!(!world.session.is_settled() && world.session.progress_at() == world.now);
    world.server.tell_who();
    world.settle();
    assert!(world.session.is_settled());
}

#[test]
fn a_server_that_is_not_there_is_asked_for_30_seconds() {
    let mut world = World::new();
    world.server.up = false;
    world.run(seconds(29));
    assert_eq!(world.session.end(), None);
    world.run(seconds(1));
    assert_eq!(world.session.end(), Some(&End::NoAnswer));
}

#[test]
fn a_server_that_comes_late_is_joined() {
    let mut world = World::new();
    world.server.up = false;
    world.say("early");
    world.run(seconds(20));
    world.server.up = true;
    world.run(seconds(2));
    assert!(world.session.is_joined());
    assert_eq!(world.server.texts(), ["early"]);
}

#[test]
fn a_refusal_ends_the_first_joining_at_once() {
    let mut world = World::new();
    world.server.door = Door::Refuses(Refusal::NickTaken);
    world.settle();
    let (code, message) = (Refusal::NickTaken, "no".to_owned());
    assert_eq!(world.session.end(), Some(&End::Refused { code, message }));
}

#[test]
fn a_server_that_stops_refuses_who_joins() {
    let mut world = World::new();
    world.server.door = Door::Refuses(Refusal::Stopping);
    world.settle();
    let (code, message) = (Refusal::Stopping, "no".to_owned());
    assert_eq!(world.session.end(), Some(&End::Refused { code, message }));
}

#[test]
fn a_long_text_is_told_once_when_it_is_not_confirmed() {
    let mut world = World::joined();
    world.server.up = false;
    let long = "long ".repeat(800);
    world.say(&long);
    world.say("short");
    let lost: Vec<_> = world
        .session
        .give_up()
        .map(|shown| shown.to_string())
        .collect();
    assert_eq!(
        lost,
        [
            format!("! not confirmed: {long}"),
            "! not confirmed: short".into()
        ]
    );
    assert!(world.session.is_settled());
}

#[test]
fn what_nobody_shows_stays_with_the_server() {
    let mut world = World::joined();
    for id in 0..1_000 {
        world.server.post(&said(id, "more"));
    }
    let mut bytes = Vec::new();
    for _ in 0..10_000 {
        for datagram in world.server.tell(world.now) {
            let datagram = Datagram::decode(&datagram).unwrap();
            world.session.handle(&datagram, world.now);
        }
        while let Some(datagram) = world.session.poll_transmit(world.now) {
            datagram.encode(&mut bytes).unwrap();
            world.server.handle(&bytes, world.now);
        }
    }
    assert!(world.session.shown.len() <= MAX_SHOWN);
    world.run(seconds(60));
    assert_eq!(world.take_lines().len(), 1_000);
}

#[test]
fn ones_own_rename_is_told_as_such_and_another_s_as_another_s() {
    let mut world = World::joined();
    let renamed = |old: &str, new: &str| Notice::Renamed {
        old: old.into(),
        new: new.into(),
    };
    world.server.post(&renamed("me", "I"));
    world.server.post(&renamed("bo", "me"));
    world.settle();
    assert_eq!(world.take_lines(), ["* you are I", "* bo is now me"]);
}

proptest! {
    #[test]
    fn no_server_makes_it_panic_or_hoard(
        said in prop::collection::vec((0..9usize, 0..70u64, 0..5_000u64, "\\PC{0,20}"), 0..60),
    ) {
        let mut world = World::new();
        for (kind, number, pause, text) in said {
            // The nonces are 1, 2 and so on, and the sessions, too.
            let (nonce, session) = (number as u8 % 4, number as u8 % 3);
            let nonce = Nonce::from_bytes([nonce; 16]);
            let session = SessionId::from_bytes([session; 16]);
            let message = Body::new(&said_by(&text, number)).unwrap();
            let (nick, cookie, ack) = (text.clone(), text.clone(), number / 2);
            let datagram = match kind {
                0 => Datagram::Challenge(Challenge { nonce, cookie }),
                1 => Datagram::Welcome(Welcome { nonce, session, nick }),
                2 => {
                    let (code, message) = (Refusal::Stopping, text);
                    Datagram::Refused(Refused { nonce, code, message })
                }
                3 => Datagram::Bye(Bye { session, reason: Reason::Stopping }),
                4 => Datagram::Bye(Bye { session, reason: Reason::TimedOut }),
                5 => Datagram::Ack(Ack { session, ack, ranges: vec![] }),
                6 => {
                    let wish = Wish::Say(text);
                    if world.session.has_room() {
                        world.session.ask(wish, world.now).unwrap();
                    }
                    continue;
                }
                _ => Datagram::Data(Data {
                    session,
                    seq: number,
                    ack: 0,
                    ranges: vec![],
                    message: Cow::Borrowed(message.as_json()),
                }),
            };
            world.session.handle(&datagram, world.now);
            world.server.up = false;
            world.run(Duration::from_millis(pause));
            prop_assert!(world.session.shown.len() <= 2 * MAX_SHOWN);
        }
        world.session.leave(world.now);
        world.run(seconds(20));
        prop_assert!(world.session.end().is_some(), "there is always a way out");
    }
}

fn said_by(from: &str, id: u64) -> Notice {
    Notice::Said {
        id,
        at: id,
        from: from.into(),
        kind: Kind::Me,
        text: from.into(),
        more: id.is_multiple_of(3),
        history: id.is_multiple_of(2),
    }
}
