//! What a data datagram carries: an encoded message, and long texts cut to fit.
//!
//! The link moves bodies as they are, so that one with an unknown message inside is acknowledged
//! all the same, and a server encodes a message once for a thousand members.

use super::json::Json;
use serde::Serialize;

use super::datagram::at_most;
use super::error::TooLong;

/// The longest message as encoded, in bytes. It leaves a datagram room for its own fields at
/// their longest, three ranges among them.
pub const MAX_BODY_BYTES: usize = 960;

/// The longest text a member may write at once, in bytes of UTF-8, before it is escaped and cut.
pub const MAX_TEXT_BYTES: usize = 4_096;

/// An encoded message that fits in a datagram. Copies share the bytes.
#[derive(Debug, Clone)]
pub struct Body(Json);

impl Body {
    /// Encodes a message.
    ///
    /// # Errors
    ///
    /// [`TooLong`] past [`MAX_BODY_BYTES`]; texts are to be [`split`] first.
    pub fn new(message: &impl Serialize) -> Result<Self, TooLong> {
        let json = Json::new(message)
            .expect("messages have text for keys and serialise without errors of their own");
        at_most(MAX_BODY_BYTES, json.get().len())?;
        Ok(Self(json))
    }

    /// The message in JSON.
    pub fn as_json(&self) -> &Json {
        &self.0
    }
}

/// Cuts `text` at character boundaries into messages that fit, each made by `wrap` from its piece
/// and from whether more follow. The parts are to be sent one straight after the other. An empty
/// text is one message.
///
/// # Errors
///
/// [`TooLong`] when what `wrap` adds leaves no room for a character.
pub fn split<M: Serialize>(
    text: &str,
    wrap: impl Fn(&str, bool) -> M,
) -> Result<Vec<Body>, TooLong> {
    let bare = Body::new(&wrap("", true))?.as_json().get().len();
    let longest_char = escaped_len('\0');
    at_most(MAX_BODY_BYTES, bare + longest_char)?;

    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let (piece, more) = rest.split_at(fitting(rest, MAX_BODY_BYTES - bare));
        parts.push(Body::new(&wrap(piece, !more.is_empty()))?);
        rest = more;
        if rest.is_empty() {
            return Ok(parts);
        }
    }
}

/// How many bytes of `text` stay within `room` once they are escaped.
fn fitting(text: &str, room: usize) -> usize {
    let mut used = 0;
    text.char_indices()
        .find(|&(_, char)| {
            used += escaped_len(char);
            used > room
        })
        .map_or(text.len(), |(at, _)| at)
}

/// The length in bytes of a character within a JSON string, as serde_json writes it.
fn escaped_len(char: char) -> usize {
    match char {
        '"' | '\\' | '\u{8}' | '\t' | '\n' | '\u{c}' | '\r' => 2,
        '\0'..='\u{1f}' => 6,
        _ => char.len_utf8(),
    }
}

/// Puts the parts of a text together again.
#[derive(Debug, Default)]
pub struct Parts(String);

impl Parts {
    /// Takes the next piece; gives the text when no more follow.
    ///
    /// # Errors
    ///
    /// [`TooLong`] past [`MAX_TEXT_BYTES`]; what was collected is dropped.
    pub fn push(&mut self, piece: &str, more: bool) -> Result<Option<String>, TooLong> {
        if let Err(error) = at_most(MAX_TEXT_BYTES, self.0.len() + piece.len()) {
            self.0.clear();
            return Err(error);
        }
        self.0.push_str(piece);
        Ok(if more {
            None
        } else {
            Some(std::mem::take(&mut self.0))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::Request;
    use super::*;
    use proptest::prelude::*;

    fn say(text: &str, more: bool) -> Request {
        Request::Say {
            text: text.to_owned(),
            more,
        }
    }

    fn lengths(parts: &[Body]) -> Vec<usize> {
        parts
            .iter()
            .map(|part| part.as_json().get().len())
            .collect()
    }

    #[test]
    fn the_worst_text_fills_its_parts() {
        let parts = split(&"\0".repeat(MAX_TEXT_BYTES), say).unwrap();
        let (last, full) = lengths(&parts)
            .split_last()
            .map(|(l, f)| (*l, f.to_vec()))
            .unwrap();
        assert!(
            full.iter()
                .all(|length| (MAX_BODY_BYTES - 5..=MAX_BODY_BYTES).contains(length))
        );
        assert!(last <= MAX_BODY_BYTES);
        assert_eq!(parts.len(), 27);
    }

    #[test]
    fn a_wrapping_without_room_is_an_error() {
        let wrap = |text: &str, more| Request::Private {
            to: "x".repeat(MAX_BODY_BYTES - 50),
            text: text.to_owned(),
            more,
        };
        assert!(split("\0", wrap).is_err());
    }

    #[test]
    fn parts_past_the_limit_are_dropped() {
        let mut parts = Parts::default();
        let half = "x".repeat(MAX_TEXT_BYTES / 2 + 1);
        assert_eq!(parts.push(&half, true), Ok(None));
        let (length, limit) = (MAX_TEXT_BYTES + 2, MAX_TEXT_BYTES);
        assert_eq!(parts.push(&half, true), Err(TooLong { length, limit }));
        assert_eq!(parts.push("anew", false), Ok(Some("anew".to_owned())));
    }

    proptest! {
        #[test]
        fn any_text_comes_together_again(text in "(\\PC|[\\x00-\\x1f\"\\\\]){0,900}") {
            let text = &text[..fitting(&text, MAX_TEXT_BYTES)];
            let mut collected = Parts::default();
            let mut whole = None;
            for part in split(text, say).unwrap() {
                prop_assert_eq!(&whole, &None);
                prop_assert!(part.as_json().get().len() <= MAX_BODY_BYTES);
                let Request::Say { text, more } = Request::decode(part.as_json()).unwrap() else {
                    panic!("another message");
                };
                whole = collected.push(&text, more).unwrap();
            }
            prop_assert_eq!(whole.as_deref(), Some(text));
        }
    }
}
