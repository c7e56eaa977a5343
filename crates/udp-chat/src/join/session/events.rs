//! What attempt and link report: notices, acknowledgements, the end of a session.

use std::time::Instant;

use chat_link::message::Notice;
use chat_link::{CloseReason, End as LinkEnd, Event};

use super::super::display::DisplayEvent;
use super::super::inbox::Inbox;
use super::joining::Attempt;
use super::{End, Session};

impl Session {
    /// Takes from attempt and link what they report, and gives the link what waits.
    pub(super) fn settle(&mut self, now: Instant) {
        while self.end.is_none()
            && let Some(event) = self.attempt.as_mut().and_then(Attempt::poll_event)
        {
            self.attempt_event(event, now);
        }
        while self.end.is_none()
            && let Some(event) = self.link.as_mut().and_then(|link| link.poll_event())
        {
            match event {
                Event::Message(message) => {
                    // A notice of a later version concerns later clients.
                    if let Ok(notice) = Notice::decode(&message) {
                        self.notice(notice, now);
                    }
                }
                Event::Acknowledged(number) => {
                    self.outbox.acknowledge(number.0);
                    self.progress_at = now;
                }
                Event::Moved { .. } => {}
                Event::Ended(end) => self.link_ended(end, now),
            }
        }
        if self.has_contact()
            && let Some(link) = &mut self.link
        {
            self.outbox.feed(link, now);
        }
    }

    fn notice(&mut self, notice: Notice, now: Instant) {
        if matches!(
            notice,
            Notice::Said { history: true, .. } | Notice::CaughtUp
        ) {
            self.progress_at = now;
        }
        let answer = Inbox::answer(&notice);
        if let Some(answer) = answer {
            self.progress_at = now;
            if self.is_nick_request(answer.request) && answer.is_error {
                return;
            }
            self.errors |= answer.is_error;
            self.outbox.answer(answer.request);
        }
        let Some(event) = self.inbox.take(notice, &self.nick) else {
            return;
        };
        if let DisplayEvent::You { nick } = &event {
            self.nick.clone_from(nick);
            self.nick_changed();
        }
        self.events.push_back(event);
    }

    fn link_ended(&mut self, end: LinkEnd, now: Instant) {
        self.inbox.end();
        self.silence = None;
        if self.leaving {
            self.end = Some(End::Left);
            return;
        }
        let trouble = match end {
            LinkEnd::Closed => {
                self.end = Some(End::Left);
                return;
            }
            LinkEnd::TimedOut => "contact is lost; trying to come back",
            LinkEnd::Reset => "the server was started again; trying to come back",
            LinkEnd::PeerClosed(CloseReason::Stopping) => "the server stopped; trying to come back",
            LinkEnd::PeerClosed(CloseReason::TimedOut) => {
                "the server lost contact; trying to come back"
            }
            LinkEnd::PeerClosed(reason) => {
                self.report_unconfirmed();
                self.end = Some(End::Removed(reason));
                return;
            }
        };
        self.trouble(trouble);
        self.report_unconfirmed();
        self.begin_again(now);
    }

    pub(super) fn report_unconfirmed(&mut self) {
        let given_up = self.outbox.give_up_sent();
        self.lost |= !given_up.in_doubt.is_empty();
        let lost = given_up.in_doubt.into_iter();
        self.events.extend(lost.map(DisplayEvent::not_confirmed));
        self.inbox.expect_own(given_up.unanswered);
    }

    pub(super) fn trouble(&mut self, text: &str) {
        self.events
            .push_back(DisplayEvent::Trouble(text.to_owned()));
    }
}
