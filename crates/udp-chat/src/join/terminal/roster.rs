//! Who is here, as far as was heard, and what the beginning of a word may become.

use std::collections::BTreeMap;

use proto::caseless_key;

use super::super::command::COMMANDS;
use super::super::display::DisplayEvent;
use crate::nick::Nick;

/// How many nicks are known at most, ten times what a server takes by default.
const MAX_NICKS: usize = 10_000;

/// The member's own nick, and others' by their caseless keys.
#[derive(Debug)]
pub(super) struct Roster {
    own: Nick,
    others: BTreeMap<String, Nick>,
}

impl Roster {
    pub(super) fn new(own: Nick) -> Self {
        Self {
            own,
            others: BTreeMap::new(),
        }
    }

    /// The member's own nick.
    pub(super) fn own(&self) -> &Nick {
        &self.own
    }

    /// Follows who comes, goes and changes nicks.
    pub(super) fn learn(&mut self, event: &DisplayEvent) {
        match event {
            DisplayEvent::Said(said) if said.history => {}
            DisplayEvent::Said(said) => self.add(&said.from),
            DisplayEvent::Joined { nick, .. } => self.add(nick),
            DisplayEvent::Left { nick, .. } => self.remove(nick),
            DisplayEvent::Renamed { old, new, .. } => {
                self.remove(old);
                self.add(new);
            }
            DisplayEvent::Members(nicks) | DisplayEvent::Found(nicks) => {
                self.others.clear();
                nicks.iter().for_each(|nick| self.add(nick));
            }
            DisplayEvent::You { nick } => {
                if let Ok(nick) = Nick::parse(nick) {
                    self.own = nick;
                }
            }
            DisplayEvent::Confirmed { .. } | DisplayEvent::Trouble(_) | DisplayEvent::Hint(_) => {}
        }
    }

    /// Where the word at `position` of a line begins, and what it may become.
    pub(super) fn complete(&self, line: &str, position: usize) -> (usize, Vec<String>) {
        let typed = &line[..position];
        let start = typed.rfind(char::is_whitespace).map_or(0, |at| {
            at + typed[at..].chars().next().map_or(0, char::len_utf8)
        });
        let word = &typed[start..];
        if start == 0 && word.starts_with('/') {
            let names = COMMANDS.iter().map(|(name, ..)| name);
            let found = names.filter(|name| name.starts_with(word));
            return (0, found.map(|name| format!("{name} ")).collect());
        }
        let key = caseless_key(word);
        let end = if start == 0 { ": " } else { " " };
        let found = self.others.range(key.clone()..);
        let found = found.take_while(|(other, _)| other.starts_with(&key));
        (
            start,
            found.map(|(_, nick)| format!("{nick}{end}")).collect(),
        )
    }

    /// What is no nick comes from a strange server, and is not for a line to be typed.
    fn add(&mut self, nick: &str) {
        if let Ok(nick) = Nick::parse(nick)
            && self.others.len() < MAX_NICKS
            && nick.key() != self.own.key()
        {
            self.others.insert(nick.key().to_owned(), nick);
        }
    }

    fn remove(&mut self, nick: &str) {
        self.others.remove(&caseless_key(nick));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn roster() -> Roster {
        let mut roster = Roster::new(Nick::parse("me").unwrap());
        let nicks = ["me", "Anna", "anders", "Аня", "bo", "\x1b[2J"];
        roster.learn(&DisplayEvent::Members(nicks.map(str::to_owned).into()));
        roster
    }

    fn complete(line: &str) -> (usize, Vec<String>) {
        roster().complete(line, line.len())
    }

    #[test]
    fn commands_and_nicks_are_completed() {
        assert_eq!(complete("/m"), (0, vec!["/msg ".into(), "/me ".into()]));
        assert_eq!(
            complete("AN"),
            (0, vec!["anders: ".into(), "Anna: ".into()])
        );
        assert_eq!(complete("/msg а"), (5, vec!["Аня ".into()]));
        assert_eq!(complete("hi\u{3000}b"), (5, vec!["bo ".into()]));
        assert_eq!(
            complete("/msg ").1.len(),
            4,
            "all but me and what is no nick"
        );
        assert_eq!(complete("no /m"), (3, vec![]));
    }

    #[test]
    fn joins_and_departures_update_the_list_of_members() {
        let mut roster = roster();
        let nick = |nick: &str| nick.to_owned();
        roster.learn(&DisplayEvent::Joined {
            nick: nick("carl"),
            plaintext: false,
        });
        let (old, new) = (nick("bo"), nick("Ли"));
        roster.learn(&DisplayEvent::Renamed {
            old,
            new,
            is_hidden: false,
        });
        let reason = chat_link::CloseReason::Quit;
        let anna = nick("anna");
        roster.learn(&DisplayEvent::Left { nick: anna, reason });
        let all = roster.complete("x ", 2).1;
        assert_eq!(all, ["anders ", "carl ", "Аня ", "Ли "].map(nick));
        roster.learn(&DisplayEvent::You { nick: nick("I") });
        assert_eq!(roster.own().as_str(), "I");
    }

    proptest! {
        #[test]
        fn any_line_can_be_completed_anywhere(line in "\\PC{0,40}", at in 0..40usize) {
            let at = (0..=at.min(line.len())).rev().find(|&at| line.is_char_boundary(at)).unwrap();
            let (start, _) = roster().complete(&line, at);
            prop_assert!(start <= at && line.is_char_boundary(start));
        }
    }
}
