//! The order in which attempts are hashed: fair between networks, with slots reserved for known networks, and one
//! attempt at a time for each exclusive key. Pure: it holds the items and knows nothing of threads.

use std::collections::HashMap;

use proto::Network;

/// Slots in the queue. At 20 ms a hash, two workers empty it in less than a second.
pub const QUEUE_SLOTS: usize = 64;

/// Slots that only attempts from known networks get. A class behind one address still finds room for the rest of its
/// logins among the other slots.
pub const RESERVED_SLOTS: usize = 16;

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
    others: Lane<T>,
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
    /// The item waits in the place of this one, of the network with the most items.
    Displaced(T),
    /// There is no place.
    Full(T),
}

impl<T> Default for FairQueue<T> {
    fn default() -> Self {
        Self {
            known: Lane::new(RESERVED_SLOTS),
            others: Lane::new(QUEUE_SLOTS - RESERVED_SLOTS),
            was_known: false,
            running: Vec::new(),
        }
    }
}

impl<T> FairQueue<T> {
    /// Adds an item. A full queue makes room if another network has more items in it.
    pub fn push(&mut self, ticket: Ticket, item: T) -> Pushed<T> {
        let item = match ticket.is_known {
            true => match self.known.push(ticket, item) {
                Pushed::Full(item) => item,
                pushed => return pushed,
            },
            false => item,
        };
        self.others.push(ticket, item)
    }

    /// Takes the next item whose exclusive key is free, if there is one. The caller reports its end to
    /// [`finish`](Self::finish).
    pub fn pop(&mut self) -> Option<(Ticket, T)> {
        let running = &self.running;
        for is_known in [!self.was_known, self.was_known] {
            let lane = match is_known {
                true => &mut self.known,
                false => &mut self.others,
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
        }
        may_start
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
        self.known.waiting.len() + self.others.waiting.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn is_free(running: &[u64], ticket: &Ticket) -> bool {
    ticket
        .exclusive_key
        .is_none_or(|key| !running.contains(&key))
}

/// Items in the order of their arrival. Each network has one item per round.
#[derive(Debug)]
struct Lane<T> {
    places: usize,
    waiting: Vec<Waiting<T>>,
    /// How many items of each network wait.
    counts: HashMap<Network, usize>,
    /// The round of the item that was last taken.
    round: u64,
}

#[derive(Debug)]
struct Waiting<T> {
    ticket: Ticket,
    item: T,
    round: u64,
}

impl<T> Lane<T> {
    fn new(places: usize) -> Self {
        Self {
            places,
            waiting: Vec::with_capacity(places),
            counts: HashMap::new(),
            round: 0,
        }
    }

    fn push(&mut self, ticket: Ticket, item: T) -> Pushed<T> {
        let mut displaced = None;
        if self.waiting.len() >= self.places {
            match self.busiest_beside(ticket.network) {
                Some(newest) => displaced = Some(self.remove(newest).item),
                None => return Pushed::Full(item),
            }
        }
        let own = self.waiting.iter().rev();
        let last = own
            .filter(|waiting| waiting.ticket.network == ticket.network)
            .map(|waiting| waiting.round + 1)
            .next();
        let round = last.unwrap_or(0).max(self.round);
        *self.counts.entry(ticket.network).or_default() += 1;
        self.waiting.push(Waiting {
            ticket,
            item,
            round,
        });
        displaced.map_or(Pushed::Waiting, Pushed::Displaced)
    }

    /// The newest item of the network with the most items, if it has at least two more than `network`, so that
    /// displacing one leaves it no worse off than `network`.
    fn busiest_beside(&self, network: Network) -> Option<usize> {
        // Mostly, under a flood, all of them have one.
        if self.counts.len() == self.waiting.len() {
            return None;
        }
        let count = |network| self.counts.get(&network).copied().unwrap_or(0);
        let places = self.waiting.iter().enumerate();
        // `max_by_key` returns the last of several maxima: the newest item.
        let (busiest, waiting) = places.max_by_key(|(_, waiting)| count(waiting.ticket.network))?;
        (count(waiting.ticket.network) >= count(network) + 2).then_some(busiest)
    }

    fn pop(&mut self, may_start: impl Fn(&Ticket) -> bool) -> Option<(Ticket, T)> {
        let startable = self.waiting.iter().enumerate();
        let (place, _) = startable
            .filter(|(_, waiting)| may_start(&waiting.ticket))
            .min_by_key(|(_, waiting)| waiting.round)?;
        let Waiting {
            ticket,
            item,
            round,
        } = self.remove(place);
        self.round = self.round.max(round);
        Some((ticket, item))
    }

    fn remove(&mut self, place: usize) -> Waiting<T> {
        let waiting = self.waiting.remove(place);
        let network = waiting.ticket.network;
        if let Some(count) = self.counts.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&network);
            }
        }
        waiting
    }
}

#[cfg(test)]
mod tests;
