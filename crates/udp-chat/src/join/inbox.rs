//! What the server reports, from messages to what is to be shown: history that was seen before,
//! and people who are ignored, are left out.

use std::collections::VecDeque;

use chat_link::KeyId;
use chat_link::message::{Kind, MAX_HISTORY_TEXTS, Member, Notice};

use super::command::Outgoing;
use super::display::{DisplayEvent, Said};
use super::people::People;

/// How many members a list may have, ten times what a server takes by default. The rest is left
/// out.
const MAX_MEMBERS: usize = 10_000;

#[derive(Debug)]
pub(super) struct Inbox {
    /// Our own key.
    own: KeyId,
    /// The ids of the latest texts to all, our own included, as many as a history has.
    seen: VecDeque<u64>,
    /// Own texts that the server has under unknown ids: their confirmations were lost with a session.
    unidentified: Vec<(Kind, String)>,
    pub(super) people: People,
    members: Vec<Member>,
    /// The history is not complete yet.
    is_catching_up: bool,
    /// Who sent the last private text, under which nick.
    correspondent: Option<(String, KeyId)>,
}

/// What a notice says about a request of the member's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) request: u64,
    pub(super) is_error: bool,
}

impl Inbox {
    pub(super) fn new(own: KeyId) -> Self {
        Self {
            own,
            seen: VecDeque::new(),
            unidentified: Vec::new(),
            people: People::default(),
            members: Vec::new(),
            is_catching_up: true,
            correspondent: None,
        }
    }

    /// A session begins.
    pub(super) fn begin(&mut self) {
        self.members.clear();
        self.is_catching_up = true;
    }

    /// The server has these requests, and the session ended before it confirmed them.
    pub(super) fn expect_own(&mut self, unanswered: Vec<Outgoing>) {
        let texts = unanswered
            .into_iter()
            .filter_map(|outgoing| match outgoing {
                Outgoing::Say(text) => Some((Kind::Say, text)),
                Outgoing::Me(text) => Some((Kind::Me, text)),
                Outgoing::Private { .. } | Outgoing::Nick(_) | Outgoing::Who => None,
            });
        self.unidentified.extend(texts);
        self.unidentified.truncate(MAX_HISTORY_TEXTS);
    }

    /// Whether a text of the history is one of these. The author has seen it as it was typed.
    fn is_unidentified(&mut self, said: &Said) -> bool {
        let mut own = self.unidentified.iter();
        let found = own.position(|(kind, text)| *kind == said.kind && *text == said.text);
        if let Some(at) = found {
            self.unidentified.remove(at);
        }
        found.is_some()
    }

    /// A session ended.
    pub(super) fn end(&mut self) {
        self.is_catching_up = false;
    }

    /// Whether the history is still coming.
    pub(super) fn is_catching_up(&self) -> bool {
        self.is_catching_up
    }

    /// The present nick of the person who sent the last private text.
    pub(super) fn correspondent(&self) -> Option<&str> {
        let (nick, key) = self.correspondent.as_ref()?;
        Some(self.people.nick_of(*key).unwrap_or(nick))
    }

    /// The request that a notice answers.
    pub(super) fn answer(notice: &Notice) -> Option<Answer> {
        let (request, is_error) = match notice {
            Notice::Confirmed { request, .. } => (*request, false),
            Notice::Error { request, .. } => ((*request)?, true),
            _ => return None,
        };
        Some(Answer { request, is_error })
    }

    /// Takes the next notice. `nick` is our own. Parts of a list, and what is not to be known,
    /// give nothing.
    pub(super) fn take(&mut self, notice: Notice, nick: &str) -> Option<DisplayEvent> {
        match notice {
            Notice::Said {
                id,
                at,
                from,
                key,
                kind,
                text,
                history,
            } => {
                let said = Said {
                    history,
                    id,
                    at,
                    from,
                    kind,
                    text,
                };
                self.said(said, key)
            }
            Notice::Confirmed { id, at, request } => {
                self.remember(id);
                Some(DisplayEvent::Confirmed { request, id, at })
            }
            Notice::Joined(Member {
                nick,
                key,
                plaintext,
            }) => {
                self.people.join(&nick, key);
                Some(DisplayEvent::Joined { nick, plaintext })
            }
            Notice::Left { nick, reason, .. } => {
                self.people.leave(&nick);
                Some(DisplayEvent::Left { nick, reason })
            }
            Notice::Renamed { old, new, key } => {
                self.people.rename(&old, &new, key);
                if key == self.own && old == nick {
                    return Some(DisplayEvent::You { nick: new });
                }
                let is_hidden = self.people.is_ignored(key);
                Some(DisplayEvent::Renamed {
                    old,
                    new,
                    is_hidden,
                })
            }
            Notice::Members { members, more } => {
                let room = MAX_MEMBERS - self.members.len();
                self.members.extend(members.into_iter().take(room));
                if more {
                    return None;
                }
                let members = std::mem::take(&mut self.members);
                self.people.replace(&members);
                let nicks = members.into_iter().map(|member| member.nick).collect();
                Some(match self.is_catching_up {
                    true => DisplayEvent::Found(nicks),
                    false => DisplayEvent::Members(nicks),
                })
            }
            Notice::Error { message, .. } => Some(DisplayEvent::Trouble(message)),
            Notice::CaughtUp => {
                self.is_catching_up = false;
                self.unidentified.clear();
                None
            }
        }
    }

    fn said(&mut self, said: Said, key: KeyId) -> Option<DisplayEvent> {
        let was_seen = self.seen.contains(&said.id);
        if said.kind != Kind::Private {
            self.remember(said.id);
        }
        if said.history && (was_seen || key == self.own && self.is_unidentified(&said)) {
            return None;
        }
        if self.people.is_ignored(key) {
            return None;
        }
        if !said.history {
            self.people.saw(&said.from, key);
        }
        if said.kind == Kind::Private {
            self.correspondent = Some((said.from.clone(), key));
        }
        Some(DisplayEvent::Said(said))
    }

    fn remember(&mut self, id: u64) {
        if self.seen.len() == MAX_HISTORY_TEXTS {
            self.seen.pop_front();
        }
        self.seen.push_back(id);
    }
}

#[cfg(test)]
mod tests {
    use chat_link::PublicKey;

    use super::*;

    fn key(number: u8) -> KeyId {
        PublicKey::from_bytes([number; 32]).key_id()
    }

    fn said(id: u64, from: u8, history: bool) -> Notice {
        Notice::Said {
            id,
            at: 1,
            from: format!("nick{from}"),
            key: key(from),
            kind: Kind::Say,
            text: "hi".into(),
            history,
        }
    }

    fn inbox() -> Inbox {
        Inbox::new(key(0))
    }

    fn take(inbox: &mut Inbox, notice: Notice) -> Option<String> {
        inbox.take(notice, "nick0").map(|event| event.to_string())
    }

    #[test]
    fn history_is_not_shown_twice_nor_is_a_confirmed_text_of_ones_own() {
        let mut inbox = inbox();
        assert!(take(&mut inbox, said(1, 1, true)).is_some());
        assert!(take(&mut inbox, said(3, 1, false)).is_some());
        take(
            &mut inbox,
            Notice::Confirmed {
                request: 1,
                id: 4,
                at: 1,
            },
        );
        inbox.begin();
        for id in [1, 3] {
            assert_eq!(take(&mut inbox, said(id, 1, true)), None);
        }
        assert_eq!(take(&mut inbox, said(4, 0, true)), None);
        // An impostor's line, and our own from another terminal, are texts like all others.
        let impostor = Notice::Said {
            id: 5,
            at: 1,
            from: "nick0".into(),
            key: key(9),
            kind: Kind::Say,
            text: "I am the traitor".into(),
            history: true,
        };
        assert!(take(&mut inbox, impostor).is_some());
        assert!(take(&mut inbox, said(6, 0, true)).is_some());
    }

    #[test]
    fn texts_of_a_whole_history_are_recognised_when_repeated() {
        let mut inbox = inbox();
        for id in 0..2 * MAX_HISTORY_TEXTS as u64 {
            take(&mut inbox, said(id, 1, false));
        }
        inbox.begin();
        for id in MAX_HISTORY_TEXTS as u64..2 * MAX_HISTORY_TEXTS as u64 {
            assert_eq!(take(&mut inbox, said(id, 1, true)), None);
        }
        assert_eq!(inbox.seen.len(), MAX_HISTORY_TEXTS);
    }

    #[test]
    fn only_a_rename_of_our_own_key_is_ours() {
        let mut inbox = inbox();
        let renamed = |old: &str, key| Notice::Renamed {
            old: old.into(),
            new: "new".into(),
            key,
        };
        assert_eq!(
            take(&mut inbox, renamed("nick0", key(0))).unwrap(),
            "* you are new"
        );
        // Our other terminal has another nick.
        let other = take(&mut inbox, renamed("nick7", key(0)));
        assert_eq!(other.unwrap(), "* nick7 is now new");
        let other = take(&mut inbox, renamed("nick0", key(1)));
        assert_eq!(other.unwrap(), "* nick0 is now new");
    }

    #[test]
    fn a_list_in_parts_is_shown_as_one() {
        let mut inbox = inbox();
        let members = |nick: &str, more| Notice::Members {
            members: vec![Member {
                nick: nick.into(),
                key: key(1),
                plaintext: false,
            }],
            more,
        };
        assert_eq!(take(&mut inbox, members("a", true)), None);
        let found = inbox.take(members("b", false), "nick0");
        assert_eq!(
            found,
            Some(DisplayEvent::Found(vec!["a".into(), "b".into()]))
        );
        assert_eq!(take(&mut inbox, Notice::CaughtUp), None);
        assert_eq!(take(&mut inbox, members("c", false)).unwrap(), "* here: c");
    }

    #[test]
    fn the_correspondent_is_a_person() {
        let mut inbox = inbox();
        inbox.people.join("nick1", key(1));
        let private = Notice::Said {
            id: 1,
            at: 1,
            from: "nick1".into(),
            key: key(1),
            kind: Kind::Private,
            text: "psst".into(),
            history: false,
        };
        take(&mut inbox, private);
        assert_eq!(inbox.correspondent(), Some("nick1"));
        let (old, new) = ("nick1".into(), "Ли".into());
        take(
            &mut inbox,
            Notice::Renamed {
                old,
                new,
                key: key(1),
            },
        );
        assert_eq!(inbox.correspondent(), Some("Ли"));
    }
}
