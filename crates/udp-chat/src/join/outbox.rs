//! What a member writes, on its way: waiting for its turn, then for the server's answer.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use chat_link::message::{Message, MessageError, Request};
use chat_link::{Class, Link, MessageId};
use proto::TokenBucket;

use super::command::Outgoing;

/// How many requests may wait. A person's further lines, and a file's, wait before it.
const MAX_WAITING: usize = 32;

/// How many requests may be unacknowledged. More would all be in doubt when contact is lost.
const MAX_IN_FLIGHT: usize = 64;

/// How many acknowledged requests may wait for an answer, which a sound server gives within 100 ms.
const MAX_UNANSWERED: usize = 1_000;

/// A message takes so long in the long run: 20 a second, half of what the server takes.
const INTERVAL: Duration = Duration::from_millis(50);

/// How many may go at once after a rest, likewise.
const BURST: u32 = 50;

#[derive(Debug)]
pub(super) struct Outbox {
    pace: TokenBucket,
    /// When the pace allows the next message, if it kept one back.
    free_at: Option<Instant>,
    waiting: VecDeque<Waiting>,
    sent: VecDeque<Sent>,
}

#[derive(Debug)]
struct Waiting {
    outgoing: Outgoing,
    message: Message,
}

/// What becomes of requests when a link is over.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct GivenUp {
    /// The server may not have them.
    pub(super) in_doubt: Vec<Outgoing>,
    /// The server has them, but has not said under which ids.
    pub(super) unanswered: Vec<Outgoing>,
}

/// A request that the link has.
#[derive(Debug)]
struct Sent {
    /// The link counts messages, and the server requests, from 1.
    number: u64,
    outgoing: Outgoing,
    is_acknowledged: bool,
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self {
            pace: TokenBucket::new(INTERVAL, BURST),
            free_at: None,
            waiting: VecDeque::new(),
            sent: VecDeque::new(),
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < MAX_WAITING
    }

    /// Whether the server has answered everything.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.sent.is_empty()
    }

    /// How many requests the server may not have.
    pub(super) fn unconfirmed(&self) -> usize {
        self.waiting.len() + self.in_flight()
    }

    pub(super) fn push(
        &mut self,
        outgoing: Outgoing,
        request: &Request,
    ) -> Result<(), MessageError> {
        let message = Message::encode(request)?;
        self.waiting.push_back(Waiting { outgoing, message });
        Ok(())
    }

    /// Hands the link what it takes and the pace allows.
    pub(super) fn feed(&mut self, link: &mut Link, now: Instant) {
        self.free_at = None;
        while !self.waiting.is_empty()
            && self.in_flight() < MAX_IN_FLIGHT
            && self.sent.len() < MAX_UNANSWERED
        {
            if let Err(at) = self.pace.take(now) {
                self.free_at = Some(at);
                return;
            }
            let Some(Waiting { outgoing, message }) = self.waiting.pop_front() else {
                return;
            };
            match link.send(&message, Class::Live, now) {
                Ok(MessageId(number)) => self.sent.push_back(Sent {
                    number,
                    outgoing,
                    is_acknowledged: false,
                }),
                Err(_) => {
                    self.waiting.push_front(Waiting { outgoing, message });
                    return;
                }
            }
        }
    }

    /// When to feed the link again, if something waits for the pace alone.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.free_at
    }

    /// The server has the request. Texts are answered as well, with their id or an error.
    pub(super) fn acknowledge(&mut self, number: u64) {
        self.sent.retain_mut(|sent| {
            sent.is_acknowledged |= sent.number == number;
            let is_answered = matches!(sent.outgoing, Outgoing::Nick(_) | Outgoing::Who);
            !(sent.number == number && is_answered)
        });
    }

    /// The server has answered the request.
    pub(super) fn answer(&mut self, number: u64) -> Option<Outgoing> {
        let at = self.sent.iter().position(|sent| sent.number == number)?;
        self.sent.remove(at).map(|sent| sent.outgoing)
    }

    /// The link is over: gives what it had and the server may not have. What it never had stays.
    pub(super) fn give_up_sent(&mut self) -> GivenUp {
        let mut given_up = GivenUp::default();
        for sent in self.sent.drain(..) {
            match sent.is_acknowledged {
                true => given_up.unanswered.push(sent.outgoing),
                false => given_up.in_doubt.push(sent.outgoing),
            }
        }
        given_up
    }

    /// All that the server may not have, sent or not.
    pub(super) fn give_up(&mut self) -> Vec<Outgoing> {
        let mut lost = self.give_up_sent().in_doubt;
        lost.extend(self.waiting.drain(..).map(|waiting| waiting.outgoing));
        lost
    }

    fn in_flight(&self) -> usize {
        self.sent
            .iter()
            .filter(|sent| !sent.is_acknowledged)
            .count()
    }
}
