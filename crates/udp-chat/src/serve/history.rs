//! What was said, as notices for members, and the latest of it for those who join.

use std::collections::VecDeque;

use proto::chat::{Body, HISTORY_TEXTS, Kind, Notice, split};

/// One whole text.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) id: u64,
    pub(super) at: u64,
    pub(super) from: String,
    pub(super) kind: Kind,
    pub(super) text: String,
}

impl Said {
    /// The notices that carry it.
    pub(super) fn notices(&self, history: bool) -> Vec<Body> {
        split(&self.text, |text, more| Notice::Said {
            id: self.id,
            at: self.at,
            from: self.from.clone(),
            kind: self.kind,
            text: text.to_owned(),
            more,
            history,
        })
        .expect("beside the longest nick there is room for text")
    }
}

/// The latest texts to all.
#[derive(Debug, Default)]
pub(super) struct History(VecDeque<Remembered>);

#[derive(Debug)]
struct Remembered {
    said: Said,
    /// Made when somebody joins, for all who do.
    notices: Vec<Body>,
}

impl History {
    pub(super) fn remember(&mut self, said: Said) {
        if self.0.len() == HISTORY_TEXTS {
            self.0.pop_front();
        }
        let notices = Vec::new();
        self.0.push_back(Remembered { said, notices });
    }

    /// All of it for one who joins, oldest first.
    pub(super) fn notices(&mut self) -> impl Iterator<Item = &Body> {
        self.0.iter_mut().flat_map(|remembered| {
            if remembered.notices.is_empty() {
                remembered.notices = remembered.said.notices(true);
            }
            &remembered.notices
        })
    }
}

#[cfg(test)]
mod tests {
    use proto::chat::{MAX_TEXT_BYTES, Parts};

    use super::*;
    use crate::nick::MAX_NICK_BYTES;

    fn said(id: u64, text: &str) -> Said {
        Said {
            id,
            at: 1 << 50,
            from: "x".repeat(MAX_NICK_BYTES),
            kind: Kind::Private,
            text: text.to_owned(),
        }
    }

    #[test]
    fn the_longest_text_of_the_longest_nick_fits() {
        let text = "\0".repeat(MAX_TEXT_BYTES);
        let mut parts = Parts::default();
        let mut whole = None;
        for body in said(1 << 52, &text).notices(true) {
            let Ok(Notice::Said { text, more, .. }) = Notice::decode(body.as_json()) else {
                panic!("another notice");
            };
            whole = parts.push(&text, more).unwrap();
        }
        assert_eq!(whole, Some(text));
    }

    #[test]
    fn the_latest_are_remembered() {
        let mut history = History::default();
        (0..60).for_each(|id| history.remember(said(id, "text")));
        let ids: Vec<_> = history
            .notices()
            .map(|body| match Notice::decode(body.as_json()) {
                Ok(Notice::Said { id, history, .. }) => (id, history),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(ids, (10..60).map(|id| (id, true)).collect::<Vec<_>>());
    }
}
