//! Who is who: nicks change hands, keys do not.
//!
//! A private text goes to the person whom its author means, and an ignored person stays ignored
//! under another nick.

use std::collections::{BTreeMap, HashMap, HashSet};

use chat_link::KeyId;
use chat_link::message::Member;
use proto::caseless_key;

/// How many members are known at most, ten times what a server takes by default.
const MAX_MEMBERS: usize = 10_000;

/// How many nicks are remembered with the person who had them.
const MAX_MEANT: usize = 10_000;

/// How many people and absent nicks can be ignored.
const MAX_IGNORED: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct People {
    /// Nick and key of each member, by the nick's caseless key.
    present: BTreeMap<String, (String, KeyId)>,
    /// Who had a nick when the member last saw a text of it or wrote to it.
    meant: HashMap<String, KeyId>,
    ignored: HashSet<KeyId>,
    /// Nicks that are ignored as soon as somebody has them.
    ignored_nicks: HashSet<String>,
}

/// The nick has passed to another person.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OtherPerson;

/// What became of a wish to ignore somebody.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ignored {
    Hidden,
    /// No member has the nick; the next one who takes it will be hidden.
    HiddenLater,
    ShownAgain,
}

impl People {
    /// The members from now on.
    pub(super) fn replace(&mut self, members: &[Member]) {
        self.present.clear();
        members
            .iter()
            .for_each(|member| self.join(&member.nick, member.key));
    }

    pub(super) fn join(&mut self, nick: &str, key: KeyId) {
        if self.present.len() < MAX_MEMBERS {
            let entry = (nick.to_owned(), key);
            self.present.insert(caseless_key(nick), entry);
        }
        if self.ignored_nicks.remove(&caseless_key(nick)) {
            self.ignored.insert(key);
        }
    }

    pub(super) fn leave(&mut self, nick: &str) {
        self.present.remove(&caseless_key(nick));
    }

    pub(super) fn rename(&mut self, old: &str, new: &str, key: KeyId) {
        self.leave(old);
        self.join(new, key);
        if self.meant.remove(&caseless_key(old)).is_some() {
            self.mean(new, key);
        }
    }

    /// A text of this person was shown under this nick.
    pub(super) fn saw(&mut self, nick: &str, key: KeyId) {
        self.mean(nick, key);
    }

    /// Whom a text for `nick` is for, as far as is known.
    ///
    /// # Errors
    ///
    /// [`OtherPerson`], once: a member who writes again means the present holder of the nick.
    pub(super) fn recipient(&mut self, nick: &str) -> Result<Option<KeyId>, OtherPerson> {
        let nick_key = caseless_key(nick);
        let present = self.present.get(&nick_key).map(|(_, key)| *key);
        let meant = self.meant.get(&nick_key).copied();
        if let Some(key) = present {
            self.mean(nick, key);
        }
        match (present, meant) {
            (Some(present), Some(meant)) if present != meant => Err(OtherPerson),
            (present, meant) => Ok(present.or(meant)),
        }
    }

    /// What a person is called now.
    pub(super) fn nick_of(&self, key: KeyId) -> Option<&str> {
        let mut present = self.present.values();
        present
            .find(|(_, other)| *other == key)
            .map(|(nick, _)| nick.as_str())
    }

    /// Hides the holder of `nick`, or shows that person again.
    pub(super) fn toggle_ignored(&mut self, nick: &str) -> Ignored {
        let nick_key = caseless_key(nick);
        if self.ignored_nicks.remove(&nick_key) {
            return Ignored::ShownAgain;
        }
        let present = self.present.get(&nick_key).map(|(_, key)| *key);
        match present.or_else(|| self.meant.get(&nick_key).copied()) {
            Some(key) if self.ignored.remove(&key) => Ignored::ShownAgain,
            _ if self.ignored.len() + self.ignored_nicks.len() >= MAX_IGNORED => {
                Ignored::ShownAgain
            }
            Some(key) => {
                self.ignored.insert(key);
                match present {
                    Some(_) => Ignored::Hidden,
                    None => Ignored::HiddenLater,
                }
            }
            None => {
                self.ignored_nicks.insert(nick_key);
                Ignored::HiddenLater
            }
        }
    }

    pub(super) fn is_ignored(&self, key: KeyId) -> bool {
        self.ignored.contains(&key)
    }

    fn mean(&mut self, nick: &str, key: KeyId) {
        if self.meant.len() >= MAX_MEANT {
            self.meant.clear();
        }
        self.meant.insert(caseless_key(nick), key);
    }
}

#[cfg(test)]
mod tests {
    use chat_link::PublicKey;

    use super::*;

    fn key(number: u8) -> KeyId {
        PublicKey::from_bytes([number; 32]).key_id()
    }

    #[test]
    fn a_private_text_goes_to_a_person_and_not_to_a_nick() {
        let mut people = People::default();
        assert_eq!(people.recipient("bo"), Ok(None));
        people.join("Bo", key(1));
        assert_eq!(people.recipient("bo"), Ok(Some(key(1))));
        people.leave("bo");
        people.join("bo", key(2));
        assert_eq!(people.recipient("BO"), Err(OtherPerson));
        assert_eq!(
            people.recipient("bo"),
            Ok(Some(key(2))),
            "said and written again"
        );
        people.rename("bo", "Ли", key(2));
        assert_eq!(people.recipient("ли"), Ok(Some(key(2))));
        people.join("carl", key(3));
        people.saw("carl", key(3));
        people.leave("carl");
        assert_eq!(
            people.recipient("carl"),
            Ok(Some(key(3))),
            "the server says who is missing"
        );
    }

    #[test]
    fn an_ignored_person_stays_ignored_under_another_nick() {
        let mut people = People::default();
        people.join("bo", key(1));
        assert_eq!(people.toggle_ignored("BO"), Ignored::Hidden);
        people.rename("bo", "bob", key(1));
        people.join("bo", key(2));
        assert!(people.is_ignored(key(1)) && !people.is_ignored(key(2)));
        assert_eq!(people.toggle_ignored("bob"), Ignored::ShownAgain);
        assert_eq!(people.toggle_ignored("carl"), Ignored::HiddenLater);
        people.join("Carl", key(3));
        assert!(people.is_ignored(key(3)));
        assert_eq!(people.toggle_ignored("carl"), Ignored::ShownAgain);
        assert!(!people.is_ignored(key(3)));
    }
}
