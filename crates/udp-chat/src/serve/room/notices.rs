//! Notices on their way to members: to all, to one, and the history at the pace of each link.

use std::time::Instant;

use chat_link::Class;
use chat_link::message::{Message, Notice};

use super::super::member::MemberId;
use super::Room;

/// What all queues together may hold. Past it the member with the largest leaves.
pub(super) const MAX_QUEUED_BYTES: usize = 256 << 20;

/// How many texts of the history wait in a member's link; the rest stays in the room, which all share.
const HISTORY_AHEAD: usize = 16;

impl Room {
    /// Moves some of the history into a member's link, as fast as the link sends it.
    pub(super) fn feed_history(&mut self, id: MemberId, now: Instant) {
        let Some(member) = self.members.get_mut(&id).filter(|member| member.is_present) else {
            return;
        };
        while let Some(next) = member
            .history
            .filter(|_| member.link.waiting() < HISTORY_AHEAD)
        {
            let text = self.history.next(next);
            let (message, next) = match text {
                Some((id, message)) => (message, Some(id + 1)),
                None => (encoded(&Notice::CaughtUp), None),
            };
            if member.send(&message, Class::Background, now).is_err() {
                return;
            }
            member.history = next;
        }
    }

    /// Sends a notice to all who are present, but for one.
    pub(super) fn broadcast(&mut self, notice: &Message, except: Option<MemberId>, now: Instant) {
        let mut queued = 0;
        for (&id, member) in &mut self.members {
            queued += member.link.queued_bytes();
            if Some(id) == except || !member.is_present {
                continue;
            }
            if member.send(notice, Class::Live, now).is_err() {
                self.too_slow.push(id);
            }
            if !std::mem::replace(&mut member.is_ready, true) {
                self.ready.push_back(id);
            }
        }
        if queued > MAX_QUEUED_BYTES {
            let largest = self
                .members
                .iter()
                .max_by_key(|(_, member)| member.link.queued_bytes());
            self.too_slow.extend(largest.map(|(&id, _)| id));
        }
    }

    pub(super) fn send_to(&mut self, id: MemberId, notice: &Message, class: Class, now: Instant) {
        if let Some(member) = self.members.get_mut(&id) {
            if member.is_present && member.send(notice, class, now).is_err() {
                self.too_slow.push(id);
            }
            self.mark_ready(id);
        }
    }
}

/// Encodes a notice that is no text.
pub(super) fn encoded(notice: &Notice) -> Message {
    Message::encode(notice).expect("nicks are short, and member lists come in pieces")
}
