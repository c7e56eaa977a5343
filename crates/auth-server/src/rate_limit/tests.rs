mod model;

use super::*;

const ANNA: u64 = 1 << 40;

/// A login of a user from the network of this number.
fn login(name: u64, network: u64) -> Attempt {
    Attempt::Login {
        pair: name + network + 1,
        name,
        network,
        is_known_network: false,
    }
}

fn known_login(name: u64, network: u64) -> Attempt {
    match login(name, network) {
        Attempt::Login {
            pair,
            name,
            network,
            ..
        } => Attempt::Login {
            pair,
            name,
            network,
            is_known_network: true,
        },
        other => other,
    }
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn limited(wait: Duration) -> Result<(), RateLimited> {
    Err(RateLimited { wait })
}

/// Makes attempts that fail, each as soon as it is allowed, and returns the waits before all but the first.
fn fail(limiter: &mut RateLimiter, times: u64, attempt: impl Fn(u64) -> Attempt) -> Vec<u64> {
    let (mut now, mut waits) = (Duration::ZERO, vec![]);
    for number in 0..times {
        let attempt = attempt(number);
        if let Err(limited) = limiter.check(attempt, now) {
            waits.push(limited.seconds());
            let almost = now + limited.wait - Duration::from_nanos(1);
            assert!(limiter.check(attempt, almost).is_err());
            now += limited.wait;
        }
        assert_eq!(limiter.check(attempt, now), Ok(()));
        limiter.failed(attempt, now);
    }
    waits
}

fn steps(tail: &[u64]) -> Vec<u64> {
    [&[1; 2][..], &[3; 6], &[5; 16], tail].concat()
}

#[test]
fn a_name_and_network_wait_longer_and_longer() {
    let waits = fail(&mut RateLimiter::default(), 105, |_| login(ANNA, 0));
    assert_eq!(waits, steps(&[&[10; 75][..], &[900; 5]].concat()));
}

#[test]
fn a_name_from_everywhere_waits_ten_seconds_at_most() {
    let waits = fail(&mut RateLimiter::default(), 205, |n| login(ANNA, n));
    assert_eq!(waits, steps(&[10; 180]));
}

#[test]
fn a_session_waits_like_a_name_and_network() {
    let mut limiter = RateLimiter::default();
    let attempt = Attempt::PasswordChange { session: 7 };
    let waits = fail(&mut limiter, 105, |_| attempt);
    assert_eq!(waits, steps(&[&[10; 75][..], &[900; 5]].concat()));
    let other = Attempt::PasswordChange { session: 8 };
    assert_eq!(limiter.check(other, seconds(0)), Ok(()));
    limiter.succeeded(attempt);
    assert_eq!(limiter.check(attempt, seconds(0)), Ok(()));
}

#[test]
fn failures_elsewhere_delay_neither_known_networks_nor_live_sessions() {
    let mut limiter = RateLimiter::default();
    for network in 1..200 {
        limiter.failed(login(ANNA, network), seconds(0));
    }
    let session = Attempt::PasswordChange { session: 7 };
    assert_eq!(
        limiter.check(login(ANNA, 0), seconds(0)),
        limited(seconds(10))
    );
    assert_eq!(limiter.check(known_login(ANNA, 0), seconds(0)), Ok(()));
    assert_eq!(limiter.check(session, seconds(0)), Ok(()));
    // What the known network itself fails does.
    limiter.failed(known_login(ANNA, 0), seconds(0));
    let own = limiter.check(known_login(ANNA, 0), seconds(0));
    assert_eq!(own, limited(seconds(1)));
}

#[test]
fn a_network_has_thirty_failures_and_regains_one_in_two_seconds() {
    let mut limiter = RateLimiter::default();
    let mut users = 0;
    let mut attempt = |now| {
        users += 1;
        let attempt = login(users << 40, 0);
        limiter.check(attempt, now)?;
        // A success costs nothing.
        limiter.succeeded(attempt);
        limiter.failed(attempt, now);
        Ok(())
    };
    for _ in 0..30 {
        assert_eq!(attempt(seconds(0)), Ok(()));
    }
    assert_eq!(attempt(seconds(0)), limited(seconds(2)));
    assert_eq!(attempt(millis(1_999)), limited(millis(1)));
    assert_eq!(attempt(seconds(2)), Ok(()));
    assert_eq!(attempt(seconds(2)), limited(seconds(2)));
    for _ in 0..30 {
        assert_eq!(attempt(seconds(1_000)), Ok(()));
    }
    assert_eq!(attempt(seconds(1_000)), limited(seconds(2)));
}

#[test]
fn registrations_and_guesses_have_buckets_of_their_own() {
    let mut limiter = RateLimiter::default();
    for _ in 0..30 {
        limiter.take_registration(0, seconds(0)).unwrap();
    }
    assert_eq!(
        limiter.take_registration(0, seconds(0)),
        limited(seconds(2))
    );
    assert_eq!(limiter.take_registration(1, seconds(0)), Ok(()));
    for user in 0..30 {
        let attempt = login(user << 40, 0);
        assert_eq!(limiter.check(attempt, seconds(0)), Ok(()));
        limiter.failed(attempt, seconds(0));
    }
    limiter.return_registration(0);
    assert_eq!(limiter.take_registration(0, seconds(0)), Ok(()));
    // A full bucket does not overflow.
    limiter.return_registration(2);
    for _ in 0..30 {
        limiter.take_registration(2, seconds(0)).unwrap();
    }
    assert!(limiter.take_registration(2, seconds(0)).is_err());
}

#[test]
fn attempts_that_share_a_wait_take_turns() {
    // All strangers to a name share one key; each known network has its own.
    assert_eq!(
        login(ANNA, 0).exclusive_key(),
        login(ANNA, 1).exclusive_key()
    );
    let keys = [
        login(ANNA, 0),
        known_login(ANNA, 0),
        known_login(ANNA, 1),
        login(2 << 40, 0),
        Attempt::PasswordChange { session: 7 },
    ]
    .map(Attempt::exclusive_key);
    for (number, key) in keys.iter().enumerate() {
        assert!(!keys[..number].contains(key));
    }
}

#[test]
fn a_refused_attempt_makes_no_wait_longer() {
    let mut limiter = RateLimiter::default();
    let attempt = login(ANNA, 0);
    limiter.failed(attempt, seconds(0));
    for now in 0..1000 {
        let refused = limiter.check(attempt, millis(now));
        assert_eq!(refused, limited(millis(1000 - now)));
    }
    assert_eq!(limiter.check(attempt, seconds(1)), Ok(()));
}

#[test]
fn success_forgives_what_this_network_has_failed() {
    let mut limiter = RateLimiter::default();
    let attempt = login(ANNA, 0);
    fail(&mut limiter, 12, |_| attempt);
    limiter.succeeded(attempt);
    assert_eq!(limiter.check(attempt, seconds(100)), Ok(()));
    limiter.failed(attempt, seconds(100));
    assert_eq!(limiter.check(attempt, seconds(100)), limited(seconds(1)));
}

#[test]
fn success_forgives_nothing_that_others_have_failed() {
    let mut limiter = RateLimiter::default();
    fail(&mut limiter, 50, |_| login(ANNA, 0));
    limiter.succeeded(login(ANNA, 1));
    limiter.failed(login(ANNA, 1), seconds(1_010));
    for network in [0, 1, 2] {
        let refused = limiter.check(login(ANNA, network), seconds(1_010));
        assert_eq!(refused, limited(seconds(10)), "{network}");
    }
}

#[test]
fn failures_are_forgotten_after_a_day() {
    let mut limiter = RateLimiter::default();
    let attempt = login(ANNA, 0);
    let waits = fail(&mut limiter, 101, |_| attempt);
    let last = seconds(waits.iter().sum());
    assert!(limiter.check(attempt, last + seconds(899)).is_err());
    assert_eq!(limiter.check(attempt, last + FORGET_AFTER), Ok(()));
    limiter.failed(attempt, last + FORGET_AFTER);
    assert_eq!(
        limiter.check(attempt, last + FORGET_AFTER),
        limited(seconds(1))
    );
}

/// The server's time never runs back, whatever the system's clock does. If it did, no client would gain by it.
#[test]
fn time_that_runs_back_allows_nothing_sooner() {
    let mut limiter = RateLimiter::default();
    let attempt = login(ANNA, 0);
    limiter.failed(attempt, seconds(100));
    assert_eq!(limiter.check(attempt, seconds(50)), limited(seconds(51)));
    assert_eq!(limiter.check(attempt, seconds(101)), Ok(()));
}

#[test]
fn a_flood_of_names_and_networks_does_not_free_a_victim() {
    let mut limiter = RateLimiter::with_entries(100);
    fail(&mut limiter, 30, |_| login(ANNA, 0));
    let now = seconds(10_000);
    limiter.failed(login(ANNA, 0), now);
    for number in 2..10_000 {
        limiter.failed(login(number << 40, number), now);
    }
    for network in [0, 10_001] {
        let refused = limiter.check(login(ANNA, network), now);
        assert_eq!(refused, limited(seconds(10)), "{network}");
    }
}

#[test]
fn expired_entries_go() {
    let mut limiter = RateLimiter::default();
    limiter.failed(login(ANNA, 0), seconds(0));
    limiter.take_registration(0, seconds(0)).unwrap();
    assert_eq!(limiter.take_changes().len(), 4);
    limiter.expire(seconds(2));
    let changes = limiter.take_changes();
    assert!(changes.iter().all(|(_, saved)| saved.is_none()));
    assert_eq!(changes.len(), 2, "both buckets are full again");
    limiter.expire(FORGET_AFTER);
    assert_eq!(limiter.take_changes().len(), 2);
}

#[test]
fn a_clock_that_ran_ahead_makes_no_wait_longer_than_the_rules() {
    let (mut ahead, mut limiter) = (RateLimiter::default(), RateLimiter::default());
    let far = seconds(1 << 40);
    for _ in 0..200 {
        ahead.failed(login(ANNA, 0), far);
        ahead.failed(Attempt::PasswordChange { session: 7 }, far);
    }
    let _ = ahead.take_registration(0, far);
    let now = seconds(1_000);
    for (entry, saved) in ahead.take_changes() {
        let saved = saved.unwrap();
        limiter.restore(entry, saved, now);
        let longest = Saved {
            failures: u32::MAX,
            at: Duration::from_millis(u64::MAX),
        };
        limiter.restore(Entry { key: 9, ..entry }, longest, now);
    }
    assert_eq!(limiter.check(login(ANNA, 0), now), limited(LONGEST_WAIT));
    assert_eq!(limiter.take_registration(9, now), limited(seconds(2)));
}

#[test]
fn seconds_are_rounded_up() {
    for (milliseconds, seconds) in [(1, 1), (999, 1), (1000, 1), (1001, 2), (900_000, 900)] {
        let wait = millis(milliseconds);
        assert_eq!(RateLimited { wait }.seconds(), seconds);
    }
}

/// Three networks try wrong passwords for one name every 50 ms. Returns how long the owner waits, who tries again after
/// each `retry_after`.
fn owner_under_attack(owner: impl Fn(u64) -> Attempt) -> Vec<u64> {
    const VISITS: u64 = 100;
    let mut limiter = RateLimiter::default();
    let (mut waits, mut asked_at, mut asks_at) = (vec![], 60_000, 60_000);
    for now in (0..3_600_000).step_by(10) {
        // The attackers come first, as clients that poll without end do.
        for network in 0..3 {
            let attempt = login(ANNA, network);
            if now % 50 == 0 && limiter.check(attempt, millis(now)).is_ok() {
                limiter.failed(attempt, millis(now));
            }
        }
        if now < asks_at {
            continue;
        }
        let attempt = owner(waits.len() as u64);
        match limiter.check(attempt, millis(now)) {
            Ok(()) => {
                limiter.succeeded(attempt);
                waits.push(now - asked_at);
                (asked_at, asks_at) = (now + 20_000, now + 20_000);
            }
            Err(limited) => asks_at = now + limited.seconds() * 1_000,
        }
        if waits.len() as u64 == VISITS {
            break;
        }
    }
    waits
}

#[test]
fn an_owner_on_a_known_network_never_waits_for_guessers() {
    let waits = owner_under_attack(|_| known_login(ANNA, 1_000));
    assert_eq!(waits, [0; 100]);
}

#[test]
fn a_traveller_may_wait_as_long_as_an_attacker_guesses() {
    let waits = owner_under_attack(|_| login(ANNA, 1_000));
    assert!(waits.len() < 100, "the security notes say otherwise");
}
