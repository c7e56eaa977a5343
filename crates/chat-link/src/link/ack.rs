//! Which packets arrived, and when to acknowledge them.

use std::time::{Duration, Instant};

use super::loss_mode::LossMode;
use crate::wire::{ACK_BITS, Ack};

/// How long an acknowledgement may wait for a datagram to ride on, while the path loses nothing. The peer adds it to
/// its probe time-out.
pub(super) const MAX_ACK_DELAY: Duration = Duration::from_millis(25);

/// The same while the path loses datagrams: then each acknowledgement saves the peer a repetition.
const ACK_DELAY_UNDER_LOSS: Duration = Duration::from_millis(2);

/// So many packets are acknowledged at once, which keeps a long transfer moving.
const MAX_UNACKNOWLEDGED: u32 = 4;

#[derive(Debug, Default)]
pub(super) struct ReceivedPackets {
    /// The largest number received, and when. Numbers begin at 1.
    largest: u64,
    largest_at: Option<Instant>,
    /// Bit `i` is set if packet `largest - 1 - i` was received.
    earlier: u64,
    /// How many packets wait for an acknowledgement.
    unacknowledged: u32,
    due: Option<Instant>,
}

impl ReceivedPackets {
    /// Records a packet that asks for an acknowledgement, or that only carries one.
    pub(super) fn record(&mut self, number: u64, asks: bool, now: Instant, mode: &mut LossMode) {
        let in_order = number == self.largest + 1;
        if number > self.largest {
            let distance = number - self.largest;
            self.earlier = match distance {
                1..ACK_BITS => self.earlier << distance | 1 << (distance - 1),
                ACK_BITS => 1 << (ACK_BITS - 1),
                _ => 0,
            };
            if self.largest == 0 {
                self.earlier = 0;
            }
            (self.largest, self.largest_at) = (number, Some(now));
        } else if (1..=ACK_BITS).contains(&(self.largest - number)) {
            self.earlier |= 1 << (self.largest - number - 1);
        }
        if !in_order {
            mode.enter(now);
        }
        if asks {
            self.unacknowledged += 1;
            let delay = if self.unacknowledged >= MAX_UNACKNOWLEDGED {
                Duration::ZERO
            } else if mode.is_lossy(now) {
                ACK_DELAY_UNDER_LOSS
            } else {
                MAX_ACK_DELAY
            };
            let due = now + delay;
            self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
        }
    }

    /// When an acknowledgement has to leave.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// The acknowledgement to send with a datagram that leaves now. Nothing is due afterwards.
    pub(super) fn acknowledge(&mut self, through: u64, now: Instant) -> Option<Ack> {
        let delay = now.saturating_duration_since(self.largest_at?);
        (self.due, self.unacknowledged) = (None, 0);
        Some(Ack {
            largest: self.largest,
            delay_ms: delay.as_millis().try_into().unwrap_or(u16::MAX),
            earlier: self.earlier,
            through,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn acknowledgements_are_delayed_while_nothing_is_lost() {
        let start = Instant::now();
        let (mut received, mut mode) = (ReceivedPackets::default(), LossMode::default());
        received.record(1, true, start, &mut mode);
        assert_eq!(received.due(), Some(start + MAX_ACK_DELAY));
        received.record(2, true, start + ms(5), &mut mode);
        assert_eq!(received.due(), Some(start + MAX_ACK_DELAY));
        let ack = received.acknowledge(7, start + ms(25)).unwrap();
        assert_eq!(
            (ack.largest, ack.delay_ms, ack.earlier, ack.through),
            (2, 20, 1, 7)
        );
        assert_eq!(received.due(), None);
        received.record(3, false, start + ms(30), &mut mode);
        assert_eq!(
            received.due(),
            None,
            "an acknowledgement is not acknowledged"
        );
        for number in 4..=7 {
            received.record(number, true, start + ms(31), &mut mode);
        }
        assert_eq!(
            received.due(),
            Some(start + ms(31)),
            "four are acknowledged at once"
        );
    }

    #[test]
    fn it_is_quick_after_a_gap() {
        let start = Instant::now();
        let (mut received, mut mode) = (ReceivedPackets::default(), LossMode::default());
        received.record(1, true, start, &mut mode);
        received.record(3, true, start, &mut mode);
        assert_eq!(received.due(), Some(start + ACK_DELAY_UNDER_LOSS));
        assert_eq!(received.acknowledge(0, start).unwrap().earlier, 0b10);
    }

    proptest! {
        #[test]
        fn what_is_acknowledged_was_received(numbers in prop::collection::vec(1..300_u64, 1..200)) {
            let now = Instant::now();
            let (mut received, mut mode) = (ReceivedPackets::default(), LossMode::default());
            let mut set = BTreeSet::new();
            for number in numbers {
                if set.insert(number) {
                    received.record(number, true, now, &mut mode);
                }
                let ack = received.acknowledge(0, now).unwrap();
                let largest = *set.last().unwrap();
                for number in 0..=largest + 1 {
                    let recent = number + ACK_BITS >= largest;
                    prop_assert_eq!(ack.covers(number), recent && set.contains(&number) && number <= largest);
                }
            }
        }
    }
}
