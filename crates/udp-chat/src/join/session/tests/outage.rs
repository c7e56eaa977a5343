//! Silence, loss and return of the server.

use super::*;

#[test]
fn the_same_session_goes_on_after_a_silence() {
    let mut world = World::joined();
    world.server.up = false;
    world.say("lost?");
    world.run(seconds(6));
    assert_eq!(
        world.take_lines(),
        ["! the server does not answer; trying to come back"]
    );
    world.server.up = true;
    world.run(seconds(2));
    assert_eq!(world.server.texts(), ["lost?"]);
    assert_eq!(world.server.sessions, 1);
    assert!(world.session.is_settled());
    assert_eq!(world.take_lines(), ["! the server answers again"]);
}

#[test]
fn a_new_session_tells_what_is_not_confirmed_and_sends_what_was_not_sent() {
    let mut world = World::joined();
    world.server.post(&said(7, "seen"));
    world.run(seconds(1));
    world.take_lines();
    world.server.up = false;
    for number in 0..34 {
        world.say(&number.to_string());
    }
    world.run(seconds(6));
    world.take_lines();
    world.server.restart();
    world.run(seconds(5));
    let lines = world.take_lines();
    assert_eq!(lines.len(), 34);
    assert_eq!(lines[0], "! not confirmed: 0");
    assert_eq!(lines[31], "! not confirmed: 31");
    assert!(lines[32].starts_with("! the server answers again"));
    assert_eq!(world.server.texts(), ["32", "33"], "never sent before");
    assert!(world.session.is_settled());
}

#[test]
fn contact_is_lost_after_a_minute_and_found_however_late() {
    let mut world = World::joined();
    world.server.up = false;
    world.say("gone");
    world.run(seconds(3_600));
    let lines = world.take_lines();
    assert_eq!(
        lines,
        [
            "! the server does not answer; trying to come back",
            "! contact is lost; trying to come back",
            "! not confirmed: gone"
        ]
    );
    assert_eq!(world.session.end(), None);
    world.server.restart();
    world.run(seconds(2));
    assert_eq!(world.take_lines().last().unwrap(), "* you are me");
    world.say("back");
    assert_eq!(world.server.texts(), ["back"]);
}

#[test]
fn what_is_written_without_contact_is_sent_after_it() {
    let wait = "! no contact; it is sent when the server is back";
    let mut world = World::joined();
    for round in 0..2 {
        world.server.up = false;
        world.run(seconds(20));
        world.take_lines();
        world.say("one");
        world.say("two");
        assert_eq!(world.take_lines(), [wait], "once an outage");
        world.run(seconds(20));
        match round {
            0 => world.server.up = true,
            _ => world.server.restart(),
        }
        world.run(seconds(5));
        let lines = world.take_lines();
        assert!(
            !lines.iter().any(|line| line.contains("confirmed")),
            "{lines:?}"
        );
        assert_eq!(world.server.texts(), ["one", "two"].repeat(round + 1));
        assert!(world.session.is_settled());
    }
}

#[test]
fn a_server_that_still_knows_what_is_over_here_is_left_and_joined_anew() {
    let mut world = World::joined();
    world.server.up = false;
    world.run(seconds(80));
    world.server.up = true;
    let session = world.server.link.as_ref().unwrap().session();
    world.server.link = Some(Link::new(session, world.now));
    world.run(seconds(3));
    assert_eq!(world.server.sessions, 2);
    assert_eq!(world.take_lines().last().unwrap(), "* you are me");
}

#[test]
fn a_refusal_to_have_one_back_holds_after_30_seconds() {
    let mut world = World::joined();
    world.server.restart();
    world.server.door = Door::Refuses(Refusal::NickTaken);
    world.say("?");
    world.run(seconds(30));
    assert_eq!(world.session.end(), None);
    world.run(seconds(10));
    assert!(matches!(world.session.end(), Some(End::Refused { .. })));
    assert_eq!(world.take_lines().last().unwrap(), "! not confirmed: ?");
}

#[test]
fn a_refusal_is_forgotten_once_the_server_answers_again() {
    let mut world = World::joined();
    world.server.up = false;
    world.say("?");
    world.run(seconds(6));
    let (nonce, code) = (Nonce::from_bytes([2; 16]), Refusal::NickTaken);
    let refused = Datagram::Refused(Refused {
        nonce,
        code,
        message: "no".into(),
    });
    world.session.handle(&refused, world.now);
    world.server.up = true;
    world.run(seconds(2));
    assert!(world.session.is_settled());
    world.server.up = false;
    world.run(seconds(100));
    assert_eq!(world.session.end(), None, "nobody said no this time");
}

#[test]
fn a_server_that_stops_is_no_answer_to_who_comes_back() {
    for first in [Refusal::Stopping, Refusal::NickTaken] {
        let mut world = World::joined();
        let link = world.server.link.as_mut().unwrap();
        link.close(Reason::Stopping, world.now);
        world.server.door = Door::Refuses(first);
        world.run(seconds(2));
        world.server.door = Door::Refuses(Refusal::Stopping);
        world.run(seconds(2));
        world.server.up = false;
        world.run(seconds(100));
        assert_eq!(world.session.end(), None, "after {first:?}");
        world.server.restart();
        world.server.door = Door::Open;
        world.run(seconds(2));
        assert_eq!(world.take_lines().last().unwrap(), "* you are me");
    }
}

#[test]
fn a_bye_of_the_server_is_told_and_a_stopped_one_waited_for() {
    for reason in [Reason::Stopping, Reason::Flooding] {
        let mut world = World::joined();
        world.server.link.as_mut().unwrap().close(reason, world.now);
        world.settle();
        assert!(world.take_lines()[0].starts_with("! "));
        assert_eq!(world.server.byes, 1, "answered");
        world.server.restart();
        world.run(seconds(3));
        if reason == Reason::Stopping {
            assert_eq!(world.server.sessions, 2);
        } else {
            assert_eq!(world.session.end(), Some(&End::Removed(reason)));
        }
    }
}

#[test]
fn who_leaves_without_contact_leaves_at_once() {
    for (silence, byes) in [(20, 1), (80, 0)] {
        let mut world = World::joined();
        world.server.up = false;
        world.run(seconds(silence));
        world.server.up = true;
        world.session.leave(world.now);
        assert_eq!(world.session.end(), Some(&End::Left));
        while let Some(datagram) = world.session.poll_transmit(world.now) {
            let mut bytes = Vec::new();
            datagram.encode(&mut bytes).unwrap();
            world.server.handle(&bytes, world.now);
        }
        assert_eq!(world.server.byes, byes, "after {silence} s");
    }
}

#[test]
fn nobody_waits_for_the_history_of_a_server_that_is_gone() {
    let mut world = World::new();
    world.server.tells_who = false;
    world.settle();
    let link = world.server.link.as_mut().unwrap();
    link.close(Reason::Stopping, world.now);
    world.server.door = Door::Refuses(Refusal::Stopping);
    world.settle();
    assert!(world.session.is_settled());
}

#[test]
fn who_says_bye_in_vain_does_not_come_back() {
    let mut world = World::joined();
    world.server.up = false;
    world.say("?");
    world.run(seconds(4));
    let hellos = world.server.hellos;
    world.session.leave(world.now);
    world.server.up = true;
    world.server.link = None;
    world.run(seconds(20));
    assert_eq!(world.session.end(), Some(&End::Left));
    assert_eq!(world.server.hellos, hellos);
    assert!(world.take_lines().is_empty());
}

#[test]
fn who_has_left_does_not_come_back_to_a_server_that_stopped_meanwhile() {
    let mut world = World::joined();
    for id in 0..MAX_SHOWN as u64 {
        world.session.shown.push_back(DisplayEvent::You {
            nick: id.to_string(),
        });
    }
    // Nothing more is looked at, the bye neither.
    let session = world.session.session().unwrap();
    let reason = Reason::Stopping;
    let bye = Datagram::Bye(Bye { session, reason });
    world.session.handle(&bye, world.now);
    let hellos = world.server.hellos;
    world.session.leave(world.now);
    world.run(seconds(5));
    assert_eq!(world.session.end(), Some(&End::Left));
    assert_eq!(world.server.hellos, hellos);
    assert!(!world.take_lines().iter().any(|line| line.starts_with('!')));
}
