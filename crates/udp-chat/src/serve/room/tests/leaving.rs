//! How members leave, and how the room stops.

use std::time::Duration;

use proto::chat::{Notice, Reason};

use super::super::RoomEvent;
use super::town::{SETTINGS, Town};
use super::{CALM, STORM, seconds};
use crate::link::End;

fn left(nick: &str, reason: Reason) -> Notice {
    let nick = nick.to_owned();
    Notice::Left { nick, reason }
}

#[test]
fn who_quits_is_gone_at_once_after_its_last_words() {
    let mut town = Town::new(1, CALM, SETTINGS);
    town.enter_all(&["Anna", "Boris"]);
    town.say(0, "bye all");
    let now = town.now;
    town.guests[0]
        .link
        .as_mut()
        .unwrap()
        .close(Reason::Quit, now);
    town.settle();
    town.run(seconds(1));
    assert_eq!(town.guests[0].end, Some(End::Closed));
    assert_eq!(town.guests[1].texts_from("Anna"), ["bye all"]);
    assert_eq!(town.guests[1].heard[1..], [left("Anna", Reason::Quit)]);
    assert_eq!((town.room.members.len(), town.room.sessions.len()), (1, 1));
    let (nick, reason) = ("Anna".to_owned(), Reason::Quit);
    let event = RoomEvent::Left {
        nick,
        reason,
        texts: 1,
        members: 1,
    };
    assert!(town.events.contains(&event), "{:?}", town.events);
    let anna = town.enter("ANNA");
    town.run(seconds(1));
    assert_eq!(town.guests[anna].refused, None, "the nick is free");
}

#[test]
fn who_is_silent_for_a_minute_is_gone() {
    let mut town = Town::new(1, CALM, SETTINGS);
    town.enter_all(&["Anna", "Boris"]);
    town.guests[0].is_there = false;
    town.run(seconds(61));
    assert_eq!(town.guests[1].heard, [left("Anna", Reason::TimedOut)]);
    assert_eq!((town.room.members.len(), town.room.sessions.len()), (1, 1));
}

#[test]
fn who_takes_nothing_is_too_slow_and_the_others_suffer_nothing() {
    let mut town = Town::new(1, CALM, SETTINGS);
    town.enter_all(&["Anna", "Boris", "Slow"]);
    // It is heard, but takes no messages in.
    town.guests[2].deafen();
    for number in 0..4_200 {
        town.say(0, &number.to_string());
        town.run(seconds(1) / 38);
        if number % 1_000 == 999 {
            town.ask(2, &proto::chat::Request::Who);
        }
    }
    town.run(seconds(10));
    let boris = &town.guests[1];
    assert_eq!(boris.texts_from("Anna").len(), 4_200);
    assert!(boris.heard.contains(&left("Slow", Reason::TooSlow)));
    assert_eq!(town.room.members.len(), 2);
}

#[test]
fn a_stop_lets_everybody_hear_what_was_said_and_then_bye() {
    let (mut byes, mut relayed, mut heard) = (0, 0, 0);
    for seed in 0..20 {
        let mut town = Town::new(seed, STORM, SETTINGS);
        town.enter_all(&["Anna", "Boris", "Clara"]);
        town.say(0, "last words");
        town.run(Duration::from_millis(200));
        relayed += 2 * town.room.totals().texts;
        let stopped = town.now;
        town.room.stop(town.now);
        town.settle();
        town.run_until(seconds(5), |town| town.room.is_over(town.now));
        assert!(town.now <= stopped + seconds(4), "seed {seed}");
        for guest in &town.guests {
            byes += usize::from(guest.end.is_some());
            heard += guest.heard.len() as u64;
        }
    }
    // A bye is said three times: where 30 % are lost, one in forty members misses all of them. And
    // two seconds suffice for a text to be sent again once or twice.
    assert!(byes >= 55, "{byes} of 60 heard that the server stops");
    assert!(
        relayed >= 20 && heard * 10 >= relayed * 9,
        "{heard} of {relayed}"
    );
}

#[test]
fn a_stop_without_trouble_takes_a_moment() {
    let mut town = Town::new(1, CALM, SETTINGS);
    town.enter_all(&["Anna", "Boris"]);
    town.say(0, "last words");
    let stopped = town.now;
    town.run(Duration::from_millis(2));
    town.room.stop(town.now);
    town.settle();
    town.run_until(seconds(1), |town| town.room.is_over(town.now));
    assert!(town.now < stopped + Duration::from_millis(100));
    assert_eq!(town.guests[1].texts_from("Anna"), ["last words"]);
    let bye = Some(End::PeerLeft(Reason::Stopping));
    assert!(town.guests.iter().all(|guest| guest.end == bye));
    assert!(town.room.members.is_empty());
}

#[test]
fn a_stop_waits_four_seconds_for_who_is_not_there() {
    let mut town = Town::new(1, CALM, SETTINGS);
    town.enter_all(&["Anna", "Boris"]);
    town.guests[0].is_there = false;
    town.say(1, "hello?");
    town.run(seconds(1));
    town.room.stop(town.now);
    let stopped = town.now;
    town.run_until(seconds(5), |town| town.room.is_over(town.now));
    assert!(town.now <= stopped + seconds(4));
    assert_eq!(town.guests[1].end, Some(End::PeerLeft(Reason::Stopping)));

    let mut empty = Town::new(1, CALM, SETTINGS);
    empty.room.stop(empty.now);
    empty.settle();
    assert!(empty.room.is_over(empty.now));
}
