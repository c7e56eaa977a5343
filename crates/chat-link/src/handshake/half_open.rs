//! Handshakes that the server has begun, and the answers it gave: bounded, and fair between networks.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use proto::Network;
use snow::HandshakeState;

use super::datagram::NONCE_BYTES;

/// How long a handshake may take from its first Noise message to its third.
const HALF_OPEN_LIFE: Duration = Duration::from_secs(5);

/// How many may be under way at once, and a network's share of them.
const MAX_HALF_OPEN: usize = 1_000;
const MAX_HALF_OPEN_PER_NETWORK: usize = MAX_HALF_OPEN / 4;

/// How many a network may begin in a second.
const MAX_NEW_PER_SECOND: u32 = 20;

/// How long an answer is given again to the same message. A client repeats its third message for less.
const ANSWER_LIFE: Duration = Duration::from_secs(45);

/// How many answers are remembered, some 10 MB.
const MAX_ANSWERS: usize = 10_000;

pub(super) type Key = (SocketAddr, [u8; NONCE_BYTES]);

/// Tables of handshakes by client.
#[derive(Default)]
pub(super) struct HalfOpen {
    begun: HashMap<Key, Begun>,
    expiry: VecDeque<(Instant, Key)>,
    networks: BTreeMap<Network, Share>,
    answers: HashMap<Key, Vec<u8>>,
    answer_expiry: VecDeque<(Instant, Key)>,
}

/// A handshake that waits for its third message.
pub(super) struct Begun {
    pub(super) handshake: HandshakeState,
    /// The reply to its first message, which is given again.
    pub(super) reply: Vec<u8>,
    pub(super) at: Instant,
}

/// What a network uses.
struct Share {
    open: usize,
    second: Instant,
    begun: u32,
}

impl HalfOpen {
    pub(super) fn reply(&self, key: &Key) -> Option<&[u8]> {
        self.begun.get(key).map(|begun| begun.reply.as_slice())
    }

    pub(super) fn answer(&self, key: &Key) -> Option<&[u8]> {
        self.answers.get(key).map(Vec::as_slice)
    }

    /// Whether there is room for one more of this network, which is then counted. Loopback has no share: there all
    /// clients have one address.
    pub(super) fn admit(&mut self, address: SocketAddr, now: Instant) -> bool {
        self.expire(now);
        if self.begun.len() >= MAX_HALF_OPEN {
            return false;
        }
        let network = Network::of(address.ip());
        let share = self.networks.entry(network).or_insert(Share {
            open: 0,
            second: now,
            begun: 0,
        });
        if now >= share.second + Duration::from_secs(1) {
            (share.second, share.begun) = (now, 0);
        }
        let is_over = share.open >= MAX_HALF_OPEN_PER_NETWORK || share.begun >= MAX_NEW_PER_SECOND;
        if is_over && !network.is_loopback() {
            return false;
        }
        share.begun += 1;
        share.open += 1;
        true
    }

    /// Gives back the place of a handshake that was admitted and failed.
    pub(super) fn cancel(&mut self, address: SocketAddr) {
        self.release(address);
    }

    /// Keeps a handshake that was admitted.
    pub(super) fn insert(&mut self, key: Key, begun: Begun) {
        self.expiry.push_back((begun.at, key));
        if self.begun.insert(key, begun).is_some() {
            self.release(key.0);
        }
    }

    /// Takes a handshake out to go on with it.
    pub(super) fn take(&mut self, key: &Key, now: Instant) -> Option<Begun> {
        self.expire(now);
        let begun = self.begun.remove(key)?;
        self.release(key.0);
        Some(begun)
    }

    /// Remembers the last datagram of a handshake.
    pub(super) fn remember(&mut self, key: Key, answer: Vec<u8>, now: Instant) {
        self.answers.insert(key, answer);
        self.answer_expiry.push_back((now, key));
        while let Some(&(at, key)) = self.answer_expiry.front()
            && (now >= at + ANSWER_LIFE || self.answer_expiry.len() > MAX_ANSWERS)
        {
            self.answer_expiry.pop_front();
            self.answers.remove(&key);
        }
    }

    fn expire(&mut self, now: Instant) {
        while let Some(&(at, key)) = self.expiry.front()
            && now >= at + HALF_OPEN_LIFE
        {
            self.expiry.pop_front();
            if self.begun.get(&key).is_some_and(|begun| begun.at == at) {
                self.begun.remove(&key);
                self.release(key.0);
            }
        }
        // A share that is not in use says nothing after a second. Networks are few unless somebody floods.
        if self.networks.len() > 2 * MAX_HALF_OPEN {
            self.networks
                .retain(|_, share| share.open > 0 || now < share.second + Duration::from_secs(1));
        }
    }

    fn release(&mut self, address: SocketAddr) {
        if let Some(share) = self.networks.get_mut(&Network::of(address.ip())) {
            share.open = share.open.saturating_sub(1);
        }
    }
}
