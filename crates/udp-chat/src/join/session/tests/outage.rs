//! Silence, loss and return of the server.

use super::*;

#[test]
fn the_same_session_goes_on_after_a_silence() {
    let mut sim = Sim::joined();
    sim.server.is_up = false;
    sim.say("lost?");
    sim.run(seconds(6));
    assert_eq!(
        sim.take_lines(),
        ["! the server does not answer; trying to come back"]
    );
    sim.server.is_up = true;
    sim.run(seconds(2));
    assert_eq!(sim.server.texts(), ["lost?"]);
    assert_eq!(sim.server.sessions, 1);
    assert!(sim.session.is_all_answered());
    assert_eq!(sim.take_lines(), ["! the server answers again"]);
}

#[test]
fn a_silent_server_is_looked_for_at_all_its_addresses() {
    let mut sim = Sim::joined();
    let elsewhere = address("[::1]:9390");
    sim.session
        .set_addresses(vec![address(SERVER), address("127.0.0.2:9390"), elsewhere]);
    (sim.server.address, sim.server.is_reached) = (elsewhere, false);
    sim.say("found?");
    sim.run(seconds(10));
    assert_eq!(sim.server.texts(), ["found?"], "{:?}", sim.asked);
    assert_eq!(sim.server.sessions, 1);
    assert_eq!(
        sim.take_lines().last().unwrap(),
        "! the server answers again"
    );
    sim.asked.clear();
    sim.say("there");
    assert!(
        sim.asked.iter().all(|to| *to == elsewhere),
        "{:?}",
        sim.asked
    );
}

#[test]
fn a_server_that_writes_from_another_address_is_known_by_its_key() {
    let mut sim = Sim::joined();
    sim.server.post(&said(1, "hi"), sim.now);
    for datagram in sim.server.transmit(sim.now) {
        sim.session
            .handle(&datagram, address("127.0.0.9:7"), sim.now);
    }
    sim.settle();
    assert_eq!(sim.take_lines(), ["<bo> hi"]);
    sim.asked.clear();
    sim.say("hi");
    assert!(
        sim.asked.iter().all(|to| *to == address(SERVER)),
        "it answers where it was asked"
    );
}

#[test]
fn a_new_session_shows_what_is_not_confirmed_and_sends_what_was_not_sent() {
    let mut sim = Sim::joined();
    sim.server.post(&said(7, "seen"), sim.now);
    sim.run(seconds(1));
    sim.take_lines();
    sim.server.is_up = false;
    sim.say("in doubt");
    sim.run(seconds(6));
    sim.say("waits");
    assert_eq!(
        sim.take_lines(),
        [
            "! the server does not answer; trying to come back",
            "! no contact; it is sent when the server is back"
        ]
    );
    sim.restart();
    sim.run(seconds(5));
    assert_eq!(
        sim.take_lines(),
        [
            "! the server was started again; trying to come back",
            "! not confirmed: in doubt",
            "! the server answers again",
            "* you are me"
        ]
    );
    assert_eq!(sim.server.texts(), ["waits"]);
    assert!(sim.session.is_all_answered() && sim.session.has_lost());
}

#[test]
fn contact_is_lost_after_a_minute_and_found_however_late() {
    let mut sim = Sim::joined();
    sim.server.is_up = false;
    sim.say("gone");
    sim.run(seconds(600));
    assert_eq!(
        sim.take_lines(),
        [
            "! the server does not answer; trying to come back",
            "! contact is lost; trying to come back",
            "! not confirmed: gone"
        ]
    );
    assert_eq!(sim.session.end(), None);
    sim.restart();
    sim.run(seconds(3));
    let back = ["! the server answers again", "* you are me"];
    assert_eq!(sim.take_lines(), back);
    sim.say("back");
    assert_eq!(sim.server.texts(), ["back"]);
}

#[test]
fn a_server_that_stops_is_waited_for() {
    let mut sim = Sim::joined();
    sim.stop_server();
    sim.run(seconds(60));
    assert_eq!(
        sim.take_lines(),
        ["! the server stopped; trying to come back"]
    );
    sim.restart();
    sim.run(seconds(3));
    let back = ["! the server answers again", "* you are me"];
    assert_eq!(sim.take_lines(), back);
}

#[test]
fn a_member_that_is_removed_or_taken_over_does_not_come_back() {
    for reason in [
        CloseReason::Kicked,
        CloseReason::Banned,
        CloseReason::TakenOver,
        CloseReason::TooSlow,
    ] {
        let mut sim = Sim::joined();
        sim.server.close(reason, sim.now);
        sim.settle();
        assert_eq!(sim.session.end(), Some(&End::Removed(reason)));
    }
}

#[test]
fn a_nick_that_is_taken_meanwhile_is_asked_for_and_replaced() {
    let mut sim = Sim::joined();
    sim.restart();
    sim.server.door = Door::Taken("me");
    sim.say("?");
    sim.run(seconds(29));
    assert_eq!(
        sim.take_lines(),
        [
            "! the server was started again; trying to come back",
            "! not confirmed: ?",
            "! somebody else has the nick me now; asking for it, and joining as me2 after 30 s"
        ]
    );
    assert!(sim.server.nicks.iter().all(|nick| nick == "me"));
    sim.run(seconds(5));
    assert_eq!(
        sim.take_lines(),
        [
            "! the server answers again",
            "* you are me2",
            "! you are me2 until me is free again"
        ]
    );
    sim.say("here");
    assert_eq!(
        sim.server.said.pop(),
        Some(Request::Say {
            text: "here".into()
        })
    );
    // It asks for the nick from time to time, and does not report refusals.
    sim.server.confirms = false;
    sim.run(seconds(65));
    let nick = "me".to_owned();
    assert_eq!(sim.server.said.pop(), Some(Request::Nick { nick }));
    let (code, message) = (ErrorCode::NickTaken, "taken".to_owned());
    let refused = Notice::Error {
        request: Some(2),
        code,
        message,
    };
    sim.server.post(&refused, sim.now);
    sim.run(seconds(60));
    assert_eq!(sim.take_lines(), [""; 0]);
    let (old, new) = ("me2".to_owned(), "me".to_owned());
    sim.server.post(
        &Notice::Renamed {
            old,
            new,
            key: own_key(),
        },
        sim.now,
    );
    sim.settle();
    assert_eq!(sim.take_lines(), ["* you are me"]);
    let asked = sim.server.said.len();
    sim.run(seconds(200));
    assert_eq!(sim.server.said.len(), asked, "it has its nick");
}

#[test]
fn a_server_with_another_key_is_ignored_and_reported_once() {
    let mut sim = Sim::joined();
    sim.stop_server();
    sim.replace_server();
    sim.run(seconds(60));
    let ignored =
        "! a server with another key answers; it is ignored, and the right one is asked again";
    assert_eq!(
        sim.take_lines(),
        ["! the server stopped; trying to come back", ignored]
    );
    assert!(sim.server.nicks.is_empty(), "nothing was sent to it");
    sim.restore_server();
    sim.run(seconds(5));
    let back = ["! the server answers again", "* you are me"];
    assert_eq!(sim.take_lines(), back);
}

#[test]
fn a_server_that_ends_every_session_at_once_gets_few_joins() {
    let mut sim = Sim::joined();
    for _ in 0..20 {
        sim.server.close(CloseReason::Stopping, sim.now);
        sim.run(seconds(1));
        sim.asked.clear();
        sim.run(seconds(2));
        assert!(sim.asked.len() < 20, "{} datagrams in 2 s", sim.asked.len());
    }
    assert!(sim.server.sessions > 10, "and it comes back each time");
}

#[test]
fn a_server_that_forgets_each_session_gets_few_datagrams() {
    let mut sim = Sim::joined();
    sim.restart();
    sim.server.forgets = true;
    sim.say("hello?");
    // A hello, two messages of the handshake, and what the link sends until the reset: every 2 s.
    for second in 0..60 {
        sim.asked.clear();
        sim.say(&format!("text {second}"));
        sim.run(seconds(2));
        assert!(
            sim.asked.len() <= 12,
            "{} datagrams in 2 s",
            sim.asked.len()
        );
    }
    assert!(sim.server.sessions >= 50, "{}", sim.server.sessions);
    sim.server.forgets = false;
    sim.run(seconds(5));
    assert!(sim.session.is_all_answered() && sim.session.end().is_none());
}

#[test]
fn a_server_that_refuses_every_nick_is_asked_slowly() {
    let mut sim = Sim::joined();
    sim.restart();
    sim.server.door = Door::Refuses(RefusalCode::NickTaken);
    sim.say("?");
    sim.run(seconds(300));
    assert_eq!(sim.session.end(), None);
    assert!(
        (50..160).contains(&sim.server.nicks.len()),
        "{}",
        sim.server.nicks.len()
    );
    sim.server.door = Door::Open;
    sim.run(seconds(3));
    let shown = sim.take_lines().pop().unwrap();
    assert!(shown.ends_with("until me is free again"), "{shown}");
}

#[test]
fn a_full_server_is_asked_again() {
    let mut sim = Sim::joined();
    sim.restart();
    sim.server.door = Door::Refuses(RefusalCode::Full);
    sim.say("?");
    sim.run(seconds(120));
    assert_eq!(sim.session.end(), None);
    sim.server.door = Door::Open;
    sim.run(seconds(3));
    assert_eq!(sim.take_lines().last().unwrap(), "* you are me");
}

#[test]
fn leaving_without_contact_takes_no_time() {
    let mut sim = Sim::joined();
    sim.server.is_up = false;
    sim.say("?");
    sim.run(seconds(10));
    sim.session.leave(sim.now);
    assert_eq!(sim.session.end(), Some(&End::Left));
    let mut datagram = Vec::new();
    assert!(
        sim.session.poll_transmit(sim.now, &mut datagram).is_some(),
        "bye, once"
    );
}
