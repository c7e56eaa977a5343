//! A text that comes in pieces, until it is whole.

use proto::chat::{Kind, Parts, TooLong};

/// Enough for the longest text, even where every character is escaped to six bytes.
const MAX_PIECES: u32 = 32;

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
    pieces: u32,
    too_long: Option<TooLong>,
}

impl Draft {
    pub(super) fn new(to: Addressee) -> Self {
        Self {
            to,
            parts: Parts::default(),
            pieces: 0,
            too_long: None,
        }
    }

    /// Whether a piece for `to` goes on with it. Without an end to pieces, one text could be an
    /// endless stream of empty ones.
    pub(super) fn continues(&self, to: &Addressee) -> bool {
        self.to == *to && self.pieces < MAX_PIECES
    }

    /// Takes the next piece; at the last, gives the text. What is left of a text that is too long
    /// is passed over.
    pub(super) fn push(&mut self, piece: &str, more: bool) -> Option<Result<String, TooLong>> {
        self.pieces += 1;
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
        let all = Addressee::All(Kind::Say);
        let mut draft = Draft::new(all.clone());
        assert_eq!(draft.push("one ", true), None);
        assert!(draft.continues(&all));
        assert!(!draft.continues(&Addressee::All(Kind::Me)));
        assert!(!draft.continues(&Addressee::One("Anna".into())));
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

    #[test]
    fn endless_pieces_are_no_text() {
        let all = Addressee::All(Kind::Say);
        let mut draft = Draft::new(all.clone());
        let pieces = (0..).take_while(|_| draft.continues(&all) && draft.push("", true).is_none());
        assert_eq!(pieces.count(), MAX_PIECES as usize);
    }
}
