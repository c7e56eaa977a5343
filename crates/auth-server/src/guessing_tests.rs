use std::collections::HashMap;

use proptest::prelude::*;
use proto::Name;

use super::*;

fn user(name: &str) -> UserKey {
    UserKey::of(&Name::parse(name).unwrap())
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The `number`th of addresses that have nothing in common.
fn another(number: u32) -> IpAddr {
    IpAddr::V4((0x0a00_0000 + number).into())
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Fails as soon as it may, so many times, and gives back the waits before each but the first.
fn fail(throttle: &mut Throttle, times: u32, address: impl Fn(u32) -> IpAddr) -> Vec<u64> {
    let (anna, mut now, mut waits) = (user("anna"), Duration::ZERO, vec![]);
    for number in 0..times {
        let address = address(number);
        if let Err(early) = throttle.admit(&anna, address, now) {
            waits.push(early.seconds());
            let almost = now + early.wait - Duration::from_nanos(1);
            assert!(throttle.admit(&anna, address, almost).is_err());
            now += early.wait;
            let _failed = throttle.admit(&anna, address, now).unwrap();
        }
    }
    waits
}

#[test]
fn a_name_at_an_address_waits_longer_and_longer() {
    let waits = fail(&mut Throttle::default(), 105, |_| another(0));
    let expected = [
        vec![1; 2],
        vec![3; 6],
        vec![5; 16],
        vec![10; 75],
        vec![900; 5],
    ]
    .concat();
    assert_eq!(waits, expected);
}

#[test]
fn a_name_from_everywhere_waits_ten_seconds_at_most() {
    let waits = fail(&mut Throttle::default(), 205, another);
    let expected = [vec![1; 2], vec![3; 6], vec![5; 16], vec![10; 180]].concat();
    assert_eq!(waits, expected);
}

#[test]
fn an_address_has_thirty_attempts_and_gains_one_in_two_seconds() {
    let mut throttle = Throttle::default();
    let mut attempts = 0;
    let mut attempt = |now| {
        attempts += 1;
        throttle
            .admit(&user(&format!("user {attempts}")), another(0), now)
            .map(drop)
    };
    for _ in 0..30 {
        assert_eq!(attempt(seconds(0)), Ok(()));
    }
    let early = |milliseconds| {
        Err(TooEarly {
            wait: Duration::from_millis(milliseconds),
        })
    };
    assert_eq!(attempt(seconds(0)), early(2_000));
    assert_eq!(attempt(Duration::from_millis(1_999)), early(1));
    assert_eq!(attempt(seconds(2)), Ok(()));
    assert_eq!(attempt(seconds(2)), early(2_000));
    for _ in 0..30 {
        assert_eq!(attempt(seconds(1_000)), Ok(()));
    }
    assert_eq!(attempt(seconds(1_000)), early(2_000));
}

#[test]
fn registrations_take_from_the_bucket_and_from_nothing_else() {
    let mut throttle = Throttle::default();
    for _ in 0..30 {
        throttle.admit_registration(another(0), seconds(0)).unwrap();
    }
    assert!(throttle.admit_registration(another(0), seconds(1)).is_err());
    assert!(
        throttle
            .admit(&user("anna"), another(0), seconds(1))
            .is_err()
    );
    assert!(throttle.admit_registration(another(1), seconds(0)).is_ok());
    assert!(
        throttle
            .admit(&user("anna"), another(1), seconds(0))
            .is_ok()
    );
}

#[test]
fn an_ipv6_address_counts_by_its_network_and_a_mapped_one_as_ipv4() {
    for (one, other, same) in [
        ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true),
        ("2001:db8::1", "2001:db8:0:1::1", false),
        ("192.0.2.7", "::ffff:192.0.2.7", true),
        ("192.0.2.7", "192.0.2.8", false),
    ] {
        let mut throttle = Throttle::default();
        for _ in 0..30 {
            throttle.admit_registration(ip(one), seconds(0)).unwrap();
        }
        let refused = throttle.admit_registration(ip(other), seconds(0)).is_err();
        assert_eq!(refused, same, "{one} {other}");
    }
}

#[test]
fn attempts_at_once_are_one_attempt() {
    let mut throttle = Throttle::default();
    let admitted = (0..1000).filter(|number| {
        throttle
            .admit(&user("anna"), another(*number), seconds(9))
            .is_ok()
    });
    assert_eq!(admitted.count(), 1);
}

#[test]
fn a_refused_attempt_makes_no_wait_longer() {
    let mut throttle = Throttle::default();
    let _failed = throttle
        .admit(&user("anna"), another(0), seconds(0))
        .unwrap();
    for milliseconds in 0..1000 {
        let early = throttle.admit(
            &user("anna"),
            another(0),
            Duration::from_millis(milliseconds),
        );
        assert_eq!(
            early.unwrap_err().wait,
            Duration::from_millis(1000 - milliseconds)
        );
    }
    assert!(
        throttle
            .admit(&user("anna"), another(0), seconds(1))
            .is_ok()
    );
}

#[test]
fn success_forgives_what_this_address_has_failed() {
    let mut throttle = Throttle::default();
    fail(&mut throttle, 12, |_| another(0));
    let attempt = throttle
        .admit(&user("anna"), another(0), seconds(100))
        .unwrap();
    throttle.succeeded(attempt);
    let _failed = throttle
        .admit(&user("anna"), another(0), seconds(100))
        .unwrap();
    let early = throttle
        .admit(&user("anna"), another(0), seconds(100))
        .unwrap_err();
    assert_eq!(early.seconds(), 1);
}

#[test]
fn success_forgives_nothing_that_others_have_failed() {
    let mut throttle = Throttle::default();
    fail(&mut throttle, 50, |_| another(0));
    let attempt = throttle
        .admit(&user("anna"), another(1), seconds(1_000))
        .unwrap();
    throttle.succeeded(attempt);
    let _failed = throttle
        .admit(&user("anna"), another(1), seconds(1_010))
        .unwrap();
    for address in [another(0), another(1)] {
        let early = throttle
            .admit(&user("anna"), address, seconds(1_010))
            .unwrap_err();
        assert_eq!(early.seconds(), 10, "{address}");
    }
}

#[test]
fn an_attempt_that_was_not_made_counts_for_nothing() {
    let mut throttle = Throttle::default();
    for _ in 0..10 {
        let attempt = throttle
            .admit(&user("anna"), another(0), seconds(0))
            .unwrap();
        throttle.withdrawn(attempt);
    }
    let _failed = throttle
        .admit(&user("anna"), another(0), seconds(0))
        .unwrap();
}

#[test]
fn failures_are_forgotten_after_a_day() {
    let mut throttle = Throttle::default();
    let waits = fail(&mut throttle, 101, |_| another(0));
    let last = seconds(waits.iter().sum());
    assert!(
        throttle
            .admit(&user("anna"), another(0), last + seconds(899))
            .is_err()
    );
    let _failed = throttle
        .admit(&user("anna"), another(0), last + FORGET_AFTER)
        .unwrap();
    let early = throttle
        .admit(&user("anna"), another(0), last + FORGET_AFTER)
        .unwrap_err();
    assert_eq!(early.seconds(), 1);
}

/// The server's own time never runs back, whatever its clock does; if it did, nobody would gain by it.
#[test]
fn time_that_ran_back_admits_nobody_sooner() {
    let (mut throttle, anna) = (Throttle::default(), user("anna"));
    let _failed = throttle.admit(&anna, another(0), seconds(100)).unwrap();
    let early = throttle.admit(&anna, another(0), seconds(50)).unwrap_err();
    assert_eq!(early.seconds(), 51);
    assert!(throttle.admit(&anna, another(0), seconds(101)).is_ok());
    for _ in 2..30 {
        throttle
            .admit_registration(another(0), seconds(101))
            .unwrap();
    }
    let early = throttle.admit_registration(another(0), seconds(0));
    assert!(early.unwrap_err().seconds() > 100);
}

#[test]
fn a_flood_of_names_and_addresses_does_not_free_a_victim() {
    let mut throttle = Throttle::with_entries(100);
    fail(&mut throttle, 30, |_| another(0));
    let now = seconds(10_000);
    let _failed = throttle.admit(&user("anna"), another(0), now).unwrap();
    for number in 1..10_000 {
        let someone = user(&format!("user {number}"));
        let _failed = throttle.admit(&someone, another(number), now).unwrap();
    }
    for address in [another(0), another(10_001)] {
        let early = throttle.admit(&user("anna"), address, now).unwrap_err();
        assert_eq!(early.seconds(), 10, "{address}");
    }
}

#[test]
fn seconds_are_rounded_up() {
    for (milliseconds, seconds) in [(1, 1), (999, 1), (1000, 1), (1001, 2), (900_000, 900)] {
        let wait = Duration::from_millis(milliseconds);
        assert_eq!(TooEarly { wait }.seconds(), seconds);
    }
}

/// The rules again, in the plainest form: everything is kept, and counted when asked.
#[derive(Default)]
struct Model {
    failures: HashMap<(u8, u8), Vec<u64>>,
    taken: HashMap<u8, Vec<u64>>,
}

impl Model {
    fn admits(&self, user: u8, address: u8, now: u64) -> bool {
        let wait = |count: usize| match count {
            0 => 0,
            1..3 => 1,
            3..9 => 3,
            9..25 => 5,
            25..100 => 10,
            _ => 900,
        };
        let own = self
            .failures
            .get(&(user, address))
            .cloned()
            .unwrap_or_default();
        let of_user = self
            .failures
            .iter()
            .filter(|((whose, _), _)| *whose == user);
        let all: Vec<_> = of_user.flat_map(|(_, times)| times.clone()).collect();
        own.last().is_none_or(|last| now >= last + wait(own.len()))
            && all
                .iter()
                .max()
                .is_none_or(|last| now >= last + wait(all.len()).min(10))
            && self.has_token(address, now)
    }

    /// Half tokens, one more each second, up to 60.
    fn has_token(&self, address: u8, now: u64) -> bool {
        let (mut halves, mut then) = (60, 0);
        for at in self.taken.get(&address).into_iter().flatten() {
            halves = (halves + at - then).min(60) - 2;
            then = *at;
        }
        (halves + now - then).min(60) >= 2
    }
}

proptest! {
    #[test]
    fn it_admits_what_the_rules_admit(
        steps in prop::collection::vec((0..3u8, 0..3u8, 0..12u64, 0..10u8), 0..400),
    ) {
        let (mut throttle, mut model, mut now) = (Throttle::default(), Model::default(), 0);
        for (who, address, pause, outcome) in steps {
            // Mostly no pause, so that buckets run low.
            now += pause.saturating_sub(9);
            let name = user(&format!("user {who}"));
            let admitted = throttle.admit(&name, another(address.into()), seconds(now));
            prop_assert_eq!(admitted.is_ok(), model.admits(who, address, now), "at {}", now);
            let Ok(attempt) = admitted else { continue };
            model.taken.entry(address).or_default().push(now);
            match outcome {
                // The name is waited for from the last attempt on, whatever became of it.
                0 if model.failures.keys().all(|(whose, _)| *whose != who) => throttle.succeeded(attempt),
                1 if model.failures.keys().all(|(whose, _)| *whose != who) => throttle.withdrawn(attempt),
                _ => model.failures.entry((who, address)).or_default().push(now),
            }
        }
    }
}
