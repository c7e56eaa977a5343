//! Silence, pings, farewells and coming back.

use std::cell::RefCell;
use std::rc::Rc;

use proto::chat::{Datagram, Reason};

use super::super::End;
use super::simulation::{Simulation, Weather};
use super::{ms, seconds};

const CLEAR: Weather = Weather {
    loss: 0.0,
    doubled: 0.0,
    corrupted: 0.0,
    delay: ms(50),
    jitter: ms(0),
};

#[test]
fn an_idle_link_pings_every_ten_seconds() {
    let mut simulation = Simulation::new(0, [CLEAR; 2]);
    simulation.run(seconds(3_600));
    for side in &simulation.sides {
        assert_eq!(side.end, None);
        assert_eq!(side.sent.all(), side.sent.pings + side.sent.pongs);
        assert!((350..=360).contains(&side.sent.pings), "{:?}", side.sent);
        assert_eq!(side.sent.pongs, side.sent.pings);
    }
}

#[test]
fn a_ping_keeps_a_second_from_the_latest() {
    let mut simulation = Simulation::new(0, [CLEAR; 2]);
    let (start, pings) = (simulation.now, Rc::new(RefCell::new(Vec::new())));
    let log = Rc::clone(&pings);
    simulation.sieve = Some(Box::new(move |now, side, datagram| {
        if side == 0 && matches!(datagram, Datagram::Ping(_)) {
            log.borrow_mut().push(now - start);
        }
        true
    }));
    simulation.send(0, [1]);
    simulation.run(seconds(14));
    // Beside time-outs at 1, 3, 6, 9 and 12 s; by itself from 10 s on.
    let expected = [1, 3, 6, 9, 10, 11, 12, 13].map(seconds);
    assert_eq!(*pings.borrow(), expected);
}

#[test]
fn a_vanished_peer_is_given_up_after_a_minute_of_silence() {
    let mut simulation = Simulation::new(0, [CLEAR; 2]);
    simulation.send(0, 1..=3);
    simulation.run(ms(126));
    let heard_last = ms(125); // There, the acknowledgement's delay, and back.
    simulation.sides[1].weather.loss = 1.0;
    simulation.send(0, 4..=50);
    simulation.run(seconds(60) + heard_last - ms(126));
    assert_eq!(simulation.sides[0].end, None);
    simulation.run(ms(1));
    assert_eq!(simulation.sides[0].end, Some(End::ContactLost));
    assert_eq!(simulation.sides[0].link.unconfirmed().count(), 47);
    assert_eq!(simulation.sides[0].link.deadline(), None);
    // The window, some twenty probes, a ping beside each, and after 10 s another every second.
    let sent = simulation.sides[0].sent;
    assert!(
        sent.data <= 3 + 32 + 22 && sent.pings <= 50 + 22,
        "{sent:?}"
    );
}

#[test]
fn only_what_is_heard_keeps_a_link_alive() {
    let mut simulation = Simulation::new(0, [CLEAR; 2]);
    simulation.sides[1].weather.loss = 1.0;
    simulation.run(ms(59_999));
    assert!(simulation.sides.iter().all(|side| side.end.is_none()));
    // The second side hears every ping of the first, which hears nothing.
    simulation.run(ms(2));
    let ends = simulation.sides.each_ref().map(|side| side.end);
    assert_eq!(ends, [Some(End::ContactLost), None]);
    simulation.run(seconds(61));
    assert_eq!(simulation.sides[1].end, Some(End::ContactLost));
}

#[test]
fn it_is_known_since_when_an_answer_is_due() {
    let mut simulation = Simulation::new(0, [CLEAR; 2]);
    simulation.run(seconds(7));
    assert_eq!(simulation.sides[0].link.unanswered_since(), None);
    let asked = simulation.now;
    simulation.sides[0].weather.loss = 1.0;
    simulation.send(0, [1]);
    simulation.run(seconds(2));
    assert_eq!(simulation.sides[0].link.unanswered_since(), Some(asked));
    simulation.sides[0].weather.loss = 0.0;
    simulation.run(seconds(5));
    assert_eq!(simulation.sides[0].confirmed, 1);
    assert_eq!(simulation.sides[0].link.unanswered_since(), None);
}

#[test]
fn who_comes_back_goes_on_at_once() {
    let mut simulation = Simulation::new(0, [CLEAR; 2]);
    simulation.send(0, 1..=3);
    simulation.run(seconds(1));
    simulation.sieve = Some(Box::new(|_, _, _| true));
    simulation.send(0, 4..=10);
    simulation.send(1, 1..=40);
    simulation.run(ms(40_500));
    simulation.sieve = None;
    for side in 0..2 {
        simulation.sides[side].link.resume(simulation.now);
    }
    simulation.settle();
    simulation.run(ms(200)); // A probe there, its acknowledgement back, and the rest there.
    let arrived = simulation.sides.each_ref().map(|side| side.arrived.len());
    assert_eq!(arrived, [33, 10]);
    simulation.run(ms(200));
    assert_eq!(simulation.sides[0].arrived, (1..=40).collect::<Vec<_>>());
    assert!(simulation.sides.iter().all(|side| side.end.is_none()));
}

#[test]
fn a_bye_is_answered_and_ends_both_sides() {
    let mut simulation = Simulation::new(0, [CLEAR; 2]);
    simulation.sides[0].link.close(Reason::Quit, simulation.now);
    simulation.settle();
    simulation.run(seconds(1));
    let ends = simulation.sides.each_ref().map(|side| side.end);
    assert_eq!(ends, [Some(End::Closed), Some(End::PeerLeft(Reason::Quit))]);
    assert!(simulation.sides.iter().all(|side| side.sent.byes == 1));
}

#[test]
fn a_lost_bye_is_said_again_and_three_times_at_most() {
    let mut simulation = Simulation::new(0, [CLEAR; 2]);
    let mut lost = 0;
    simulation.sieve = Some(Box::new(move |_, _, datagram| {
        lost += 1;
        matches!(datagram, Datagram::Bye(_)) && lost <= 2
    }));
    simulation.sides[0].link.close(Reason::Quit, simulation.now);
    simulation.settle();
    simulation.run(seconds(10));
    assert_eq!(simulation.sides[1].end, Some(End::PeerLeft(Reason::Quit)));

    let mut simulation = Simulation::new(0, [CLEAR; 2]);
    simulation.sides[0].weather.loss = 1.0;
    simulation.sides[0].link.close(Reason::Quit, simulation.now);
    simulation.settle();
    simulation.run(ms(2_999));
    assert_eq!(simulation.sides[0].end, None);
    simulation.run(ms(2));
    assert_eq!(simulation.sides[0].end, Some(End::Closed));
    assert_eq!(simulation.sides[0].sent.byes, 3);
}

#[test]
fn both_may_say_bye_at_once() {
    let mut simulation = Simulation::new(0, [CLEAR; 2]);
    for side in 0..2 {
        simulation.sides[side]
            .link
            .close(Reason::Quit, simulation.now);
    }
    simulation.settle();
    simulation.run(seconds(1));
    assert!(
        simulation
            .sides
            .iter()
            .all(|side| side.end == Some(End::Closed))
    );
    assert!(simulation.sides.iter().all(|side| side.sent.byes == 1));
}
