//! Lines of the log about received and sent bytes.

use std::collections::VecDeque;
use std::time::Instant;

use super::super::event::Direction;
use super::super::member::{Member, MemberId};
use super::super::traffic_log::{Sum, TrafficLog};
use super::{Room, RoomEvent};

/// A datagram of a member's session was received, or leaves.
pub(super) fn count(
    log: &mut TrafficLog,
    events: &mut VecDeque<RoomEvent>,
    member: &mut Member,
    direction: Direction,
    bytes: usize,
) {
    if member.is_present && log.count(&mut member.traffic, direction, bytes) {
        let (bytes, datagrams) = (bytes as u64, 1);
        events.push_back(event(member, direction, Sum { bytes, datagrams }));
    }
}

impl Room {
    /// Reports the sums of the last second.
    pub(super) fn report_sums(&mut self, now: Instant) {
        if !self.traffic_log.refill(now) {
            return;
        }
        for member in self.members.values_mut() {
            for (direction, sum) in self.traffic_log.take_sums(&mut member.traffic) {
                self.events.push_back(event(member, direction, sum));
            }
        }
    }

    /// Reports what of a member's traffic is in no line yet, before the member has left.
    pub(super) fn report_last_sums(&mut self, id: MemberId) {
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        for (direction, sum) in member.traffic.take_last_sums() {
            self.events.push_back(event(member, direction, sum));
        }
    }
}

fn event(member: &Member, direction: Direction, sum: Sum) -> RoomEvent {
    RoomEvent::Traffic {
        direction,
        nick: member.nick.to_string(),
        address: member.link.path().remote,
        bytes: sum.bytes,
        datagrams: sum.datagrams,
    }
}
