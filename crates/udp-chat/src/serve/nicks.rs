//! Who is called what: each nick once, none that could be taken for another, and kept for its key for a while.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chat_link::PublicKey;

use super::member::MemberId;
use crate::nick::Nick;

/// How long a nick is kept for its key after its holder has left.
const KEPT_FOR: Duration = Duration::from_secs(600);

/// How many nicks are kept for a key, and for all keys together.
const MAX_KEPT_PER_KEY: usize = 2;
const MAX_KEPT: usize = 10_000;

/// The nicks in use, and those that are kept.
#[derive(Debug, Default)]
pub(super) struct Nicks {
    /// By each of a nick's forms.
    owners: HashMap<String, Owner>,
    /// The kept nicks, the oldest first.
    kept: Vec<Kept>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Owner {
    key: PublicKey,
    /// `None` while the nick is kept.
    member: Option<MemberId>,
}

#[derive(Debug)]
struct Kept {
    nick: Nick,
    key: PublicKey,
    until: Instant,
}

/// The nick, or one that looks like it, is somebody else's.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken;

impl Nicks {
    /// Gives the nick to a member.
    pub(super) fn claim(
        &mut self,
        nick: &Nick,
        key: PublicKey,
        by: MemberId,
        now: Instant,
    ) -> Result<(), Taken> {
        self.expire(now);
        let is_free = |form: &String| {
            self.owners
                .get(form)
                .is_none_or(|owner| match owner.member {
                    Some(member) => member == by,
                    None => owner.key == key,
                })
        };
        let forms = nick.forms();
        if !forms.iter().all(is_free) {
            return Err(Taken);
        }
        // What the key kept and now uses is not kept any more; forms of it that this nick does not have become free.
        let taken_back: Vec<Nick> = self
            .kept
            .extract_if(.., |kept| {
                kept.key == key && kept.nick.forms().iter().any(|form| forms.contains(form))
            })
            .map(|kept| kept.nick)
            .collect();
        taken_back.iter().for_each(|nick| self.free(nick, None));
        self.owners.extend(forms.map(|form| {
            (
                form,
                Owner {
                    key,
                    member: Some(by),
                },
            )
        }));
        Ok(())
    }

    /// The holder has left or renamed itself: the nick is kept for its key.
    pub(super) fn release(&mut self, nick: &Nick, key: PublicKey, by: MemberId, now: Instant) {
        self.expire(now);
        for form in nick.forms() {
            if let Some(owner) = self
                .owners
                .get_mut(&form)
                .filter(|owner| owner.member == Some(by))
            {
                owner.member = None;
            }
        }
        self.kept.push(Kept {
            nick: nick.clone(),
            key,
            until: now + KEPT_FOR,
        });
        let of_key = self.kept.iter().filter(|kept| kept.key == key).count();
        if of_key > MAX_KEPT_PER_KEY
            && let Some(oldest) = self.kept.iter().position(|kept| kept.key == key)
        {
            self.forget(oldest);
        }
        if self.kept.len() > MAX_KEPT {
            self.forget(0);
        }
    }

    /// Gives a member another nick in place of its own.
    pub(super) fn exchange(
        &mut self,
        old: &Nick,
        new: &Nick,
        key: PublicKey,
        by: MemberId,
        now: Instant,
    ) -> Result<(), Taken> {
        self.claim(new, key, by, now)?;
        let shared = new.forms();
        if old.forms().iter().any(|form| shared.contains(form)) {
            // Another spelling of the same nick: forms that only the old one has become free.
            self.free(old, Some(by));
            self.claim(new, key, by, now)
        } else {
            self.release(old, key, by, now);
            Ok(())
        }
    }

    /// The member that has a nick with this form.
    pub(super) fn holder(&self, form: &str) -> Option<MemberId> {
        self.owners.get(form)?.member
    }

    fn expire(&mut self, now: Instant) {
        while self.kept.first().is_some_and(|kept| kept.until <= now) {
            self.forget(0);
        }
    }

    fn forget(&mut self, index: usize) {
        let kept = self.kept.remove(index);
        self.free(&kept.nick, None);
    }

    fn free(&mut self, nick: &Nick, member: Option<MemberId>) {
        for form in nick.forms() {
            if self
                .owners
                .get(&form)
                .is_some_and(|owner| owner.member == member)
            {
                self.owners.remove(&form);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: PublicKey = PublicKey::from_bytes([1; 32]);
    const EVE: PublicKey = PublicKey::from_bytes([2; 32]);

    fn nick(text: &str) -> Nick {
        Nick::parse(text).unwrap()
    }

    #[test]
    fn a_nick_is_unique_and_then_reserved_for_its_key() {
        let start = Instant::now();
        let mut nicks = Nicks::default();
        assert_eq!(nicks.claim(&nick("Anna"), ANNA, 1, start), Ok(()));
        assert_eq!(nicks.claim(&nick("ANNA"), EVE, 2, start), Err(Taken));
        assert_eq!(
            nicks.claim(&nick("Anna"), ANNA, 3, start),
            Err(Taken),
            "one key, two terminals"
        );
        assert_eq!(nicks.holder("anna"), Some(1));
        nicks.release(&nick("Anna"), ANNA, 1, start);
        assert_eq!(nicks.holder("anna"), None);
        let later = start + KEPT_FOR - Duration::from_secs(1);
        assert_eq!(nicks.claim(&nick("anna"), EVE, 2, later), Err(Taken));
        assert_eq!(nicks.claim(&nick("anna"), ANNA, 4, later), Ok(()));
        nicks.release(&nick("anna"), ANNA, 4, later);
        assert_eq!(nicks.claim(&nick("anna"), EVE, 2, later + KEPT_FOR), Ok(()));
    }

    #[test]
    fn a_key_keeps_its_last_two_nicks() {
        let now = Instant::now();
        let mut nicks = Nicks::default();
        for (id, text) in ["Anna", "Borja", "Clara"].into_iter().enumerate() {
            nicks.claim(&nick(text), ANNA, id as MemberId, now).unwrap();
            nicks.release(&nick(text), ANNA, id as MemberId, now);
        }
        assert_eq!(nicks.claim(&nick("Anna"), EVE, 9, now), Ok(()));
        assert_eq!(nicks.claim(&nick("Borja"), EVE, 9, now), Err(Taken));
        assert_eq!(nicks.claim(&nick("Clara"), EVE, 9, now), Err(Taken));
    }

    #[test]
    fn an_own_nick_can_be_spelled_otherwise() {
        let now = Instant::now();
        let mut nicks = Nicks::default();
        nicks.claim(&nick("Anna"), ANNA, 1, now).unwrap();
        assert_eq!(
            nicks.exchange(&nick("Anna"), &nick("ANNA"), ANNA, 1, now),
            Ok(())
        );
        assert_eq!(nicks.claim(&nick("anna"), EVE, 2, now), Err(Taken));
        assert_eq!(
            nicks.exchange(&nick("ANNA"), &nick("Borja"), ANNA, 1, now),
            Ok(())
        );
        assert_eq!(
            (nicks.holder("borja"), nicks.holder("anna")),
            (Some(1), None)
        );
        assert_eq!(
            nicks.claim(&nick("anna"), EVE, 2, now),
            Err(Taken),
            "it is kept"
        );
    }
}
