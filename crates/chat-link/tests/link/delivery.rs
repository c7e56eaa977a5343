//! Every message arrives once and in order, whatever the network does to datagrams.

use std::time::Duration;

use chat_link::message::Message;
use chat_link::{Class, Event};
use proptest::prelude::*;

use super::sim::{CLIENT, NetProfile, SERVER, Sim, ms, seconds};
use super::{arrived, numbered, send};

#[test]
fn twenty_thousand_messages_survive_a_foul_network() {
    let foul = NetProfile {
        loss: 0.3,
        duplicates: 0.1,
        delay: ms(20),
        jitter: ms(60),
        rate: 0,
    };
    for seed in 0..2 {
        let mut sim = Sim::new(seed, 1, seed == 0, [foul; 2]);
        let mut next = [0, 0];
        while next[CLIENT] < 5_000 || next[SERVER] < 5_000 {
            for side in [CLIENT, SERVER] {
                while next[side] < 5_000 && sim.pairs[0][side].link.waiting() < 50 {
                    send(&mut sim, side, [next[side]]);
                    next[side] += 1;
                }
            }
            sim.run(ms(50));
        }
        let is_done = |sim: &Sim| {
            sim.pairs[0]
                .iter()
                .all(|side| side.link.unacknowledged() == 0)
        };
        assert!(
            sim.run_until(seconds(60), is_done),
            "seed {seed}: not all are acknowledged"
        );
        for side in [CLIENT, SERVER] {
            assert!(
                arrived(&sim, side).into_iter().eq(0..5_000),
                "seed {seed}, side {side}"
            );
            let acknowledged = sim.pairs[0][side].events.iter();
            let ids = acknowledged.filter_map(|(_, event)| match event {
                Event::Acknowledged(id) => Some(id.0),
                _ => None,
            });
            assert!(ids.eq(1..=5_000), "seed {seed}, side {side}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_network_that_lets_something_through_delivers_all(
        seed: u64, loss in 0.0..0.5, duplicates in 0.0..0.3, delay in 0..200_u64, jitter in 0..300_u64,
        lengths in prop::collection::vec(0..6_000_usize, 1..25), background: u32,
    ) {
        let profile = NetProfile { loss, duplicates, delay: ms(delay), jitter: ms(jitter), rate: 0 };
        let mut sim = Sim::new(seed, 1, true, [profile; 2]);
        let mut expected = [Vec::new(), Vec::new()];
        for (index, &length) in lengths.iter().enumerate() {
            let class = background >> index & 1;
            let text = format!("{index} {}", "x".repeat(length));
            let message = Message::encode(&text).unwrap();
            let class_name = [Class::Live, Class::Background][class as usize];
            sim.pairs[0][SERVER].link.send(&message, class_name, sim.now).unwrap();
            expected[class as usize].push(index);
        }
        sim.flush();
        let count = lengths.len();
        prop_assert!(sim.run_until(seconds(120), |sim| sim.pairs[0][CLIENT].messages().count() == count));
        sim.run(seconds(2));
        let mut arrived = [Vec::new(), Vec::new()];
        for message in sim.pairs[0][CLIENT].messages() {
            let text: String = serde_json::from_slice(message).unwrap();
            let (index, filling) = text.split_once(' ').unwrap();
            let index: usize = index.parse().unwrap();
            prop_assert_eq!(filling.len(), lengths[index]);
            arrived[(background >> index & 1) as usize].push(index);
        }
        prop_assert_eq!(arrived, expected);
    }
}

#[test]
fn a_lazy_message_joins_the_next_datagram_or_leaves_within_100_ms() {
    let clean = NetProfile {
        delay: ms(20),
        ..NetProfile::default()
    };
    let mut sim = Sim::new(1, 1, false, [clean; 2]);
    sim.pairs[0][SERVER]
        .link
        .send(&numbered(1), Class::Lazy, sim.now)
        .unwrap();
    sim.run(ms(90));
    assert_eq!(sim.pairs[0][SERVER].datagrams, 0);
    send(&mut sim, SERVER, [2]);
    assert_eq!(sim.pairs[0][SERVER].datagrams, 1);
    sim.run(ms(200));
    assert_eq!(arrived(&sim, CLIENT), [1, 2]);
    sim.pairs[0][SERVER]
        .link
        .send(&numbered(3), Class::Lazy, sim.now)
        .unwrap();
    sim.run(ms(130));
    assert_eq!(arrived(&sim, CLIENT), [1, 2, 3]);
}

#[test]
fn a_refused_message_comes_again_until_it_is_admitted() {
    let clean = NetProfile {
        delay: ms(5),
        ..NetProfile::default()
    };
    let mut sim = Sim::new(1, 1, false, [clean; 2]);
    sim.pairs[0][SERVER].admits = false;
    send(&mut sim, CLIENT, 0..10);
    sim.run(seconds(10));
    assert!(arrived(&sim, SERVER).is_empty());
    assert_eq!(sim.pairs[0][CLIENT].link.unacknowledged(), 10);
    assert!(
        sim.pairs[0][CLIENT].datagrams < 60,
        "{} datagrams in 10 s",
        sim.pairs[0][CLIENT].datagrams
    );
    sim.pairs[0][SERVER].admits = true;
    assert!(
        sim.run_until(seconds(3), |sim| sim.pairs[0][CLIENT].link.unacknowledged()
            == 0)
    );
    assert_eq!(arrived(&sim, SERVER), (0..10).collect::<Vec<_>>());
}

#[test]
fn history_over_a_slow_line_does_not_hold_up_live_messages() {
    // 20 kbit/s with a queue without end.
    let slow = NetProfile {
        delay: ms(50),
        rate: 2_500,
        ..NetProfile::default()
    };
    let mut sim = Sim::new(1, 1, false, [slow; 2]);
    let text = Message::encode(&"x".repeat(4_000)).unwrap();
    for _ in 0..50 {
        sim.pairs[0][SERVER]
            .link
            .send(&text, Class::Background, sim.now)
            .unwrap();
    }
    sim.flush();
    for number in 0..20 {
        sim.run(seconds(3));
        send(&mut sim, SERVER, [number]);
        let count = |sim: &Sim| {
            sim.pairs[0][CLIENT]
                .messages()
                .filter(|message| message.len() < 10)
                .count()
        };
        assert!(
            sim.run_until(seconds(3), |sim| count(sim) > number as usize),
            "{number}: later than 3 s"
        );
    }
    assert!(sim.run_until(
        seconds(120),
        |sim| sim.pairs[0][SERVER].link.unacknowledged() == 0
    ));
    let ideal = 50 * 4_000 + 50 * 4 * 80;
    let bytes = sim.pairs[0][SERVER].bytes;
    assert!(bytes < ideal * 5 / 4, "{bytes} bytes for {ideal}");
}

#[test]
fn a_return_after_an_outage_is_quick() {
    for seed in 0..40 {
        let delay = ms(5 + seed % 11);
        let clean = NetProfile {
            delay,
            jitter: ms(2),
            ..NetProfile::default()
        };
        let mut sim = Sim::new(seed, 1, false, [clean; 2]);
        send(&mut sim, CLIENT, 0..5);
        sim.run(seconds(2));
        for side in &mut sim.pairs[0] {
            side.profile.loss = 1.0;
        }
        send(&mut sim, CLIENT, 5..8);
        sim.run(seconds(8));
        for side in &mut sim.pairs[0] {
            side.profile.loss = 0.0;
        }
        let is_back = |sim: &Sim| sim.pairs[0][SERVER].messages().count() == 8;
        assert!(
            sim.run_until(ms(1_100), is_back),
            "seed {seed}: not back within 1.1 s"
        );
    }
}

#[test]
fn calm_talk_needs_few_datagrams() {
    let clean = NetProfile {
        delay: ms(20),
        ..NetProfile::default()
    };
    let mut sim = Sim::new(1, 1, false, [clean; 2]);
    for number in 0..100 {
        send(&mut sim, SERVER, [number]);
        sim.run(Duration::from_millis(200));
    }
    let datagrams = sim.pairs[0]
        .iter()
        .map(|side| side.datagrams)
        .sum::<usize>();
    assert!(datagrams <= 202, "{datagrams}");
}

#[test]
fn reordering_and_duplicates_draw_hardly_any_repetition() {
    // At 200 messages a second a packet is overtaken by up to four.
    let crooked = NetProfile {
        duplicates: 0.1,
        delay: ms(20),
        jitter: ms(20),
        ..NetProfile::default()
    };
    for (gap, most_answers) in [(5, 340), (200, 410)] {
        let mut sim = Sim::new(1, 1, false, [crooked; 2]);
        for number in 0..400 {
            send(&mut sim, SERVER, [number]);
            sim.run(ms(gap));
        }
        sim.run(seconds(2));
        let [answers, packets] = [CLIENT, SERVER].map(|side| sim.pairs[0][side].datagrams);
        assert!(packets <= 408, "{packets} packets for 400 messages");
        assert!(answers <= most_answers, "{answers} acknowledgements");
    }
}
