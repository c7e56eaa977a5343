//! A text that comes in pieces, until it is whole.

use proto::chat::{Kind, Parts, TooLong};

/// For whom a text is, and how it is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Addressee {
    /// For all but the author.
    All(Kind),
    /// For the member with this nick.
    One(String),
}

/// What a member is writing.
#[derive(Debug)]
pub(super) struct Draft {
    to: Addressee,
    parts: Parts,
    too_long: Option<TooLong>,
}

impl Draft {
    pub(super) fn new(to: Addressee) -> Self {
        Self {
            to,
            parts: Parts::default(),
            too_long: None,
        }
    }

    pub(super) fn to(&self) -> &Addressee {
        &self.to
    }

    /// Takes the next piece; at the last, gives the text. What is left of a text that is too long
    /// is passed over.
    pub(super) fn push(&mut self, piece: &str, more: bool) -> Option<Result<String, TooLong>> {
        if self.too_long.is_none() {
            match self.parts.push(piece, more) {
                Ok(text) => return text.map(Ok),
                Err(error) => self.too_long = Some(error),
            }
        }
        self.too_long.filter(|_| !more).map(Err)
    }
}

#[cfg(test)]
mod tests {
    use proto::chat::MAX_TEXT_BYTES;

    use super::*;

    #[test]
    fn pieces_become_a_text() {
        let mut draft = Draft::new(Addressee::All(Kind::Say));
        assert_eq!(draft.push("one ", true), None);
        assert_eq!(draft.push("two", false), Some(Ok("one two".into())));
    }

    #[test]
    fn a_text_too_long_is_told_once_at_its_end() {
        let mut draft = Draft::new(Addressee::All(Kind::Say));
        let half = "x".repeat(MAX_TEXT_BYTES / 2);
        for piece in [&half, &half, "x", "rest"] {
            assert_eq!(draft.push(piece, true), None);
        }
        let (length, limit) = (MAX_TEXT_BYTES + 1, MAX_TEXT_BYTES);
        assert_eq!(draft.push("", false), Some(Err(TooLong { length, limit })));
    }
}
