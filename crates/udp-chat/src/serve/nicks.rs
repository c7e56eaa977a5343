//! Who is called what: each nick once, and none that could be taken for another.

use std::collections::HashMap;

use super::member::MemberId;
use crate::nick::Nick;

/// The nicks present.
#[derive(Debug, Default)]
pub(super) struct Nicks {
    /// By each of its forms.
    holders: HashMap<String, MemberId>,
}

/// Somebody else has the nick, or one that looks like it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken;

impl Nicks {
    pub(super) fn claim(&mut self, nick: &Nick, by: MemberId) -> Result<(), Taken> {
        let forms = nick.forms();
        let free = |form| self.holders.get(form).is_none_or(|&holder| holder == by);
        if !forms.iter().all(free) {
            return Err(Taken);
        }
        self.holders.extend(forms.map(|form| (form, by)));
        Ok(())
    }

    pub(super) fn release(&mut self, nick: &Nick) {
        for form in nick.forms() {
            self.holders.remove(&form);
        }
    }

    /// Gives a member another nick in place of its own.
    pub(super) fn exchange(&mut self, old: &Nick, new: &Nick, by: MemberId) -> Result<(), Taken> {
        self.claim(new, by)?;
        self.release(old);
        // They may have forms in common.
        self.claim(new, by)
    }

    /// Who has a nick with this key; the caller looks whether it is the key or another form.
    pub(super) fn holder(&self, key: &str) -> Option<MemberId> {
        self.holders.get(key).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nick(text: &str) -> Nick {
        Nick::parse(text).unwrap()
    }

    #[test]
    fn a_nick_is_one_members_until_it_is_released() {
        let mut nicks = Nicks::default();
        assert_eq!(nicks.claim(&nick("Anna"), 1), Ok(()));
        assert_eq!(nicks.claim(&nick("ANNA"), 2), Err(Taken));
        assert_eq!(nicks.claim(&nick("аnna"), 2), Err(Taken), "a Cyrillic а");
        assert_eq!(nicks.claim(&nick("Borja"), 2), Ok(()));
        assert_eq!(nicks.exchange(&nick("Borja"), &nick("anna"), 2), Err(Taken));
        assert_eq!(nicks.holder("borja"), Some(2));
        nicks.release(&nick("Anna"));
        assert_eq!(nicks.exchange(&nick("Borja"), &nick("anna"), 2), Ok(()));
        assert_eq!(nicks.holder("borja"), None);
        nicks.release(&nick("anna"));
        assert!(nicks.holders.is_empty());
    }

    #[test]
    fn ones_own_nick_can_be_written_otherwise() {
        let mut nicks = Nicks::default();
        nicks.claim(&nick("Anna"), 1).unwrap();
        assert_eq!(nicks.exchange(&nick("Anna"), &nick("ANNA"), 1), Ok(()));
        assert_eq!(nicks.claim(&nick("anna"), 2), Err(Taken));
    }
}
