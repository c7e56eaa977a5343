//! The latest texts to all, for those who join.

use std::collections::VecDeque;

use chat_link::KeyId;
use chat_link::message::{Kind, MAX_HISTORY_TEXTS, Message, Notice};
use serde::{Deserialize, Serialize};

/// One text, as it is kept on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredText {
    /// Its id. Ids rise.
    pub id: u64,
    /// When the server received it, in Unix milliseconds.
    pub at: u64,
    /// The author's nick.
    pub from: String,
    /// The author's key.
    pub key: KeyId,
    /// How it is meant.
    pub kind: Kind,
    /// The text.
    pub text: String,
}

impl StoredText {
    /// The notice that carries it.
    pub(super) fn notice(&self, history: bool) -> Message {
        let Self {
            id,
            at,
            from,
            key,
            kind,
            text,
        } = self.clone();
        Message::encode(&Notice::Said {
            id,
            at,
            from,
            key,
            kind,
            text,
            history,
        })
        .expect("texts are checked to be short")
    }
}

/// The latest texts to all, by id.
#[derive(Debug, Default)]
pub(super) struct History(VecDeque<Remembered>);

#[derive(Debug)]
struct Remembered {
    text: StoredText,
    /// Made when somebody joins, for all who do.
    notice: Option<Message>,
}

impl History {
    pub(super) fn new(texts: Vec<StoredText>) -> Self {
        let mut history = Self::default();
        texts.into_iter().for_each(|text| history.remember(text));
        history
    }

    pub(super) fn remember(&mut self, text: StoredText) {
        if self.0.len() == MAX_HISTORY_TEXTS {
            self.0.pop_front();
        }
        self.0.push_back(Remembered { text, notice: None });
    }

    pub(super) fn last_id(&self) -> Option<u64> {
        self.0.back().map(|remembered| remembered.text.id)
    }

    /// The first of the latest `count` texts' ids, where a member's history begins.
    pub(super) fn start(&self, count: usize) -> Option<u64> {
        let index = self.0.len().saturating_sub(count);
        self.0.get(index).map(|remembered| remembered.text.id)
    }

    /// The text with this id or the next one, and its id.
    pub(super) fn next(&mut self, id: u64) -> Option<(u64, Message)> {
        let index = self.0.partition_point(|remembered| remembered.text.id < id);
        let remembered = self.0.get_mut(index)?;
        let notice = remembered
            .notice
            .get_or_insert_with(|| remembered.text.notice(true));
        Some((remembered.text.id, notice.clone()))
    }
}

#[cfg(test)]
mod tests {
    use chat_link::PublicKey;

    use super::*;

    fn text(id: u64) -> StoredText {
        let key = PublicKey::from_bytes([1; 32]).key_id();
        StoredText {
            id,
            at: 1,
            from: "Anna".into(),
            key,
            kind: Kind::Say,
            text: format!("text {id}"),
        }
    }

    #[test]
    fn the_latest_are_remembered_and_read_one_by_one() {
        let mut history = History::new((1..=1_010).map(|id| text(2 * id)).collect());
        assert_eq!(
            (history.last_id(), history.start(2), history.start(5_000)),
            (Some(2_020), Some(2_018), Some(22))
        );
        let (id, notice) = history.next(2_018).unwrap();
        assert_eq!(id, 2_018);
        let Notice::Said {
            history: true,
            id: 2_018,
            ..
        } = Notice::decode(notice.as_bytes()).unwrap()
        else {
            panic!("another notice");
        };
        assert_eq!(history.next(2_019).map(|(id, _)| id), Some(2_020));
        assert_eq!(history.next(2_021).map(|(id, _)| id), None);
        assert_eq!(history.start(0), None);
    }
}
