//! The limiter against a model: any sequence of attempts gets the answers of the rules.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

/// The rules again, in the plainest form: everything is kept, and counted when asked.
#[derive(Default)]
struct Model {
    /// The times of failures in a row, by user and network.
    failures: HashMap<(u64, u64), Vec<u64>>,
    /// The times of all failures of a network.
    taken: HashMap<u64, Vec<u64>>,
}

impl Model {
    fn allows(&self, user: u64, network: u64, is_known: bool, now: u64) -> bool {
        let wait = |count: usize| match count {
            0 => 0,
            1..3 => 1,
            3..9 => 3,
            9..25 => 5,
            25..100 => 10,
            _ => 900,
        };
        let own = self.failures.get(&(user, network));
        let own = own.cloned().unwrap_or_default();
        let of_user = self
            .failures
            .iter()
            .filter(|((whose, _), _)| *whose == user);
        let all: Vec<_> = of_user.flat_map(|(_, times)| times.clone()).collect();
        let by_name = || match all.iter().max() {
            Some(last) => now >= last + wait(all.len()).min(10),
            None => true,
        };
        own.last().is_none_or(|last| now >= last + wait(own.len()))
            && (is_known || by_name())
            && self.has_token(network, now)
    }

    /// Half tokens, one more each second, up to 60.
    fn has_token(&self, network: u64, now: u64) -> bool {
        let (mut halves, mut then) = (60, 0);
        for at in self.taken.get(&network).into_iter().flatten() {
            halves = (halves + at - then).min(60) - 2;
            then = *at;
        }
        (halves + now - then).min(60) >= 2
    }
}

proptest! {
    #[test]
    fn it_allows_what_the_rules_allow(
        steps in prop::collection::vec((0..3u64, 0..3u64, 0..12u64, 0..10u8, any::<bool>()), 0..250),
        restart_at in 0..250usize,
    ) {
        let (mut limiter, mut model, mut now) = (RateLimiter::default(), Model::default(), 0);
        let mut file = HashMap::new();
        for (number, (who, network, pause, outcome, is_known)) in steps.into_iter().enumerate() {
            // Mostly no pause, so that buckets run low.
            now += pause.saturating_sub(9);
            for (entry, saved) in limiter.take_changes() {
                match saved {
                    Some(saved) => file.insert(entry, saved),
                    None => file.remove(&entry),
                };
            }
            if number == restart_at {
                limiter = RateLimiter::default();
                for (entry, saved) in &file {
                    limiter.restore(*entry, *saved, seconds(now));
                }
            }
            let attempt = match is_known {
                true => known_login((who + 1) << 40, network),
                false => login((who + 1) << 40, network),
            };
            let allowed = limiter.check(attempt, seconds(now)).is_ok();
            prop_assert_eq!(allowed, model.allows(who, network, is_known, now), "at {}", now);
            if !allowed {
                continue;
            }
            // The wait of a name begins with its last failure, also one that was forgiven.
            let others_failed = model.failures.keys().any(|(whose, of)| *whose == who && *of != network);
            if outcome == 0 && !others_failed {
                limiter.succeeded(attempt);
                model.failures.remove(&(who, network));
            } else {
                limiter.failed(attempt, seconds(now));
                model.failures.entry((who, network)).or_default().push(now);
                model.taken.entry(network).or_default().push(now);
            }
        }
    }
}
