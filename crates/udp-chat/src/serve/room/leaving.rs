//! How members leave, and how the room stops.

use std::time::{Duration, Instant};

use chat_link::CloseReason;
use chat_link::message::Notice;
use proto::EventKind;

use super::super::event::EventSum;
use super::super::member::{Member, MemberId};
use super::notices::encoded;
use super::{Room, RoomEvent};

/// How long a stopping room waits until what was said has arrived, before it closes the sessions.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How long it takes to stop at most.
const STOP_WITHIN: Duration = Duration::from_secs(4);

#[derive(Debug)]
pub(super) struct Stopping {
    close_at: Instant,
    is_closing: bool,
    over_at: Instant,
}

impl Stopping {
    pub(super) fn is_close_due(&self, now: Instant) -> bool {
        !self.is_closing && self.close_at <= now
    }

    pub(super) fn deadline(&self) -> Instant {
        if self.is_closing {
            self.over_at
        } else {
            self.close_at
        }
    }
}

impl Room {
    /// Lets nobody in any more, and closes all sessions as soon as they have what was said so far, or in two seconds.
    pub fn stop(&mut self, now: Instant) {
        self.stopping.get_or_insert(Stopping {
            close_at: now + LAST_WORDS,
            is_closing: false,
            over_at: now + STOP_WITHIN,
        });
    }

    /// Whether the room has stopped: all have answered, or had their time.
    pub fn is_over(&self, now: Instant) -> bool {
        self.stopping.as_ref().is_some_and(|stopping| {
            stopping.is_closing && (self.members.is_empty() || stopping.over_at <= now)
        })
    }

    /// A member leaves; its link goes on until the close is answered.
    pub(super) fn leave(&mut self, id: MemberId, reason: CloseReason, now: Instant) {
        let Some(member) = self.members.get_mut(&id).filter(|member| member.is_present) else {
            return;
        };
        member.dismiss(reason, now);
        let (nick, key, network, texts) = (
            member.nick.clone(),
            member.key,
            member.network,
            member.texts,
        );
        let count = |sum: &mut EventSum| sum.add_departure(member.traffic.take_last_sums());
        let has_line = self
            .event_budget
            .admit(network, EventKind::Departure, now, count);
        self.report_last_sums(id);
        self.nicks.release(&nick, key, id, now);
        self.networks.leave(network, now);
        self.mark_ready(id);
        let nick = nick.to_string();
        let left = Notice::Left {
            nick: nick.clone(),
            key: key.key_id(),
            reason,
        };
        self.broadcast(&encoded(&left), Some(id), now);
        if has_line {
            let members = self.members();
            self.events.push_back(RoomEvent::Left {
                nick,
                reason,
                texts,
                members,
            });
        }
    }

    pub(super) fn forget_if_over(&mut self, id: MemberId) {
        if !self.members.get(&id).is_some_and(Member::is_over) {
            return;
        }
        if let Some(mut member) = self.members.remove(&id) {
            self.timers.cancel(id, &mut member.due_at);
            self.sessions.remove(&member.link.session());
        }
    }

    /// Whether a stopping room has nothing more to send than its closes.
    pub(super) fn is_quiet(&self) -> bool {
        self.stopping
            .as_ref()
            .is_some_and(|stopping| !stopping.is_closing)
            && self
                .members
                .values()
                .all(|member| !member.is_present || member.link.unacknowledged() == 0)
    }

    pub(super) fn close_all(&mut self, now: Instant) {
        if let Some(stopping) = &mut self.stopping {
            stopping.is_closing = true;
        }
        let ids: Vec<_> = self.members.keys().copied().collect();
        for id in ids {
            self.report_last_sums(id);
            if let Some(member) = self.members.get_mut(&id) {
                member.dismiss(CloseReason::Stopping, now);
                self.mark_ready(id);
            }
        }
    }
}
