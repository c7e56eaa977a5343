//! Opens and closes the bodies of session datagrams.

use std::fmt;

use snow::StatelessTransportState;

use crate::wire::{Protection, TAG_BYTES};

/// The keys of a session, or their deliberate absence.
pub(crate) enum Seal {
    /// The packet number is the nonce. The header needs no associated data: the session id selects the key.
    Sealed(Box<StatelessTransportState>),
    Plaintext,
}

impl Seal {
    pub(crate) fn protection(&self) -> Protection {
        match self {
            Self::Sealed(_) => Protection::Sealed,
            Self::Plaintext => Protection::Plaintext,
        }
    }

    /// Appends the sealed `body` to `datagram`, which holds the header.
    pub(crate) fn seal(&self, number: u64, body: &[u8], datagram: &mut Vec<u8>) {
        match self {
            Self::Sealed(keys) => {
                let at = datagram.len();
                datagram.resize(at + body.len() + TAG_BYTES, 0);
                keys.write_message(number, body, &mut datagram[at..])
                    .expect("a body is short, and no session reaches 2^64 packets");
            }
            Self::Plaintext => datagram.extend_from_slice(body),
        }
    }

    /// Writes the body behind `sealed` to `into`, if it is authentic.
    pub(crate) fn open(&self, number: u64, sealed: &[u8], into: &mut Vec<u8>) -> bool {
        into.clear();
        match self {
            Self::Sealed(keys) => {
                into.resize(sealed.len(), 0);
                match keys.read_message(number, sealed, into) {
                    Ok(length) => {
                        into.truncate(length);
                        true
                    }
                    Err(_) => false,
                }
            }
            Self::Plaintext => {
                into.extend_from_slice(sealed);
                true
            }
        }
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seal({:?})", self.protection())
    }
}

/// How many packet numbers behind the largest one are remembered. An older number counts as a repetition.
const WINDOW: u64 = 1_024;

/// Accepts each packet number once (RFC 6479).
#[derive(Debug, Default)]
pub(crate) struct ReplayWindow {
    /// The largest number accepted; 0 before the first, which is no packet's number.
    largest: u64,
    /// A bit for each of the last 1,024 numbers, at the number modulo 1,024.
    seen: Box<[u64; WINDOW as usize / 64]>,
}

impl ReplayWindow {
    pub(crate) fn largest(&self) -> u64 {
        self.largest
    }

    /// Whether the number is new. Asked before the body is opened.
    pub(crate) fn is_new(&self, number: u64) -> bool {
        number > self.largest || (number > 0 && number + WINDOW > self.largest && !self.bit(number))
    }

    /// Uses the number up, once its packet is known to be authentic.
    pub(crate) fn accept(&mut self, number: u64) {
        if number > self.largest {
            if number - self.largest >= WINDOW {
                self.seen.fill(0);
            } else {
                for skipped in self.largest + 1..number {
                    self.set(skipped, false);
                }
            }
            self.largest = number;
        }
        self.set(number, true);
    }

    fn bit(&self, number: u64) -> bool {
        let at = number % WINDOW;
        self.seen[(at / 64) as usize] >> (at % 64) & 1 == 1
    }

    fn set(&mut self, number: u64, seen: bool) {
        let at = number % WINDOW;
        let word = &mut self.seen[(at / 64) as usize];
        *word = *word & !(1 << (at % 64)) | u64::from(seen) << (at % 64);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_packet_number_is_accepted_once_within_the_window() {
        let mut window = ReplayWindow::default();
        assert!(!window.is_new(0));
        for number in [1, 3, 2, 2_000, 1_999, 977] {
            assert!(window.is_new(number), "{number}");
            window.accept(number);
            assert!(!window.is_new(number), "{number}");
        }
        assert!(!window.is_new(976), "too old to be remembered");
        assert!(window.is_new(978));
    }

    proptest! {
        #[test]
        fn the_window_accepts_what_a_set_does(
            steps in prop::collection::vec(0..600_u64, 1..400),
            jump in 1..3_000_u64,
        ) {
            let mut window = ReplayWindow::default();
            let mut accepted = BTreeSet::new();
            for (index, step) in steps.iter().enumerate() {
                let number = 1 + step + if index > 200 { jump } else { 0 };
                let largest = accepted.last().copied().unwrap_or(0);
                let recent = number + WINDOW > largest;
                prop_assert_eq!(window.is_new(number), recent && !accepted.contains(&number));
                if window.is_new(number) {
                    window.accept(number);
                    accepted.insert(number);
                }
            }
        }
    }
}
