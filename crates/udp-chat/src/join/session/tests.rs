//! A session against a server of one member, on a clock of its own.

mod outage;
mod sim_server;

use std::time::Duration;

use chat_link::message::{ErrorCode, Kind, Member, Notice};
use proptest::prelude::*;

use super::*;
use sim_server::{Door, SERVER, Sim, address, own_key};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn key(number: u8) -> chat_link::KeyId {
    PublicKey::from_bytes([number; 32]).key_id()
}

fn said(id: u64, text: &str) -> Notice {
    Notice::Said {
        id,
        at: 1,
        from: "bo".into(),
        key: key(9),
        kind: Kind::Say,
        text: text.into(),
        history: false,
    }
}

#[test]
fn a_member_joins_talks_and_leaves() {
    let mut sim = Sim::joined();
    sim.say("hi");
    sim.server.post(&said(1, "hello"), sim.now);
    sim.run(seconds(1));
    assert!(sim.session.is_all_answered());
    assert_eq!(sim.server.texts(), ["hi"]);
    assert_eq!(sim.take_lines(), ["<bo> hello"]);
    sim.session.leave(sim.now);
    sim.run(seconds(1));
    assert_eq!(sim.session.end(), Some(&End::Left));
}

#[test]
fn nothing_of_the_member_leaves_before_the_server_is_trusted() {
    let mut sim = Sim::new();
    for _ in 0..10 {
        sim.session.handle_timeout(sim.now);
        let mut datagram = Vec::new();
        while sim.session.poll_transmit(sim.now, &mut datagram).is_some() {
            for answer in sim.server.handle(&datagram, sim.now) {
                sim.session.handle(&answer, address(SERVER), sim.now);
            }
        }
    }
    let key = sim.session.take_server_key().unwrap();
    assert_eq!(key, sim.server.key());
    assert!(sim.server.nicks.is_empty());
    // A person thinks for minutes; then another handshake is begun.
    sim.session.pause();
    sim.now += seconds(300);
    sim.session.handle_timeout(sim.now);
    assert_eq!(sim.session.end(), None);
    assert_eq!(sim.session.deadline(), None);
    sim.session.trust(key, sim.now);
    sim.settle();
    assert_eq!(sim.server.nicks, ["me"]);
    assert_eq!(sim.take_lines(), ["* you are me"]);
}

#[test]
fn the_end_waits_for_the_history_as_long_as_it_comes() {
    let mut sim = Sim::new();
    sim.server.catches_up = false;
    sim.run(seconds(3));
    assert!(sim.session.is_joined() && !sim.session.is_all_answered());
    let mut past = said(1, "past");
    if let Notice::Said { history, .. } = &mut past {
        *history = true;
    }
    sim.server.post(&past, sim.now);
    sim.settle();
    assert!(!sim.session.is_all_answered() && sim.session.progress_at() == sim.now);
    sim.server.post(&Notice::CaughtUp, sim.now);
    sim.settle();
    assert!(sim.session.is_all_answered());
}

#[test]
fn a_server_that_is_not_there_is_reported_after_5_seconds() {
    let mut sim = Sim::new();
    sim.server.is_up = false;
    sim.say("early");
    sim.run(Duration::from_millis(4_900));
    assert_eq!(sim.session.end(), None);
    sim.run(Duration::from_millis(200));
    assert_eq!(sim.session.end(), Some(&End::NoAnswer));
}

#[test]
fn a_server_that_comes_late_gets_what_was_typed_before() {
    let mut sim = Sim::new();
    sim.server.is_up = false;
    sim.say("early");
    sim.run(seconds(3));
    sim.server.is_up = true;
    sim.run(seconds(2));
    assert!(sim.session.is_joined());
    assert_eq!(sim.server.texts(), ["early"]);
}

#[test]
fn a_refused_first_join_ends_at_once_and_another_nick_can_be_tried() {
    for code in [
        RefusalCode::NickTaken,
        RefusalCode::Stopping,
        RefusalCode::Banned,
    ] {
        let mut sim = Sim::new();
        sim.server.door = Door::Refuses(code);
        sim.settle();
        let (message, versions) = ("no".to_owned(), vec![]);
        assert_eq!(
            sim.session.end(),
            Some(&End::Refused {
                code,
                message,
                versions
            })
        );
        sim.server.door = Door::Open;
        sim.session.join_as("other", sim.now);
        sim.settle();
        assert_eq!(sim.take_lines(), ["* you are other"]);
    }
}

#[test]
fn undisplayed_texts_stay_at_the_server() {
    let mut sim = Sim::joined();
    for id in 0..1_000 {
        sim.server.post(&said(id, "more"), sim.now);
    }
    let mut datagram = Vec::new();
    for _ in 0..2_000 {
        sim.now += Duration::from_millis(5);
        for bytes in sim.server.transmit(sim.now) {
            sim.session.handle(&bytes, address(SERVER), sim.now);
        }
        sim.session.handle_timeout(sim.now);
        while sim.session.poll_transmit(sim.now, &mut datagram).is_some() {
            sim.server.handle(&datagram, sim.now);
        }
    }
    // A datagram may bring several messages at once.
    assert!(
        sim.session.events.len() <= 2 * MAX_EVENTS,
        "{}",
        sim.session.events.len()
    );
    sim.run(seconds(60));
    assert_eq!(sim.take_lines().len(), 1_000);
}

#[test]
fn ones_own_rename_is_shown_as_such_and_another_s_as_another_s() {
    let mut sim = Sim::joined();
    let renamed = |old: &str, new: &str, key| Notice::Renamed {
        old: old.into(),
        new: new.into(),
        key,
    };
    sim.server.post(&renamed("me", "I", own_key()), sim.now);
    sim.server.post(&renamed("bo", "me", key(9)), sim.now);
    sim.settle();
    assert_eq!(sim.take_lines(), ["* you are I", "* bo is now me"]);
}

#[test]
fn a_private_text_is_not_sent_when_the_nick_has_another_owner() {
    let mut sim = Sim::joined();
    let bo = |number| Member {
        nick: "bo".into(),
        key: key(number),
        plaintext: false,
    };
    let private = || Outgoing::Private {
        to: "bo".into(),
        text: "psst".into(),
    };
    sim.server.post(&Notice::Joined(bo(9)), sim.now);
    sim.server.post(&said(1, "hi"), sim.now);
    sim.settle();
    sim.session.ask(private(), sim.now).unwrap();
    let reason = CloseReason::Quit;
    sim.server.post(
        &Notice::Left {
            nick: "bo".into(),
            key: key(9),
            reason,
        },
        sim.now,
    );
    sim.server.post(&Notice::Joined(bo(8)), sim.now);
    sim.run(seconds(1));
    let error = sim.session.ask(private(), sim.now).unwrap_err();
    assert!(error.to_string().starts_with("bo is another person now"));
    sim.session.ask(private(), sim.now).unwrap();
    sim.run(seconds(1));
    let keys = sim.server.said.iter().map(|request| match request {
        Request::Private { key, .. } => *key,
        other => panic!("{other:?}"),
    });
    assert_eq!(keys.collect::<Vec<_>>(), [Some(key(9)), Some(key(8))]);
}

#[test]
fn a_text_is_done_when_it_is_answered() {
    let mut sim = Sim::joined();
    sim.server.confirms = false;
    sim.say("hi");
    sim.run(seconds(1));
    assert!(!sim.session.is_all_answered());
    assert_eq!(sim.session.unconfirmed(), 0, "the server has it");
    let (code, message) = (ErrorCode::Empty, "nothing to see".to_owned());
    let error = Notice::Error {
        request: Some(1),
        code,
        message,
    };
    sim.server.post(&error, sim.now);
    sim.settle();
    assert!(sim.session.is_all_answered() && sim.session.has_errors());
    assert_eq!(sim.take_lines(), ["! nothing to see"]);
}

#[test]
fn ones_own_text_is_not_history() {
    let mut sim = Sim::joined();
    sim.say("mine");
    sim.run(seconds(1));
    sim.restart();
    sim.run(seconds(20));
    let own = Notice::Said {
        id: 1,
        at: 1,
        from: "me".into(),
        key: own_key(),
        kind: Kind::Say,
        text: "mine".into(),
        history: true,
    };
    sim.take_lines();
    sim.server.post(&own, sim.now);
    sim.settle();
    assert!(sim.take_lines().is_empty());
}

#[test]
fn ones_own_text_under_an_earlier_nick_is_not_history_even_if_its_confirmation_was_lost() {
    let mut sim = Sim::joined();
    sim.say("confirmed");
    sim.server.confirms = false;
    sim.say("acknowledged");
    sim.run(seconds(1));
    let (old, new, key) = ("me".to_owned(), "I".to_owned(), own_key());
    sim.server.post(&Notice::Renamed { old, new, key }, sim.now);
    sim.run(seconds(1));
    sim.restart();
    sim.server.catches_up = false;
    sim.run(seconds(20));
    sim.take_lines();
    let past = |id, from: &str, key, text: &str| Notice::Said {
        id,
        at: 1,
        from: from.into(),
        key,
        kind: Kind::Say,
        text: text.into(),
        history: true,
    };
    for notice in [
        past(1, "me", own_key(), "confirmed"),
        past(2, "me", own_key(), "acknowledged"),
        past(3, "me", self::key(9), "acknowledged"),
        past(4, "me", own_key(), "from another terminal"),
    ] {
        sim.server.post(&notice, sim.now);
    }
    sim.run(seconds(1));
    assert_eq!(
        sim.take_lines(),
        ["| <me> acknowledged", "| <me> from another terminal"]
    );
}

proptest! {
    // Each case is minutes of the session's time.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn no_datagram_causes_a_panic_or_unbounded_memory(
        datagrams in prop::collection::vec((any::<Vec<u8>>(), 0..5_000u64, any::<bool>()), 0..20),
        joined: bool,
    ) {
        let mut sim = if joined { Sim::joined() } else { Sim::new() };
        sim.server.is_up = joined;
        for (bytes, pause, is_text) in datagrams {
            if is_text && sim.session.has_room() {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                sim.session.ask(Outgoing::Say(text), sim.now).unwrap();
            }
            sim.session.handle(&bytes, address(SERVER), sim.now);
            sim.run(Duration::from_millis(pause));
            prop_assert!(sim.session.events.len() <= 2 * MAX_EVENTS);
        }
        sim.session.leave(sim.now);
        sim.run(seconds(20));
        prop_assert!(sim.session.end().is_some(), "there is always a way out");
    }
}
