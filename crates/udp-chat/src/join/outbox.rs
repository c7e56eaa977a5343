//! What a member writes, on its way: waiting for its turn, then for its confirmation.
//!
//! A text may be several messages of the link; here it is one again, to be told whole when it is
//! not confirmed.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use proto::chat::{Body, TooLong};

use super::command::Wish;
use crate::link::Link;
use crate::pace::Pace;

/// How many texts may wait. A person who writes ahead of a lost contact has room for a page; what
/// reads a file stops reading.
pub(super) const MAX_TEXTS: usize = 32;

/// A message takes so long in the long run: 20 a second, half of what the server bears.
const INTERVAL: Duration = Duration::from_millis(50);

/// How many may go at once after a rest, likewise.
const BURST: u32 = 50;

#[derive(Debug)]
pub(super) struct Outbox {
    pace: Pace,
    /// When the pace allows the next message, if it kept one back.
    free_at: Option<Instant>,
    waiting: VecDeque<Text>,
    /// Texts the link has whole, each with the number of its last message.
    sent: VecDeque<(u64, Wish)>,
}

#[derive(Debug)]
struct Text {
    wish: Wish,
    /// What the link does not have yet.
    parts: VecDeque<Body>,
    begun: bool,
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self {
            pace: Pace::new(INTERVAL, BURST),
            free_at: None,
            waiting: VecDeque::new(),
            sent: VecDeque::new(),
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < MAX_TEXTS
    }

    /// How many are not confirmed.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.sent.len()
    }

    pub(super) fn push(&mut self, wish: Wish) -> Result<(), TooLong> {
        let parts = wish.encode()?.into();
        self.waiting.push_back(Text {
            wish,
            parts,
            begun: false,
        });
        Ok(())
    }

    /// Hands the link what it takes and the pace allows.
    pub(super) fn feed(&mut self, link: &mut Link, now: Instant) {
        self.free_at = None;
        while let Some(text) = self.waiting.front_mut() {
            if !link.is_writable() {
                return;
            }
            if let Err(at) = self.pace.take(now) {
                self.free_at = Some(at);
                return;
            }
            let part = text
                .parts
                .pop_front()
                .expect("a text has a part until it is sent");
            let number = link.send(part).expect("a writable link takes a message");
            text.begun = true;
            if text.parts.is_empty() {
                self.sent
                    .extend(self.waiting.pop_front().map(|text| (number, text.wish)));
            }
        }
    }

    /// When to feed the link again, if something waits for the pace alone.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.free_at
    }

    /// The server has the messages up to this number.
    pub(super) fn confirm(&mut self, through: u64) {
        while self.sent.front().is_some_and(|(last, _)| *last <= through) {
            self.sent.pop_front();
        }
    }

    /// The link is over: gives what it had and did not bring to its end. What it never had stays.
    pub(super) fn give_up_sent(&mut self) -> Vec<Wish> {
        let mut lost: Vec<_> = self.sent.drain(..).map(|(_, wish)| wish).collect();
        if self.waiting.front().is_some_and(|text| text.begun) {
            lost.extend(self.waiting.pop_front().map(|text| text.wish));
        }
        lost
    }

    /// The same of everything.
    pub(super) fn give_up(&mut self) -> Vec<Wish> {
        let mut lost = self.give_up_sent();
        lost.extend(self.waiting.drain(..).map(|text| text.wish));
        lost
    }
}
