//! How sessions stay alive, move and end.

use chat_link::{CloseReason, End, Event, Path};

use super::sim::{CLIENT, NetProfile, SERVER, Sim, address, ms, seconds, server_address};
use super::{arrived, send};

fn clean(seed: u64) -> Sim {
    let clean = NetProfile {
        delay: ms(10),
        ..NetProfile::default()
    };
    Sim::new(seed, 1, false, [clean; 2])
}

#[test]
fn an_idle_session_pings_every_ten_seconds_and_lives() {
    let mut sim = clean(1);
    sim.run(seconds(600));
    assert!(sim.pairs[0].iter().all(|side| side.end().is_none()));
    let datagrams = sim.pairs[0]
        .iter()
        .map(|side| side.datagrams)
        .sum::<usize>();
    assert!((60..=250).contains(&datagrams), "{datagrams}");
}

#[test]
fn an_idle_session_lives_where_every_second_round_trip_fails() {
    let foul = NetProfile {
        loss: 0.3,
        delay: ms(20),
        ..NetProfile::default()
    };
    let mut sim = Sim::new(3, 1, true, [foul; 2]);
    sim.run(seconds(4 * 3_600));
    assert!(sim.pairs[0].iter().all(|side| side.end().is_none()));
}

#[test]
fn contact_is_lost_after_60_seconds_of_silence() {
    let mut sim = clean(1);
    send(&mut sim, CLIENT, [0]);
    sim.run(ms(100));
    sim.filter = Some(Box::new(|_, _, _| true));
    let began = sim.now;
    send(&mut sim, CLIENT, [1]);
    sim.run(seconds(100));
    for side in &sim.pairs[0] {
        let (at, end) = side.end().expect("the session ends");
        assert_eq!(end, End::TimedOut);
        assert!(
            (55..=61).contains(&(at - began).as_secs()),
            "after {:?}",
            at - began
        );
        assert_eq!(side.link.deadline(), None);
    }
    // The probe interval never exceeds a second.
    assert!(
        (55..=90).contains(&sim.pairs[0][CLIENT].datagrams),
        "{}",
        sim.pairs[0][CLIENT].datagrams
    );
}

#[test]
fn a_peer_that_acknowledges_nothing_is_given_up_however_much_it_pings() {
    let mut sim = clean(1);
    // Everything to the client is lost, and everything from it arrives.
    sim.filter = Some(Box::new(|_, side, _| side == SERVER));
    send(&mut sim, SERVER, [1]);
    let began = sim.now;
    for number in 0..55 {
        send(&mut sim, CLIENT, [number]);
        sim.run(seconds(1));
    }
    assert_eq!(sim.pairs[0][SERVER].end(), None);
    sim.run(seconds(10));
    let (at, end) = sim.pairs[0][SERVER].end().expect("the session ends");
    assert_eq!((end, (at - began).as_secs()), (End::TimedOut, 60));
}

#[test]
fn a_close_is_answered() {
    let mut sim = clean(1);
    sim.pairs[0][CLIENT].link.close(CloseReason::Quit, sim.now);
    sim.flush();
    sim.run(seconds(1));
    assert_eq!(
        sim.pairs[0][CLIENT].end().map(|(_, end)| end),
        Some(End::Closed)
    );
    assert_eq!(
        sim.pairs[0][SERVER].end().map(|(_, end)| end),
        Some(End::PeerClosed(CloseReason::Quit))
    );
    assert_eq!(
        (
            sim.pairs[0][CLIENT].datagrams,
            sim.pairs[0][SERVER].datagrams
        ),
        (1, 1)
    );
}

#[test]
fn an_unanswered_close_is_said_three_times() {
    let mut sim = clean(1);
    sim.filter = Some(Box::new(|_, side, _| side == CLIENT));
    sim.pairs[0][CLIENT].link.close(CloseReason::Quit, sim.now);
    sim.flush();
    sim.run(seconds(4));
    assert_eq!(
        sim.pairs[0][CLIENT].end().map(|(_, end)| end),
        Some(End::Closed)
    );
    assert_eq!(sim.pairs[0][CLIENT].datagrams, 3);
}

#[test]
fn a_session_moves_with_its_client() {
    let mut sim = clean(1);
    send(&mut sim, CLIENT, [1]);
    sim.run(seconds(1));
    sim.pairs[0][CLIENT].address = address(5_000);
    send(&mut sim, CLIENT, [2]);
    sim.run(seconds(1));
    let moved = Event::Moved {
        from: Path::to(address(4_000)),
        to: Path::to(address(5_000)),
    };
    assert!(
        sim.pairs[0][SERVER]
            .events
            .iter()
            .any(|(_, event)| *event == moved)
    );
    send(&mut sim, SERVER, [3]);
    sim.run(seconds(1));
    assert_eq!(
        (arrived(&sim, SERVER), arrived(&sim, CLIENT)),
        (vec![1, 2], vec![3])
    );
    assert_eq!(
        sim.pairs[0][CLIENT].link.path(),
        Path::to(server_address()),
        "a client chooses its path itself"
    );
}

#[test]
fn a_plaintext_session_stays_where_it_is() {
    let mut sim = Sim::new(1, 1, true, [NetProfile::default(); 2]);
    sim.pairs[0][CLIENT].address = address(5_000);
    send(&mut sim, CLIENT, [2]);
    sim.run(seconds(1));
    assert!(arrived(&sim, SERVER).is_empty());
    assert_eq!(sim.pairs[0][SERVER].datagrams, 0);
}
