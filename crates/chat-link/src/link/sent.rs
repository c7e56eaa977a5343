//! The packets in flight, and which of them are lost (RFC 9002, section 6.1).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::wire::Ack;

/// A packet is lost when one so much later is acknowledged: less could be mere reordering.
const PACKET_THRESHOLD: u64 = 3;

/// How many packets are remembered. The oldest is forgotten as lost, which no live path comes to.
const MAX_PACKETS: usize = 1_024;

#[derive(Debug, Default)]
pub(super) struct SentPackets {
    packets: VecDeque<SentPacket>,
    largest_acknowledged: u64,
}

/// A packet that asks for an acknowledgement.
#[derive(Debug)]
pub(super) struct SentPacket {
    pub(super) number: u64,
    pub(super) at: Instant,
    pub(super) bytes: usize,
    /// The message parts in it.
    pub(super) parts: Vec<u64>,
}

impl SentPackets {
    /// Records a packet; gives one that is forgotten for it.
    pub(super) fn push(&mut self, packet: SentPacket) -> Option<SentPacket> {
        let forgotten = if self.packets.len() == MAX_PACKETS {
            self.packets.pop_front()
        } else {
            None
        };
        self.packets.push_back(packet);
        forgotten
    }

    /// Removes the packets that are acknowledged for the first time, and reports each. Gives the time at which the
    /// largest acknowledged packet was sent, if it is one of them: that measures a round trip.
    pub(super) fn acknowledge(
        &mut self,
        ack: &Ack,
        mut report: impl FnMut(SentPacket),
    ) -> Option<Instant> {
        let mut measured = None;
        let mut index = 0;
        while let Some(packet) = self
            .packets
            .get(index)
            .filter(|packet| packet.number <= ack.largest)
        {
            if !ack.covers(packet.number) {
                index += 1;
                continue;
            }
            if packet.number == ack.largest {
                measured = Some(packet.at);
            }
            if let Some(packet) = self.packets.remove(index) {
                report(packet);
            }
        }
        self.largest_acknowledged = self.largest_acknowledged.max(ack.largest);
        measured
    }

    /// Removes the packets that are lost by now, and reports each.
    pub(super) fn detect_lost(
        &mut self,
        delay: Duration,
        now: Instant,
        mut report: impl FnMut(SentPacket),
    ) {
        while let Some(packet) = self.packets.pop_front_if(|packet| {
            packet.number + PACKET_THRESHOLD <= self.largest_acknowledged
                || (packet.number < self.largest_acknowledged && packet.at + delay <= now)
        }) {
            report(packet);
        }
    }

    /// When the next packet will be lost, if nothing happens before.
    pub(super) fn loss_at(&self, delay: Duration) -> Option<Instant> {
        let oldest = self
            .packets
            .front()
            .filter(|packet| packet.number < self.largest_acknowledged)?;
        Some(oldest.at + delay)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn sent(start: Instant) -> SentPackets {
        let mut packets = SentPackets::default();
        for number in 1..=6 {
            let at = start + ms(10 * number);
            packets.push(SentPacket {
                number,
                at,
                bytes: 100,
                parts: vec![number],
            });
        }
        packets
    }

    fn ack(largest: u64, earlier: u64) -> Ack {
        Ack {
            largest,
            delay_ms: 0,
            earlier,
            through: 0,
        }
    }

    #[test]
    fn a_packet_is_lost_when_three_later_ones_are_acknowledged() {
        let start = Instant::now();
        let mut packets = sent(start);
        let mut acknowledged = Vec::new();
        let measured =
            packets.acknowledge(&ack(5, 0b10), |packet| acknowledged.push(packet.number));
        assert_eq!((acknowledged, measured), (vec![3, 5], Some(start + ms(50))));
        let mut lost = Vec::new();
        packets.detect_lost(ms(1_000), start + ms(60), |packet| lost.push(packet.number));
        assert_eq!(lost, [1, 2]);
        assert_eq!(packets.loss_at(ms(1_000)), Some(start + ms(1_040)));
    }

    #[test]
    fn it_is_lost_when_a_later_one_arrived_and_it_is_late() {
        let start = Instant::now();
        let mut packets = sent(start);
        assert_eq!(
            packets.acknowledge(&ack(2, 0), |_| ()),
            Some(start + ms(20))
        );
        assert_eq!(
            packets.acknowledge(&ack(2, 0), |_| ()),
            None,
            "measured once"
        );
        let mut lost = Vec::new();
        packets.detect_lost(ms(45), start + ms(54), |packet| lost.push(packet.number));
        assert!(lost.is_empty(), "{lost:?}");
        packets.detect_lost(ms(45), start + ms(55), |packet| lost.push(packet.number));
        assert_eq!(lost, [1]);
        assert_eq!(
            packets.loss_at(ms(45)),
            None,
            "3 and later ones wait for a probe"
        );
    }
}
