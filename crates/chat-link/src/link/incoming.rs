//! The receiving half: parts into order, and parts into messages.

use std::collections::BTreeMap;

use crate::message::MAX_MESSAGE_BYTES;
use crate::wire::Part;

/// How far ahead of the last part in order a part may be. The sender keeps to it, and it bounds what is held.
pub(super) const WINDOW: u64 = 128;

#[derive(Debug, Default)]
pub(super) struct Incoming {
    /// Every part up to this one was received.
    through: u64,
    /// Parts beyond a gap.
    out_of_order: BTreeMap<u64, HeldPart>,
    /// The beginnings of a live message and of one of the history.
    unfinished: [Vec<u8>; 2],
}

#[derive(Debug)]
struct HeldPart {
    more: bool,
    background: bool,
    bytes: Box<[u8]>,
}

/// A message longer than [`MAX_MESSAGE_BYTES`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MessageTooLong;

impl Incoming {
    /// Every part up to this number was received.
    pub(super) fn through(&self) -> u64 {
        self.through
    }

    pub(super) fn is_new(&self, seq: u64) -> bool {
        seq > self.through && !self.out_of_order.contains_key(&seq)
    }

    pub(super) fn is_in_window(&self, seq: u64) -> bool {
        seq <= self.through.saturating_add(WINDOW)
    }

    /// Takes a new part inside the window, and passes on the messages that are complete and in order.
    pub(super) fn insert(
        &mut self,
        part: &Part<'_>,
        deliver: impl FnMut(Vec<u8>),
    ) -> Result<(), MessageTooLong> {
        let &Part {
            seq,
            more,
            background,
            bytes,
        } = part;
        let bytes = bytes.into();
        self.out_of_order.insert(
            seq,
            HeldPart {
                more,
                background,
                bytes,
            },
        );
        self.deliver(deliver)
    }

    fn deliver(&mut self, mut deliver: impl FnMut(Vec<u8>)) -> Result<(), MessageTooLong> {
        while let Some(part) = self.out_of_order.remove(&(self.through + 1)) {
            self.through += 1;
            let unfinished = &mut self.unfinished[usize::from(part.background)];
            if unfinished.len() + part.bytes.len() > MAX_MESSAGE_BYTES {
                return Err(MessageTooLong);
            }
            unfinished.extend_from_slice(&part.bytes);
            if !part.more {
                deliver(std::mem::take(unfinished));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(seq: u64, more: bool, background: bool, bytes: &[u8]) -> Part<'_> {
        Part {
            seq,
            more,
            background,
            bytes,
        }
    }

    #[test]
    fn parts_arrive_in_any_order_and_messages_in_theirs() {
        let mut incoming = Incoming::default();
        let mut messages = Vec::new();
        let mut insert = |incoming: &mut Incoming, part: Part<'_>| {
            assert!(incoming.is_new(part.seq) && incoming.is_in_window(part.seq));
            incoming
                .insert(&part, |message| {
                    messages.push(String::from_utf8(message).unwrap())
                })
                .unwrap();
        };
        insert(&mut incoming, part(4, false, true, b"tory"));
        insert(&mut incoming, part(2, true, true, b"his"));
        assert!(!incoming.is_new(2));
        insert(&mut incoming, part(1, false, false, b"first"));
        insert(&mut incoming, part(3, false, false, b"live"));
        assert_eq!(messages, ["first", "live", "history"]);
        assert_eq!(incoming.through(), 4);
        assert!(incoming.is_in_window(132) && !incoming.is_in_window(133));
    }

    #[test]
    fn a_message_over_the_limit_is_an_error() {
        let mut incoming = Incoming::default();
        let bytes = [b'x'; 1_024];
        let result = (1..)
            .map(|seq| incoming.insert(&part(seq, true, false, &bytes), |_| ()))
            .find(Result::is_err);
        assert_eq!(result, Some(Err(MessageTooLong)));
        assert_eq!(incoming.through(), 33);
    }
}
