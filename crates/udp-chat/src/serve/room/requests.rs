//! What members ask for, and what they get.

use std::time::Instant;

use chat_link::message::{ErrorCode, Kind, MAX_TEXT_BYTES, Notice, Request};
use chat_link::{Class, KeyId, PublicKey};
use proto::EventKind;

use super::super::history::StoredText;
use super::super::member::MemberId;
use super::notices::encoded;
use super::{Room, RoomEvent};
use crate::nick::Nick;
use crate::visible::has_visible;

/// Why a request is not granted: for a program, and for a person.
type Refusal = (ErrorCode, String);

impl Room {
    /// Does what a member's message asks for.
    pub(super) fn request(&mut self, id: MemberId, message: &[u8], now: Instant) {
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        member.requests += 1;
        let request = member.requests;
        let done = match Request::decode(message) {
            Ok(Request::Say { text }) => self.relay(id, request, Kind::Say, None, text, now),
            Ok(Request::Me { text }) => self.relay(id, request, Kind::Me, None, text, now),
            Ok(Request::Private { to, key, text }) => self
                .addressee(&to, key)
                .and_then(|to| self.relay(id, request, Kind::Private, Some(to), text, now)),
            Ok(Request::Nick { nick }) => self.rename(id, &nick, now),
            Ok(Request::Who) => {
                self.send_members(id, now);
                Ok(())
            }
            Err(error) => Err((ErrorCode::BadMessage, error.to_string())),
        };
        if let Err((code, message)) = done {
            let error = encoded(&Notice::Error {
                request: Some(request),
                code,
                message,
            });
            self.send_to(id, &error, Class::Live, now);
        }
    }

    fn relay(
        &mut self,
        id: MemberId,
        request: u64,
        kind: Kind,
        to: Option<MemberId>,
        text: String,
        now: Instant,
    ) -> Result<(), Refusal> {
        if text.len() > MAX_TEXT_BYTES {
            let message = format!(
                "a text of {} bytes is over the limit of {MAX_TEXT_BYTES}",
                text.len()
            );
            return Err((ErrorCode::TooLong, message));
        }
        if !has_visible(&text) {
            return Err((
                ErrorCode::Empty,
                "nothing of the text is visible".to_owned(),
            ));
        }
        let Some(member) = self.members.get_mut(&id) else {
            return Ok(());
        };
        member.texts += 1;
        let (from, key) = (member.nick.to_string(), member.key);
        let (text_id, at) = self.say(&from, key, kind, to, text, Some(id), now);
        let confirmed = encoded(&Notice::Confirmed {
            request,
            id: text_id,
            at,
        });
        // The author is in no hurry for this: it travels with the next datagram.
        self.send_to(id, &confirmed, Class::Lazy, now);
        Ok(())
    }

    /// Sends a text to all but its author, or to one member. Gives its id and time.
    #[expect(clippy::too_many_arguments, reason = "a text has that many properties")]
    pub(super) fn say(
        &mut self,
        from: &str,
        key: PublicKey,
        kind: Kind,
        to: Option<MemberId>,
        text: String,
        author: Option<MemberId>,
        now: Instant,
    ) -> (u64, u64) {
        let id = self.next_text;
        let at = self.environment.unix_micros() / 1_000;
        let (from, key) = (from.to_owned(), key.key_id());
        let stored = StoredText {
            id,
            at,
            from,
            key,
            kind,
            text,
        };
        self.next_text += 1;
        self.totals.texts += 1;
        if self.settings.report_texts {
            let to = to.and_then(|to| Some(self.members.get(&to)?.nick.to_string()));
            let (from, text) = (stored.from.clone(), stored.text.clone());
            self.events.push_back(RoomEvent::Said { from, to, text });
        }
        let notice = stored.notice(false);
        match to {
            Some(to) => self.send_to(to, &notice, Class::Live, now),
            None => {
                self.broadcast(&notice, author, now);
                self.texts.push_back(stored.clone());
                self.history.remember(stored);
            }
        }
        (id, at)
    }

    /// Who is called so, whatever the case. The person must be the one that the author means.
    fn addressee(&self, nick: &str, key: Option<KeyId>) -> Result<MemberId, Refusal> {
        let id = self
            .find(nick)
            .map_err(|message| (ErrorCode::NoSuchNick, message))?;
        let holder = self.members.get(&id).map(|member| member.key.key_id());
        if key.is_some() && key != holder {
            let message = format!("{nick} is another person now than when you last saw that nick");
            return Err((ErrorCode::OtherPerson, message));
        }
        Ok(id)
    }

    pub(super) fn find(&self, nick: &str) -> Result<MemberId, String> {
        let nick = Nick::parse(nick).map_err(|error| error.to_string())?;
        let is_called_so = |id: &MemberId| {
            self.members
                .get(id)
                .is_some_and(|member| member.nick.key() == nick.key())
        };
        let holder = self.nicks.holder(nick.key()).filter(is_called_so);
        holder.ok_or_else(|| format!("nobody here is called {nick}"))
    }

    fn rename(&mut self, id: MemberId, wanted: &str, now: Instant) -> Result<(), Refusal> {
        let new = Nick::parse(wanted).map_err(|error| (ErrorCode::BadNick, error.to_string()))?;
        let Some(member) = self.members.get_mut(&id) else {
            return Ok(());
        };
        let (old, key, network) = (member.nick.clone(), member.key, member.network);
        if self.nicks.exchange(&old, &new, key, id, now).is_err() {
            let message = format!("the nick {new} is taken, or looks like one that is");
            return Err((ErrorCode::NickTaken, message));
        }
        member.nick = new.clone();
        let (old, new, key) = (old.to_string(), new.to_string(), key.key_id());
        let renamed = encoded(&Notice::Renamed {
            old: old.clone(),
            new: new.clone(),
            key,
        });
        if old == new {
            self.send_to(id, &renamed, Class::Live, now);
        } else {
            self.broadcast(&renamed, None, now);
            let event = RoomEvent::Renamed { old, new };
            self.report(event, network, EventKind::Change, now, |sum| {
                sum.renamed += 1
            });
        }
        Ok(())
    }
}
