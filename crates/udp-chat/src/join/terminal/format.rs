//! How the conversation looks on a terminal: local times, names in colours and in a column, a bell.
//!
//! It makes messages; the screen cuts them into rows.

#[cfg(test)]
mod tests;

use std::hash::Hasher;

use chat_link::message::Kind;
use clap::ValueEnum;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proto::caseless_key;
use unicode_width::UnicodeWidthStr;

use super::super::display::{DisplayEvent, Said};
use super::super::wrap::wrap;
use crate::visible::visible;

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

/// The bell rings once in this time at most, however often somebody is called.
const BELL_INTERVAL: SignedDuration = SignedDuration::from_secs(1);

/// When a message rings the terminal's bell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Bell {
    /// For a private text, and for one that has the member's nick in it.
    Mention,
    /// For a private text.
    Private,
    /// Never.
    Never,
}

/// A message as the screen prints it: a head, and a text that may take several rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Message {
    /// May have escape sequences for colours.
    pub(super) head: String,
    pub(super) head_columns: usize,
    /// Without any.
    pub(super) text: String,
    style: Option<&'static str>,
    pub(super) rings: bool,
}

impl Message {
    /// A message without colours.
    pub(super) fn plain(head: &str, text: &str) -> Self {
        Self {
            head: visible(head),
            head_columns: visible(head).width(),
            text: visible(text),
            ..Self::default()
        }
    }

    /// The message as rows of at most `room` columns, each with its end.
    pub(super) fn rows(&self, room: usize) -> String {
        // Below the text, so that no row can look like another message.
        let indent = self.head_columns.clamp(2, room / 2);
        let first = room.saturating_sub(self.head_columns);
        let mut rows = self.head.clone();
        for (index, text) in wrap(&self.text, first, room - indent).iter().enumerate() {
            if index > 0 {
                rows.push_str(&" ".repeat(indent));
            }
            rows.push_str(&paint(self.style, text));
            rows.push('\n');
        }
        if self.rings {
            rows.push('\u{7}');
        }
        rows
    }
}

/// Formats messages, each of which fits the ones before it.
#[derive(Debug)]
pub(super) struct Format {
    colours: bool,
    bell: Bell,
    zone: TimeZone,
    tag_columns: usize,
    rang_at: Option<Timestamp>,
}

impl Format {
    pub(super) fn new(colours: bool, bell: Bell, zone: TimeZone) -> Self {
        Self {
            colours,
            bell,
            zone,
            tag_columns: FIRST_TAG_COLUMNS,
            rang_at: None,
        }
    }

    /// One event, for the member called `own`.
    pub(super) fn message(&mut self, event: &DisplayEvent, own: &str, now: Timestamp) -> Message {
        match event {
            DisplayEvent::Said(said) => self.said(said, own, now),
            DisplayEvent::Trouble(text) => {
                self.row("", (now, now), ("!", RED), visible(text), Some(RED))
            }
            other => {
                let text = other.to_string();
                let text = text.strip_prefix("* ").unwrap_or(&text).to_owned();
                self.row("", (now, now), ("*", DIM), text, Some(DIM))
            }
        }
    }

    /// A service message.
    pub(super) fn service(&mut self, text: &str, now: Timestamp) -> Message {
        self.row("", (now, now), ("-", DIM), visible(text), Some(DIM))
    }

    /// A line of the member called `nick`, as it was typed.
    pub(super) fn own(&mut self, nick: &str, line: &str, now: Timestamp) -> Message {
        let tag = format!("{nick}>");
        self.row("", (now, now), (&tag, colour(nick)), visible(line), None)
    }

    fn said(&mut self, said: &Said, own: &str, now: Timestamp) -> Message {
        // A strange server may send a time that is none.
        let at = i64::try_from(said.at).ok();
        let at = at.and_then(|at| Timestamp::from_millisecond(at).ok());
        let is_private = said.kind == Kind::Private;
        let calls = is_private || mentions(&said.text, own);
        let mark = if said.history { "| " } else { "" };
        let times = (at.unwrap_or(now), now);
        let tag = (&*said.tag(), colour(&said.from));
        let style = calls.then_some(BOLD);
        let mut message = self.row(mark, times, tag, visible(&said.text), style);
        message.rings = !said.history
            && match self.bell {
                Bell::Mention => calls,
                Bell::Private => is_private,
                Bell::Never => false,
            }
            && self.may_ring(now);
        message
    }

    /// At most once in [`BELL_INTERVAL`].
    fn may_ring(&mut self, now: Timestamp) -> bool {
        let rests = |rang_at: Timestamp| now.duration_since(rang_at) >= BELL_INTERVAL;
        let may = self.rang_at.is_none_or(rests);
        if may {
            self.rang_at = Some(now);
        }
        may
    }

    fn row(
        &mut self,
        mark: &str,
        (at, now): (Timestamp, Timestamp),
        (tag, colour): (&str, &'static str),
        text: String,
        text_style: Option<&'static str>,
    ) -> Message {
        let columns = tag.width();
        if columns <= MAX_TAG_COLUMNS {
            self.tag_columns = self.tag_columns.max(columns);
        }
        let gap = self.tag_columns.saturating_sub(columns);
        let time = format!("{mark}{}", self.time(at, now));
        let head_columns = time.width() + 1 + gap + columns + 1;
        let style = |style| Some(style).filter(|_| self.colours);
        let (time, tag) = (paint(style(DIM), &time), paint(style(colour), tag));
        Message {
            head: format!("{time} {:gap$}{tag} ", ""),
            head_columns,
            text,
            style: text_style.filter(|_| self.colours),
            rings: false,
        }
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
}

fn paint(style: Option<&str>, text: &str) -> String {
    match style {
        Some(style) => format!("\x1b[{style}m{text}\x1b[0m"),
        None => text.to_owned(),
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
