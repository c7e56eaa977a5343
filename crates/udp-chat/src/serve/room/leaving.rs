//! How members leave, and how the room stops.

use std::time::{Duration, Instant};

use proto::chat::{Notice, Reason};

use super::super::member::{Member, MemberId};
use super::{Room, RoomEvent, notice};

/// How long a stopping room waits until what was said has arrived, before it says bye.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How long it takes to stop at most.
const STOP_WITHIN: Duration = Duration::from_secs(4);

#[derive(Debug)]
pub(super) struct Stopping {
    bye_at: Instant,
    said_bye: bool,
    over_at: Instant,
}

impl Stopping {
    pub(super) fn is_bye_due(&self, now: Instant) -> bool {
        !self.said_bye && self.bye_at <= now
    }

    pub(super) fn deadline(&self) -> Instant {
        if self.said_bye {
            self.over_at
        } else {
            self.bye_at
        }
    }
}

impl Room {
    /// Lets nobody in any more, and says bye to all as soon as they have what was said so far, or
    /// in two seconds.
    pub fn stop(&mut self, now: Instant) {
        self.stopping.get_or_insert(Stopping {
            bye_at: now + LAST_WORDS,
            said_bye: false,
            over_at: now + STOP_WITHIN,
        });
    }

    /// Whether the room has stopped: all have answered the bye, or had their time.
    pub fn is_over(&self, now: Instant) -> bool {
        self.stopping.as_ref().is_some_and(|stopping| {
            stopping.said_bye && (self.members.is_empty() || stopping.over_at <= now)
        })
    }

    /// A member is none any more; its link goes on until the bye is answered.
    pub(super) fn leave(&mut self, id: MemberId, reason: Reason, now: Instant) {
        let Some(member) = self.members.get_mut(&id).filter(|member| member.present) else {
            return;
        };
        member.dismiss(reason, now);
        let (nick, texts) = (member.nick.clone(), member.texts);
        self.nicks.release(&nick);
        self.look_at(id);
        let nick = nick.to_string();
        let notice = notice(&Notice::Left {
            nick: nick.clone(),
            reason,
        });
        self.tell_all(&[notice], id);
        let members = self.members();
        self.events.push_back(RoomEvent::Left {
            nick,
            reason,
            texts,
            members,
        });
    }

    pub(super) fn forget_if_over(&mut self, id: MemberId) {
        if !self.members.get(&id).is_some_and(Member::is_over) {
            return;
        }
        if let Some(mut member) = self.members.remove(&id) {
            self.wakes.cancel(id, &mut member.wake_at);
            let sessions = [Some(member.link.session()), member.former];
            for session in sessions.into_iter().flatten() {
                // Somebody may have come back from it again.
                if self.sessions.get(&session) == Some(&id) {
                    self.sessions.remove(&session);
                }
            }
        }
    }

    /// Whether a stopping room has nothing more to say than bye.
    pub(super) fn is_quiet(&self) -> bool {
        let stopping = self.stopping.as_ref();
        stopping.is_some_and(|stopping| !stopping.said_bye)
            && self
                .members
                .values()
                .all(|member| !member.present || member.link.unconfirmed().next().is_none())
    }

    pub(super) fn say_bye(&mut self, now: Instant) {
        if let Some(stopping) = &mut self.stopping {
            stopping.said_bye = true;
        }
        let ids: Vec<_> = self.members.keys().copied().collect();
        for id in ids {
            if let Some(member) = self.members.get_mut(&id) {
                member.dismiss(Reason::Stopping, now);
                self.look_at(id);
            }
        }
    }
}
