//! Lines of the log about received and sent bytes, and about who came and went, within their budgets.

use std::collections::VecDeque;
use std::time::Instant;

use proto::{EventKind, Network};

use super::super::event::EventSum;
use super::super::member::{Member, MemberId};
use super::super::traffic_log::{Direction, Sum, TrafficLog};
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
    /// Reports what happened in a network, or counts it for a sum if there are too many lines.
    pub(super) fn report(
        &mut self,
        event: RoomEvent,
        network: Network,
        kind: EventKind,
        now: Instant,
        count: impl FnOnce(&mut EventSum),
    ) {
        if self.event_budget.admit(network, kind, now, count) {
            self.events.push_back(event);
        }
    }

    /// Reports the sums of the last second.
    pub(super) fn report_sums(&mut self, now: Instant) {
        if self.event_budget.deadline().is_some_and(|at| at <= now) {
            let sums = self.event_budget.take_sums(now);
            self.events.extend(sums.into_iter().map(summed));
        }
        if !self.traffic_log.refill(now) {
            return;
        }
        for member in self.members.values_mut() {
            for (direction, sum) in self.traffic_log.take_sums(&mut member.traffic) {
                self.events.push_back(event(member, direction, sum));
            }
        }
    }

    /// Reports all that is in no line yet, at the end.
    pub fn finish(&mut self) {
        let sums = self.event_budget.take_last_sums();
        self.events.extend(sums.into_iter().map(summed));
    }

    /// Reports what of a member's traffic is in no line or sum yet, before the member has left.
    pub(super) fn report_last_sums(&mut self, id: MemberId) {
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        for (direction, sum) in member.traffic.take_last_sums() {
            self.events.push_back(event(member, direction, sum));
        }
    }
}

fn summed((network, sum): (Option<Network>, EventSum)) -> RoomEvent {
    RoomEvent::Summed { network, sum }
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
