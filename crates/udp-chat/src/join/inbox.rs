//! What the server tells, from messages to what is to be shown: texts put together, history that
//! was seen before and ignored members left out.

use std::collections::{BTreeSet, VecDeque};

use proto::caseless_key;
use proto::chat::Json;
use proto::chat::{HISTORY_TEXTS, Kind, Notice, Parts};

use super::display::{DisplayEvent, Said};

/// How many members a list may have, ten times what a server takes by default; the rest is left
/// out.
const MAX_MEMBERS: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Inbox {
    /// The ids of the latest texts to all, as many as a history has.
    seen: VecDeque<u64>,
    /// Of the newest text, so far.
    pieces: Parts,
    members: Vec<String>,
    /// Caseless keys of nicks.
    ignored: BTreeSet<String>,
    /// Who sent the last private text.
    correspondent: Option<String>,
    /// Whose texts of the history were written in an earlier session of ours.
    own: Option<String>,
}

impl Inbox {
    /// A session begins afresh. What of the history is by `own` was written here.
    pub(super) fn begin_afresh(&mut self, own: Option<String>) {
        self.pieces = Parts::default();
        self.members.clear();
        self.own = own;
    }

    /// Hides what `nick` says, or shows it again; tells whether it is hidden now.
    pub(super) fn ignore(&mut self, nick: &str) -> bool {
        let key = caseless_key(nick);
        let shown = self.ignored.remove(&key);
        if !shown {
            self.ignored.insert(key);
        }
        !shown
    }

    /// Who sent the last private text.
    pub(super) fn correspondent(&self) -> Option<&str> {
        self.correspondent.as_deref()
    }

    /// Takes the next message in. What it is a part of, or what is not for showing, gives nothing.
    pub(super) fn take(&mut self, message: &Json) -> Option<DisplayEvent> {
        // A message of a later version concerns later clients.
        match Notice::decode(message).ok()? {
            Notice::Said {
                id,
                at,
                from,
                kind,
                text,
                more,
                history,
            } => {
                let piece = (id, at, text, more);
                self.said(from, kind, history, piece)
            }
            Notice::Joined { nick } => Some(DisplayEvent::Joined { nick }),
            Notice::Left { nick, reason } => Some(DisplayEvent::Left { nick, reason }),
            Notice::Renamed { old, new } => {
                let is_hidden = self.ignored.remove(&caseless_key(&old));
                if is_hidden {
                    self.ignored.insert(caseless_key(&new));
                }
                Some(DisplayEvent::Renamed {
                    old,
                    new,
                    is_hidden,
                })
            }
            Notice::Members { nicks, more } => {
                let room = MAX_MEMBERS - self.members.len();
                self.members.extend(nicks.into_iter().take(room));
                (!more).then(|| DisplayEvent::Members(std::mem::take(&mut self.members)))
            }
            Notice::Error { message, .. } => Some(DisplayEvent::Trouble(message)),
        }
    }

    fn said(
        &mut self,
        from: String,
        kind: Kind,
        history: bool,
        (id, at, piece, more): (u64, u64, String, bool),
    ) -> Option<DisplayEvent> {
        // A text that is longer than texts are is dropped; the server lets none pass.
        let text = self.pieces.push(&piece, more).ok().flatten()?;
        let seen = self.seen.contains(&id);
        if kind != Kind::Private {
            self.remember(id);
        }
        let own = self.own.as_ref() == Some(&from);
        if history && (seen || own) || self.ignored.contains(&caseless_key(&from)) {
            return None;
        }
        if kind == Kind::Private {
            self.correspondent = Some(from.clone());
        }
        Some(DisplayEvent::Said(Said {
            history,
            at,
            from,
            kind,
            text,
        }))
    }

    fn remember(&mut self, id: u64) {
        if self.seen.len() == HISTORY_TEXTS {
            self.seen.pop_front();
        }
        self.seen.push_back(id);
    }
}

#[cfg(test)]
mod tests {
    use proto::chat::Body;

    use super::*;

    fn said(id: u64, from: &str, text: &str) -> Notice {
        Notice::Said {
            id,
            at: 1,
            from: from.into(),
            kind: Kind::Say,
            text: text.into(),
            more: false,
            history: false,
        }
    }

    fn with_flags(mut notice: Notice, is_history: bool, goes_on: bool) -> Notice {
        if let Notice::Said { history, more, .. } = &mut notice {
            (*history, *more) = (is_history, goes_on);
        }
        notice
    }

    fn take(inbox: &mut Inbox, notice: &Notice) -> Option<String> {
        let body = Body::new(notice).unwrap();
        inbox.take(body.as_json()).map(|shown| shown.to_string())
    }

    #[test]
    fn pieces_come_together() {
        let mut inbox = Inbox::default();
        let first = with_flags(said(1, "bo", "при"), false, true);
        assert_eq!(take(&mut inbox, &first), None);
        assert_eq!(
            take(&mut inbox, &said(1, "bo", "вет")).as_deref(),
            Some("<bo> привет")
        );
    }

    #[test]
    fn history_is_not_shown_twice_nor_is_ones_own() {
        let mut inbox = Inbox::default();
        let history = |id, from| with_flags(said(id, from, "hi"), true, false);
        assert!(take(&mut inbox, &history(1, "bo")).is_some());
        assert!(take(&mut inbox, &said(3, "bo", "hi")).is_some());
        inbox.begin_afresh(Some("me".into()));
        assert_eq!(take(&mut inbox, &history(1, "bo")), None);
        assert_eq!(take(&mut inbox, &history(2, "me")), None);
        assert_eq!(take(&mut inbox, &history(3, "bo")), None);
        assert_eq!(take(&mut inbox, &history(4, "me")), None);
        assert_eq!(
            take(&mut inbox, &history(5, "bo")).as_deref(),
            Some("| <bo> hi")
        );
        // What is said now is, whatever its id, and by whoever has that nick now.
        assert!(take(&mut inbox, &said(5, "bo", "hi")).is_some());
        assert!(take(&mut inbox, &said(6, "me", "hi")).is_some());
    }

    #[test]
    fn a_server_that_began_anew_with_its_clock_set_back_is_heard() {
        let mut inbox = Inbox::default();
        assert!(take(&mut inbox, &said(1_000, "bo", "hi")).is_some());
        inbox.begin_afresh(Some("me".into()));
        let history = |id| with_flags(said(id, "bo", "in between"), true, false);
        assert!(take(&mut inbox, &history(9)).is_some());
        assert!(take(&mut inbox, &said(10, "bo", "hi again")).is_some());
    }

    #[test]
    fn a_whole_history_is_known_again_whatever_else_was_said() {
        let mut inbox = Inbox::default();
        let private = |id| {
            let mut notice = said(id, "bo", "hi");
            if let Notice::Said { kind, .. } = &mut notice {
                *kind = Kind::Private;
            }
            notice
        };
        for id in 0..200 {
            take(&mut inbox, &said(2 * id, "bo", "hi"));
            assert!(take(&mut inbox, &private(2 * id + 1)).is_some());
        }
        inbox.begin_afresh(None);
        for id in 150..200 {
            let history = with_flags(said(2 * id, "bo", "hi"), true, false);
            assert_eq!(take(&mut inbox, &history), None);
        }
        assert_eq!(inbox.seen.len(), HISTORY_TEXTS);
    }

    #[test]
    fn who_is_ignored_stays_so_under_another_nick() {
        let mut inbox = Inbox::default();
        assert!(inbox.ignore("BO"));
        assert_eq!(take(&mut inbox, &said(1, "bo", "hi")), None);
        let (old, new) = ("bo".into(), "Ли".into());
        assert!(take(&mut inbox, &Notice::Renamed { old, new }).is_some());
        assert_eq!(take(&mut inbox, &said(2, "Ли", "hi")), None);
        assert!(take(&mut inbox, &said(3, "bo", "hi")).is_some(), "another");
        assert!(!inbox.ignore("ЛИ"));
        assert!(take(&mut inbox, &said(4, "Ли", "hi")).is_some());
    }

    #[test]
    fn lists_come_together_and_strange_messages_are_left_out() {
        let mut inbox = Inbox::default();
        let members = |nick: &str, more| Notice::Members {
            nicks: vec![nick.into()],
            more,
        };
        assert_eq!(take(&mut inbox, &members("a", true)), None);
        assert_eq!(
            take(&mut inbox, &members("b", false)).as_deref(),
            Some("* here: a, b")
        );
        let strange = Body::new(&serde_json::json!({"type": "later"})).unwrap();
        assert!(inbox.take(strange.as_json()).is_none());
    }
}
