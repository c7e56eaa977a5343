//! How the conversation looks on a terminal: local times, names in colours and in a column, a bell.
//!
//! It makes text; where that goes is not known here.

use std::hash::Hasher;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proto::chat::Kind;
use proto::{Escaped, caseless_key};
use unicode_width::UnicodeWidthStr;

use super::super::shown::{Said, Shown};

/// The widest column for names; a longer name moves its own text alone.
const MAX_TAG_COLUMNS: usize = 18;

/// Its width at first, so that the first lines fit most names.
const FIRST_TAG_COLUMNS: usize = 8;

/// The terminal's own colours but black, white and red, which is for trouble: they suit its
/// background.
const NICK_COLOURS: [&str; 10] = ["32", "33", "34", "35", "36", "92", "93", "94", "95", "96"];

const DIM: &str = "2";
const BOLD: &str = "1";
const RED: &str = "31";

const BELL: char = '\u{7}';

/// Formats lines, each of which fits the ones before it.
#[derive(Debug)]
pub(super) struct Look {
    colours: bool,
    zone: TimeZone,
    tag_columns: usize,
}

impl Look {
    pub(super) fn new(colours: bool, zone: TimeZone) -> Self {
        Self {
            colours,
            zone,
            tag_columns: FIRST_TAG_COLUMNS,
        }
    }

    /// One thing as a line with its end, for the member called `own`.
    pub(super) fn line(&mut self, shown: &Shown, own: &str, now: Timestamp) -> String {
        match shown {
            Shown::Said(said) => self.said(said, own, now),
            Shown::Trouble(text) => {
                let text = self.paint(RED, &Escaped::new(text).to_string());
                self.row("", now, now, ("!", RED), &text)
            }
            other => {
                let text = other.to_string();
                let text = text.strip_prefix("* ").unwrap_or(&text);
                let text = self.paint(DIM, text);
                self.row("", now, now, ("*", DIM), &text)
            }
        }
    }

    /// A service message.
    pub(super) fn note(&mut self, text: &str, now: Timestamp) -> String {
        let text = self.paint(DIM, &Escaped::new(text).to_string());
        self.row("", now, now, ("-", DIM), &text)
    }

    fn said(&mut self, said: &Said, own: &str, now: Timestamp) -> String {
        // What a strange server calls a time is none.
        let at = i64::try_from(said.at).ok();
        let at = at.and_then(|at| Timestamp::from_millisecond(at).ok());
        let text = Escaped::new(&said.text).to_string();
        let calls = said.kind == Kind::Private || mentions(&said.text, own);
        let text = if calls { self.paint(BOLD, &text) } else { text };
        let mark = if said.history { "| " } else { "" };
        let tag = said.tag();
        let mut row = self.row(
            mark,
            at.unwrap_or(now),
            now,
            (&tag, colour(&said.from)),
            &text,
        );
        if calls && !said.history {
            row.insert(row.len() - 1, BELL);
        }
        row
    }

    fn row(
        &mut self,
        mark: &str,
        at: Timestamp,
        now: Timestamp,
        (tag, colour): (&str, &str),
        text: &str,
    ) -> String {
        let columns = tag.width();
        if columns <= MAX_TAG_COLUMNS {
            self.tag_columns = self.tag_columns.max(columns);
        }
        let gap = self.tag_columns.saturating_sub(columns);
        let time = self.paint(DIM, &format!("{mark}{}", self.time(at, now)));
        let tag = self.paint(colour, tag);
        format!("{time} {:gap$}{tag} {text}\n", "")
    }

    /// The time of day, with the date if it is another than today's.
    fn time(&self, at: Timestamp, now: Timestamp) -> String {
        let [at, now] = [at, now].map(|time| time.to_zoned(self.zone.clone()));
        let form = if at.date() == now.date() {
            "%H:%M"
        } else {
            "%Y-%m-%d %H:%M"
        };
        at.strftime(form).to_string()
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colours {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// The colour of a nick, the same in every session.
fn colour(nick: &str) -> &'static str {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    hash.write(caseless_key(nick).as_bytes());
    NICK_COLOURS[(hash.finish() % NICK_COLOURS.len() as u64) as usize]
}

/// FNV-1a, since std's hash may differ from one release to the next.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// Whether a text has a nick in it as a word of its own.
fn mentions(text: &str, nick: &str) -> bool {
    let (text, nick) = (caseless_key(text), caseless_key(nick));
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    !nick.is_empty()
        && text.match_indices(&nick).any(|(at, found)| {
            let before = text[..at].chars().next_back();
            let after = text[at + found.len()..].chars().next();
            !is_word(before) && !is_word(after)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0); // 14:13:20 in UTC

    fn said(from: &str, text: &str) -> Said {
        Said {
            history: false,
            at: 1_790_000_000_000,
            from: from.into(),
            kind: Kind::Say,
            text: text.into(),
        }
    }

    fn plain() -> Look {
        Look::new(false, TimeZone::UTC)
    }

    fn show(look: &mut Look, said: Said) -> String {
        look.line(&Shown::Said(said), "me", NOW)
    }

    #[test]
    fn names_stand_in_a_column_whatever_their_script() {
        let mut look = plain();
        let lines: Vec<_> = ["anna.maria", "山田", "Аня", "👍🏽", "❤\u{fe0f}"]
            .map(|nick| show(&mut look, said(nick, "hi")))
            .into();
        let columns = |line: &String| line[..line.find(" hi").unwrap()].width();
        assert_eq!(lines[0], "14:13 <anna.maria> hi\n");
        assert_eq!(lines[1], "14:13       <山田> hi\n");
        assert!(lines.iter().all(|line| columns(line) == 18), "{lines:?}");
        let long = show(&mut look, said(&"n".repeat(32), "hi"));
        assert!(long.contains("n> hi"));
        assert_eq!(show(&mut look, said("山田", "hi")), lines[1]);
    }

    #[test]
    fn history_is_marked_and_of_another_day_dated() {
        let mut look = plain();
        let mut old = said("bo", "me too");
        old.history = true;
        assert_eq!(show(&mut look, old.clone()), "| 14:13     <bo> me too\n");
        old.at -= 86_400_000;
        assert_eq!(show(&mut look, old), "| 2026-09-20 14:13     <bo> me too\n");
        let mut absurd = said("bo", "hi");
        absurd.at = u64::MAX;
        assert_eq!(show(&mut look, absurd), "14:13     <bo> hi\n");
    }

    #[test]
    fn a_bell_rings_for_who_is_called() {
        let mut look = plain();
        for (text, rings) in [
            ("Me, look", true),
            ("it is ME", true),
            ("home", false),
            ("some_me", false),
            ("mé", false),
        ] {
            let line = show(&mut look, said("bo", text));
            assert_eq!(line.ends_with("\u{7}\n"), rings, "{text}");
        }
        let mut private = said("bo", "psst");
        private.kind = Kind::Private;
        assert_eq!(show(&mut look, private), "14:13     [bo] psst\u{7}\n");
    }

    #[test]
    fn colours_are_by_nick_and_can_be_left_out() {
        let mut look = Look::new(true, TimeZone::UTC);
        let line = show(&mut look, said("bo", "hi"));
        let colour = colour("BO");
        assert_eq!(
            line,
            format!("\x1b[2m14:13\x1b[0m     \x1b[{colour}m<bo>\x1b[0m hi\n")
        );
        let nicks = ["anna", "bo", "carl", "dora", "Аня", "山田"];
        let colours = std::collections::BTreeSet::from(nicks.map(super::colour));
        assert!(colours.len() > 3, "{colours:?}");
    }

    #[test]
    fn nothing_from_the_network_commands_the_terminal() {
        let mut look = plain();
        let evil = "\x1b[2J\u{9b}1m\u{202e}\r\n\x07";
        let joined = Shown::Joined { nick: evil.into() };
        let trouble = Shown::Trouble(evil.into());
        let lines = [
            show(&mut look, said(evil, evil)),
            look.line(&joined, "me", NOW),
            look.line(&trouble, "me", NOW),
            look.note(evil, NOW),
        ];
        for line in lines {
            let body = line.strip_suffix('\n').unwrap();
            let harmful = |c: char| c.is_control() || c == '\u{202e}';
            assert!(!body.contains(harmful), "{body:?}");
        }
    }
}
