//! What members ask for, and what they get.

use proto::chat::Json;
use proto::chat::{Body, Kind, MAX_BODY_BYTES, Notice, Request, Trouble};

use super::super::draft::{Addressee, Draft};
use super::super::history::Said;
use super::super::member::MemberId;
use super::{Room, RoomEvent, notice};
use crate::nick::Nick;

impl Room {
    /// Does what a member's message asks for.
    pub(super) fn request(&mut self, id: MemberId, message: &Json) {
        let member = self.members.get_mut(&id);
        let draft = member.and_then(|member| member.draft.take());
        let (to, text, more) = match Request::decode(message) {
            Ok(Request::Say { text, more }) => (Addressee::All(Kind::Say), text, more),
            Ok(Request::Me { text, more }) => (Addressee::All(Kind::Me), text, more),
            Ok(Request::Private { to, text, more }) => (Addressee::One(to), text, more),
            other => {
                self.tell_if_broken_off(id, draft);
                return match other {
                    Ok(Request::Nick { nick }) => self.rename(id, &nick),
                    Ok(_) => self.tell_members(id),
                    Err(error) => self.tell_error(id, Trouble::BadMessage, &error),
                };
            }
        };
        let mut draft = match draft {
            Some(draft) if *draft.to() == to => draft,
            other => {
                self.tell_if_broken_off(id, other);
                Draft::new(to.clone())
            }
        };
        match draft.push(&text, more) {
            Some(Ok(text)) => self.relay(id, to, text),
            Some(Err(error)) => self.tell_error(id, Trouble::TooLong, &error),
            None => {
                if let Some(member) = self.members.get_mut(&id) {
                    member.draft = Some(draft);
                }
            }
        }
    }

    fn tell_if_broken_off(&mut self, id: MemberId, draft: Option<Draft>) {
        if draft.is_some() {
            let what = "the text before this message broke off";
            self.tell_error(id, Trouble::BadMessage, &what);
        }
    }

    fn relay(&mut self, id: MemberId, to: Addressee, text: String) {
        let (kind, to) = match to {
            Addressee::All(kind) => (kind, None),
            Addressee::One(nick) => match self.find(&nick) {
                Ok(addressee) => (Kind::Private, Some(addressee)),
                Err(what) => return self.tell_error(id, Trouble::NoSuchNick, &what),
            },
        };
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        member.texts += 1;
        self.totals.texts += 1;
        let said = Said {
            id: self.next_text,
            at: self.world.unix_micros() / 1_000,
            from: member.nick.to_string(),
            kind,
            text,
        };
        self.next_text += 1;
        if self.settings.tell_texts {
            let to = to.and_then(|to| Some(self.members.get(&to)?.nick.to_string()));
            let (from, text) = (said.from.clone(), said.text.clone());
            self.events.push_back(RoomEvent::Said { from, to, text });
        }
        match to {
            Some(to) => self.tell_one(to, &said.notices(false)),
            None => {
                self.tell_all(&said.notices(false), id);
                self.history.remember(said);
            }
        }
    }

    /// Who is called so, whatever the case; the error is for a person.
    fn find(&self, nick: &str) -> Result<MemberId, String> {
        let Ok(nick) = Nick::parse(nick) else {
            return Err("nobody can be called that".to_owned());
        };
        self.nicks
            .holder(nick.key())
            .filter(|id| {
                self.members
                    .get(id)
                    .is_some_and(|member| member.nick.key() == nick.key())
            })
            .ok_or_else(|| format!("nobody here is called {nick}"))
    }

    fn rename(&mut self, id: MemberId, wanted: &str) {
        let new = match Nick::parse(wanted) {
            Ok(nick) => nick,
            Err(error) => return self.tell_error(id, Trouble::BadNick, &error),
        };
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        if self.nicks.exchange(&member.nick, &new, id).is_err() {
            let what = format!("the nick {new} is taken, or looks like one that is");
            return self.tell_error(id, Trouble::NickTaken, &what);
        }
        let old = std::mem::replace(&mut member.nick, new.clone());
        let (old, new) = (old.to_string(), new.to_string());
        let renamed = notice(&Notice::Renamed {
            old: old.clone(),
            new: new.clone(),
        });
        self.tell_one(id, [&renamed]);
        if old != new {
            self.tell_all(&[renamed], id);
            self.events.push_back(RoomEvent::Renamed { old, new });
        }
    }

    fn tell_members(&mut self, id: MemberId) {
        let present = self.members.values().filter(|member| member.present);
        let notices = members_notices(present.map(|member| member.nick.as_str()));
        self.tell_one(id, &notices);
    }

    fn tell_error(&mut self, id: MemberId, code: Trouble, what: &impl ToString) {
        let message = what.to_string();
        self.tell_one(id, [&notice(&Notice::Error { code, message })]);
    }
}

/// The nicks in as many notices as it takes.
fn members_notices<'a>(nicks: impl Iterator<Item = &'a str>) -> Vec<Body> {
    const BARE: usize = r#"{"type":"members","nicks":[],"more":true}"#.len();
    const BESIDE_NICK: usize = r#""","#.len();
    let mut pieces = vec![Vec::new()];
    let mut room = MAX_BODY_BYTES - BARE;
    for nick in nicks {
        // In a nick nothing needs an escape.
        let length = nick.len() + BESIDE_NICK;
        if length > room {
            pieces.push(Vec::new());
            room = MAX_BODY_BYTES - BARE;
        }
        room -= length;
        pieces
            .last_mut()
            .expect("it began with one and only gains")
            .push(nick.to_owned());
    }
    let last = pieces.len() - 1;
    let notices = pieces.into_iter().enumerate().map(|(index, nicks)| {
        let more = index < last;
        notice(&Notice::Members { nicks, more })
    });
    notices.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nick::MAX_NICK_BYTES;

    #[test]
    fn any_number_of_nicks_comes_in_pieces() {
        for (count, length) in [(0, 1), (1, 1), (305, 1), (306, 1), (1_000, MAX_NICK_BYTES)] {
            let nicks = vec!["x".repeat(length); count];
            let notices = members_notices(nicks.iter().map(String::as_str));
            let mut told = Vec::new();
            for (index, body) in notices.iter().enumerate() {
                let Ok(Notice::Members { nicks, more }) = Notice::decode(body.as_json()) else {
                    panic!("another notice");
                };
                assert_eq!(more, index + 1 < notices.len());
                told.extend(nicks);
            }
            assert!(told == nicks, "{count} of {length}: {}", told.len());
        }
    }
}
