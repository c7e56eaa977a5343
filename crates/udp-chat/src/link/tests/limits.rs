//! Bounds, and datagrams that make no sense.

use std::borrow::Cow;
use std::time::Instant;

use proto::chat::{Ack, Body, Bye, Data, Datagram, Ping, Pong, Ranges, Reason, SessionId};

use super::super::{Event, Link, MAX_EVENTS, MAX_WAITING, QueueFull, WINDOW};
use super::ms;
use super::simulation::{SESSION, body};

fn data(seq: u64, ack: u64, body: &Body) -> Datagram<'_> {
    let (session, ranges) = (SESSION, Ranges::new());
    Datagram::Data(Data {
        session,
        seq,
        ack,
        ranges,
        message: Cow::Borrowed(body.as_json()),
    })
}

fn ack(ack: u64, ranges: &[(u64, u64)]) -> Datagram<'static> {
    Datagram::Ack(Ack {
        session: SESSION,
        ack,
        ranges: ranges.to_vec(),
    })
}

/// The sequence numbers of the data that a link sends now.
fn sends(link: &mut Link, now: Instant) -> Vec<u64> {
    let mut seqs = Vec::new();
    while let Some(datagram) = link.poll_transmit(now) {
        if let Datagram::Data(data) = datagram {
            seqs.push(data.seq);
        }
    }
    seqs
}

/// The acknowledgement that a link sends now, if it does.
fn acknowledges(link: &mut Link, now: Instant) -> Option<(u64, Ranges)> {
    match link.poll_transmit(now)? {
        Datagram::Ack(ack) => Some((ack.ack, ack.ranges)),
        other => panic!("{other:?}"),
    }
}

fn count_events(link: &mut Link) -> usize {
    std::iter::from_fn(|| link.poll_event()).count()
}

#[test]
fn window_and_queue_are_bounded() {
    let now = Instant::now();
    let mut link = Link::new(SESSION, now);
    for seq in 1..=(WINDOW + MAX_WAITING) as u64 {
        assert_eq!(link.is_writable(), seq <= WINDOW as u64);
        assert_eq!(link.send(body(seq)), Ok(seq));
        if seq == WINDOW as u64 {
            assert_eq!(sends(&mut link, now), (1..=32).collect::<Vec<_>>());
        }
    }
    assert_eq!(link.send(body(0)), Err(QueueFull));
    assert!(sends(&mut link, now).is_empty());

    // What is acknowledged beyond a gap does not move the window.
    link.handle(&ack(0, &[(2, 3)]), now + ms(10));
    assert!(sends(&mut link, now + ms(10)).is_empty());
    link.handle(&ack(3, &[]), now + ms(20));
    assert_eq!(sends(&mut link, now + ms(20)), [33, 34, 35]);
}

#[test]
fn a_writer_is_told_when_there_is_room_again() {
    let now = Instant::now();
    let mut link = Link::new(SESSION, now);
    (1..=40).for_each(|seq| _ = link.send(body(seq)));
    sends(&mut link, now);
    link.handle(&ack(8, &[]), now);
    assert!(matches!(
        link.poll_event(),
        Some(Event::Delivered { through: 8 })
    ));
    assert!(link.poll_event().is_none(), "32 are left");
    link.handle(&ack(9, &[]), now);
    assert!(matches!(
        link.poll_event(),
        Some(Event::Delivered { through: 9 })
    ));
    assert!(matches!(link.poll_event(), Some(Event::Writable)));
}

#[test]
fn what_nobody_takes_is_not_acknowledged() {
    let now = Instant::now();
    let mut link = Link::new(SESSION, now);
    let message = body(0);
    for seq in 1..=1_000 {
        link.handle(&data(seq, 0, &message), now);
    }
    let most = MAX_EVENTS as u64;
    assert_eq!(acknowledges(&mut link, now), Some((most, vec![])));
    assert_eq!(count_events(&mut link), MAX_EVENTS);
    link.handle(&data(most + 1, 0, &message), now);
    assert_eq!(count_events(&mut link), 1);
}

#[test]
fn the_second_datagram_a_gap_and_a_duplicate_are_acknowledged_at_once() {
    let now = Instant::now();
    let mut link = Link::new(SESSION, now);
    let message = body(0);
    link.handle(&data(1, 0, &message), now);
    assert_eq!(acknowledges(&mut link, now + ms(24)), None);
    assert_eq!(link.deadline(), Some(now + ms(25)));
    assert_eq!(acknowledges(&mut link, now + ms(25)), Some((1, vec![])));
    for (seq, expected) in [
        (2, None),
        (3, Some((3, vec![]))),
        (6, Some((3, vec![(6, 6)]))),
        (7, Some((3, vec![(6, 7)]))),
        (5, Some((3, vec![(5, 7)]))),
        (7, Some((3, vec![(5, 7)]))),
        (9, Some((3, vec![(5, 7), (9, 9)]))),
        (4, Some((7, vec![(9, 9)]))),
        (8, Some((9, vec![]))),
        (1, Some((9, vec![]))),
    ] {
        link.handle(&data(seq, 0, &message), now);
        assert_eq!(acknowledges(&mut link, now), expected, "after {seq}");
    }
    assert_eq!(count_events(&mut link), 9);
}

#[test]
fn ranges_that_do_not_fit_beside_data_follow_it() {
    let now = Instant::now();
    let mut link = Link::new(SESSION, now);
    let message = body(0);
    for half in 1..=16 {
        link.handle(&data(2 * half, 0, &message), now);
    }
    link.send(Body::new(&"x".repeat(900)).unwrap()).unwrap();
    let Some(Datagram::Data(sent)) = link.poll_transmit(now) else {
        panic!("no data");
    };
    assert_eq!((sent.ack, sent.ranges.len()), (0, 0));
    let (through, ranges) = acknowledges(&mut link, now).unwrap();
    assert_eq!((through, ranges.len()), (0, 16));
    assert_eq!(acknowledges(&mut link, now), None);
}

#[test]
fn what_makes_no_sense_changes_nothing() {
    let now = Instant::now();
    let mut link = Link::new(SESSION, now);
    (1..=5).for_each(|seq| _ = link.send(body(seq)));
    sends(&mut link, now);
    let before = format!("{link:?}");
    let other = SessionId::from_bytes([8; 16]);
    let message = body(0);
    let largest = u64::MAX;
    for nonsense in [
        ack(6, &[]),
        ack(largest, &[(largest, largest)]),
        ack(0, &[(2, largest)]),
        ack(0, &[(4, 3)]),
        ack(2, &[(2, 3)]),
        data(1, 6, &message),
        Datagram::Ack(Ack {
            session: other,
            ack: 5,
            ranges: vec![],
        }),
        Datagram::Ping(Ping {
            session: other,
            id: 1,
        }),
        Datagram::Bye(Bye {
            session: other,
            reason: Reason::Quit,
        }),
    ] {
        link.handle(&nonsense, now);
        assert_eq!(format!("{link:?}"), before, "after {nonsense:?}");
    }
    for harmless in [
        data(0, 0, &message),
        data(WINDOW as u64 + 1, 0, &message),
        data(largest, 0, &message),
        Datagram::Pong(Pong {
            session: SESSION,
            id: 0,
        }),
        Datagram::Pong(Pong {
            session: SESSION,
            id: largest,
        }),
    ] {
        link.handle(&harmless, now);
        assert_eq!(count_events(&mut link), 0, "after {harmless:?}");
    }
    assert_eq!(link.round_trip(), None);
}

#[test]
fn what_is_of_no_use_is_heard_and_what_is_dropped_whole_is_not() {
    let now = Instant::now();
    let message = body(0);
    for (datagram, alive) in [
        (data(WINDOW as u64 + 1, 0, &message), true),
        (ack(0, &[]), true),
        (ack(1, &[]), false),
        (ack(0, &[(1, 1)]), false),
    ] {
        let mut link = Link::new(SESSION, now);
        assert_eq!(link.handle(&datagram, now + ms(50_000)), alive);
        link.handle_timeout(now + ms(60_000));
        assert_eq!(link.deadline().is_some(), alive, "{datagram:?}");
        assert_eq!(link.arrived(), 0);
    }
}

#[test]
fn acknowledgements_count_beside_what_is_dropped_and_in_any_order() {
    let now = Instant::now();
    let mut link = Link::new(SESSION, now);
    (1..=9).for_each(|seq| _ = link.send(body(seq)));
    sends(&mut link, now);
    let message = body(0);
    for (datagram, unconfirmed) in [
        (data(WINDOW as u64 + 1, 1, &message), 8),
        (ack(2, &[(6, 6), (4, 5), (5, 6)]), 7),
        (ack(3, &[]), 3),
    ] {
        link.handle(&datagram, now);
        assert_eq!(link.unconfirmed().count(), unconfirmed, "{datagram:?}");
    }
    assert_eq!(acknowledges(&mut link, now + ms(25)), None);
}

#[test]
fn only_the_newest_news_measures_the_path() {
    let now = Instant::now();
    let mut link = Link::new(SESSION, now);
    (1..=2).for_each(|seq| _ = link.send(body(seq)));
    sends(&mut link, now);
    link.handle(&ack(0, &[(2, 2)]), now + ms(100));
    assert_eq!(link.round_trip(), Some(ms(100)));
    // Perhaps 1 was as fast, and an acknowledgement that said so was lost.
    link.handle(&ack(2, &[]), now + ms(190));
    assert_eq!(link.round_trip(), Some(ms(100)));
}

#[test]
fn a_pong_that_measures_starts_the_timer_afresh() {
    let now = Instant::now();
    let mut link = Link::new(SESSION, now);
    link.send(body(1)).unwrap();
    sends(&mut link, now);
    link.handle_timeout(now + ms(1_000));
    sends(&mut link, now + ms(1_000));
    let (session, id) = (SESSION, 1);
    for at in [1_100, 1_300] {
        link.handle(&Datagram::Pong(Pong { session, id }), now + ms(at));
        // 100 ms and four times half of it.
        assert_eq!(link.deadline(), Some(now + ms(1_400)));
    }
}
