//! Properties that hold in any weather, tried for many seeds.
//!
//! `LINK_SEEDS=100000` tries that many, `LINK_SEED=7` that one alone.

use std::time::Duration;

use super::ms;
use super::simulation::{Counts, Random, Side, Simulation, Weather};
use crate::link::End;

#[test]
fn every_message_arrives_once_and_in_order_or_is_not_confirmed() {
    for_seeds(2_000, |seed| {
        let mut random = Random(seed);
        let weather = [any_weather(&mut random), any_weather(&mut random)];
        let mut simulation = Simulation::new(seed, weather);
        let counts = [random.below(70), random.below(70)];
        let mut written = [0, 0];
        while written != counts {
            for side in 0..2 {
                let burst = random.below(20).min(counts[side] - written[side]);
                simulation.send(side, written[side] + 1..=written[side] + burst);
                written[side] += burst;
            }
            // Now within a round trip, now long enough for a ping.
            let longest = if random.chance(0.1) { 20_000 } else { 200 };
            simulation.run(Duration::from_millis(random.below(longest)));
        }
        let over = |side: &Side| side.end.is_some() || side.link.unconfirmed().next().is_none();
        let ended = simulation.run_until(minutes(30), |s| s.sides.iter().all(over));
        assert!(ended, "messages are neither confirmed nor given up");

        for (side, count) in counts.into_iter().enumerate() {
            let (here, there) = (&simulation.sides[side], &simulation.sides[1 - side]);
            let arrived = there.arrived.len() as u64;
            assert_eq!(
                there.arrived,
                (1..=arrived).collect::<Vec<_>>(),
                "once and in order"
            );
            assert!(here.confirmed <= arrived, "confirmed what did not arrive");
            let unconfirmed: Vec<_> = here
                .link
                .unconfirmed()
                .map(|body| body.as_json().get().to_owned())
                .collect();
            let expected: Vec<_> = (here.confirmed + 1..=count)
                .map(|n| n.to_string())
                .collect();
            assert_eq!(unconfirmed, expected, "what is not confirmed is known");
            assert!(matches!(here.end, None | Some(End::ContactLost)));
            let mildest = weather.iter().all(|weather| weather.loss <= 0.4);
            assert!(
                here.end.is_none() || !mildest,
                "contact lost at {weather:?}"
            );
        }
    });
}

#[test]
fn a_link_is_quiet_once_everything_is_confirmed() {
    for_seeds(200, |seed| {
        let mut random = Random(seed);
        let mut weather = any_weather(&mut random);
        weather.loss = weather.loss.min(0.3);
        let mut simulation = Simulation::new(seed, [weather; 2]);
        simulation.send(0, 1..=50);
        simulation.send(1, 1..=50);
        let confirmed = |side: &Side| side.confirmed == 50;
        assert!(simulation.run_until(minutes(5), |s| s.sides.iter().all(confirmed)));
        simulation.run(Duration::from_secs(5)); // What is still in the air comes down.
        let before = simulation.sides.each_ref().map(|side| side.sent);
        simulation.run(minutes(10));
        for (side, before) in simulation.sides.iter().zip(before) {
            let keep_alives = side.sent.pings + side.sent.pongs - before.pings - before.pongs;
            assert_eq!(side.sent.all() - before.all(), keep_alives);
            assert!(
                (60..400).contains(&keep_alives),
                "{keep_alives} keep-alives"
            );
        }
    });
}

#[test]
fn an_idle_link_at_30_percent_loss_lives_for_a_day() {
    for_seeds(10, |seed| {
        let weather = Weather {
            loss: 0.3,
            delay: ms(40),
            jitter: ms(20),
            ..Weather::default()
        };
        let mut simulation = Simulation::new(seed, [weather; 2]);
        simulation.run(minutes(24 * 60));
        for side in &simulation.sides {
            assert_eq!(side.end, None);
            let Counts {
                data,
                acks,
                byes,
                pings,
                pongs,
            } = side.sent;
            assert_eq!((data, acks, byes), (0, 0, 0));
            // 8,640 times ten seconds.
            assert!(pings + pongs < 2 * 8_640, "{pings} pings, {pongs} pongs");
        }
        simulation.send(0, 1..=3);
        assert!(simulation.run_until(minutes(1), |s| s.sides[1].arrived.len() == 3));
    });
}

#[test]
fn corrupted_bytes_crash_nothing() {
    for_seeds(100, |seed| {
        let weather = Weather {
            corrupted: 0.5,
            delay: ms(10),
            ..Weather::default()
        };
        let mut simulation = Simulation::new(seed, [weather; 2]);
        for turn in 0..10 {
            simulation.send(0, turn * 20 + 1..=turn * 20 + 20);
            simulation.send(1, turn * 20 + 1..=turn * 20 + 20);
            simulation.run(ms(700));
        }
        simulation.run(minutes(1));
        let arrived = simulation.sides.each_ref().map(|side| side.arrived.len());
        assert!(arrived.iter().all(|count| *count <= 200), "{arrived:?}");
        assert!(arrived.iter().any(|count| *count >= 20), "{arrived:?}");
    });
}

fn any_weather(random: &mut Random) -> Weather {
    Weather {
        loss: 0.6 * random.share(),
        doubled: 0.3 * random.share(),
        corrupted: 0.0,
        delay: ms(random.below(300)),
        jitter: ms(random.below(300)),
    }
}

fn for_seeds(count: u64, test: impl Fn(u64)) {
    /// Names the seed when the test panics, wherever that is.
    struct Named(u64);
    impl Drop for Named {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("this was LINK_SEED={}", self.0);
            }
        }
    }
    let number = |name| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse().expect("a number"))
    };
    let seeds = match number("LINK_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("LINK_SEEDS").unwrap_or(count),
    };
    for seed in seeds {
        let _named = Named(seed);
        test(seed);
    }
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}
