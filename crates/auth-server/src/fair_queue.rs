//! The order in which attempts are hashed: fair between networks, with slots reserved for known networks, and one
//! attempt at a time for each exclusive key. Pure: it holds the items, gets the time, and knows nothing of threads.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use proto::Network;

/// Slots for attempts from networks that are not known. At 20 ms a hash, two workers empty them in less than a second.
pub const UNKNOWN_SLOTS: usize = 64;

/// Slots for attempts from known networks. An attacker makes networks known with accounts of its own, so there are
/// many: at 20 ms a hash, two workers serve one attempt of each of 500 networks in 5 s. Attempts that wait cost little,
/// while refused ones that come again at once take time from the hashes.
pub const KNOWN_SLOTS: usize = 2_048;

/// An item that has waited this long is removed. Clients wait for 30 s by default, and the hash and the disk take a
/// part of that.
pub const MAX_WAIT: Duration = Duration::from_secs(15);

/// Networks whose last turn a lane remembers, some 4 MiB: as many as an IPv6 /48 has.
const MAX_REMEMBERED: usize = 1 << 16;

/// Who waits.
#[derive(Clone, Copy, Debug)]
pub struct Ticket {
    /// Where the attempt comes from.
    pub network: Network,
    /// Whether its user has logged in from there lately, or has a live session.
    pub is_known: bool,
    /// Attempts with the same key run one after another; see
    /// [`Attempt::exclusive_key`](crate::Attempt::exclusive_key).
    pub exclusive_key: Option<u64>,
}

/// A bounded queue of items with their tickets, in two lanes that take turns.
#[derive(Debug)]
pub struct FairQueue<T> {
    known: Lane<T>,
    unknown: Lane<T>,
    /// Whether the last item came from the known lane.
    was_known: bool,
    /// Exclusive keys of the items that were popped and have not finished, a few at most: as many as there are workers.
    running: Vec<u64>,
}

/// What became of a [`push`](FairQueue::push).
#[derive(Debug, PartialEq, Eq)]
pub enum Pushed<T> {
    /// The item waits.
    Waiting,
    /// The item waits in the slot of this one.
    Displaced(T),
    /// There is no slot.
    Full(T),
}

impl<T> Default for FairQueue<T> {
    fn default() -> Self {
        Self {
            known: Lane::new(KNOWN_SLOTS),
            unknown: Lane::new(UNKNOWN_SLOTS),
            was_known: false,
            running: Vec::new(),
        }
    }
}

impl<T> FairQueue<T> {
    /// Adds an item. In a full lane the newest item of the network with the most items gives way, if it has more than
    /// this network, or as many and had a turn later.
    pub fn push(&mut self, ticket: Ticket, item: T, now: Instant) -> Pushed<T> {
        self.lane(ticket.is_known).push(ticket, item, now)
    }

    /// Takes the next item whose exclusive key is free, if there is one. The caller reports its end to
    /// [`finish`](Self::finish).
    pub fn pop(&mut self) -> Option<(Ticket, T)> {
        let running = &self.running;
        for is_known in [!self.was_known, self.was_known] {
            let lane = match is_known {
                true => &mut self.known,
                false => &mut self.unknown,
            };
            if let Some((ticket, item)) = lane.pop(|ticket| is_free(running, ticket)) {
                self.was_known = is_known;
                self.running.extend(ticket.exclusive_key);
                return Some((ticket, item));
            }
        }
        None
    }

    /// Marks the exclusive key of an item as running, for one that need not wait; says whether it was free.
    pub fn try_start(&mut self, ticket: &Ticket) -> bool {
        let may_start = is_free(&self.running, ticket);
        if may_start {
            self.running.extend(ticket.exclusive_key);
            self.lane(ticket.is_known).take_turn(ticket.network);
        }
        may_start
    }

    /// Removes and returns the items that have waited for [`MAX_WAIT`].
    pub fn take_overdue(&mut self, now: Instant) -> Vec<T> {
        let mut overdue = self.known.take_overdue(now);
        overdue.extend(self.unknown.take_overdue(now));
        overdue
    }

    /// Frees the exclusive key of an item.
    pub fn finish(&mut self, ticket: &Ticket) {
        let place = self
            .running
            .iter()
            .position(|key| Some(*key) == ticket.exclusive_key);
        if let Some(place) = place {
            self.running.swap_remove(place);
        }
    }

    /// How many items wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.waiting.len() + self.unknown.waiting.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lane(&mut self, is_known: bool) -> &mut Lane<T> {
        match is_known {
            true => &mut self.known,
            false => &mut self.unknown,
        }
    }
}

fn is_free(running: &[u64], ticket: &Ticket) -> bool {
    ticket
        .exclusive_key
        .is_none_or(|key| !running.contains(&key))
}

/// Items in the order of their arrival. Of the networks that wait, the one whose last turn was the longest ago is next.
#[derive(Debug)]
struct Lane<T> {
    slots: usize,
    waiting: Vec<Waiting<T>>,
    /// The networks of the waiting items.
    usage: HashMap<Network, Usage>,
    turns: Turns,
}

#[derive(Debug)]
struct Waiting<T> {
    ticket: Ticket,
    item: T,
    since: Instant,
}

/// How much a network uses a lane. In a full lane the greatest gives way: with the most items, and of those with as
/// many the one that had a turn last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Usage {
    items: usize,
    last_turn: u64,
}

impl<T> Lane<T> {
    fn new(slots: usize) -> Self {
        Self {
            slots,
            waiting: Vec::new(),
            usage: HashMap::new(),
            turns: Turns::default(),
        }
    }

    fn push(&mut self, ticket: Ticket, item: T, now: Instant) -> Pushed<T> {
        let network = ticket.network;
        let items = self.usage.get(&network).map_or(0, |usage| usage.items) + 1;
        let usage = Usage {
            items,
            last_turn: self.turns.last_of(network),
        };
        let mut displaced = None;
        if self.waiting.len() >= self.slots {
            match self.place_above(usage) {
                Some(place) => displaced = Some(self.remove(place).item),
                None => return Pushed::Full(item),
            }
        }
        self.usage.insert(network, usage);
        self.waiting.push(Waiting {
            ticket,
            item,
            since: now,
        });
        displaced.map_or(Pushed::Waiting, Pushed::Displaced)
    }

    /// The newest item of the network with the greatest usage, if that is above `usage`.
    fn place_above(&self, usage: Usage) -> Option<usize> {
        let above = self.usage.iter().filter(|(_, other)| **other > usage);
        let (network, _) = above.max_by_key(|(_, other)| **other)?;
        let is_its = |waiting: &Waiting<T>| waiting.ticket.network == *network;
        self.waiting.iter().rposition(is_its)
    }

    fn pop(&mut self, may_start: impl Fn(&Ticket) -> bool) -> Option<(Ticket, T)> {
        let startable = self.waiting.iter().enumerate();
        // Of several minima, `min_by_key` returns the first: the oldest item.
        let (place, _) = startable
            .filter(|(_, waiting)| may_start(&waiting.ticket))
            .min_by_key(|(_, waiting)| self.turns.last_of(waiting.ticket.network))?;
        let Waiting { ticket, item, .. } = self.remove(place);
        self.take_turn(ticket.network);
        Some((ticket, item))
    }

    fn take_turn(&mut self, network: Network) {
        let turn = self.turns.take(network);
        if let Some(usage) = self.usage.get_mut(&network) {
            usage.last_turn = turn;
        }
    }

    fn take_overdue(&mut self, now: Instant) -> Vec<T> {
        // The oldest come first.
        let is_overdue = |waiting: &&Waiting<T>| now.duration_since(waiting.since) >= MAX_WAIT;
        let overdue = self.waiting.iter().take_while(is_overdue).count();
        (0..overdue).map(|_| self.remove(0).item).collect()
    }

    fn remove(&mut self, place: usize) -> Waiting<T> {
        let waiting = self.waiting.remove(place);
        let network = waiting.ticket.network;
        if let Some(usage) = self.usage.get_mut(&network) {
            usage.items -= 1;
            if usage.items == 0 {
                self.usage.remove(&network);
            }
        }
        waiting
    }
}

/// When each network had its last turn, counted in turns. A network without one, or whose turn is forgotten, counts as
/// one whose turn was before all others.
#[derive(Debug, Default)]
struct Turns {
    last: HashMap<Network, u64>,
    count: u64,
}

impl Turns {
    fn last_of(&self, network: Network) -> u64 {
        self.last.get(&network).copied().unwrap_or(0)
    }

    fn take(&mut self, network: Network) -> u64 {
        self.count += 1;
        if self.last.len() >= MAX_REMEMBERED {
            // Half of them, so that this is rare.
            let oldest = self.count - MAX_REMEMBERED as u64 / 2;
            self.last.retain(|_, turn| *turn >= oldest);
        }
        self.last.insert(network, self.count);
        self.count
    }
}

#[cfg(test)]
mod tests;
