//! Bytes from a terminal turned into keys. What a key does is the editor's business.
//!
//! Bytes come in portions of any size: a key or a paste may be cut anywhere.

use std::mem;

/// The longest text that one paste may bring. A longer one belongs in a pipe.
pub const MAX_PASTE_BYTES: usize = 4 << 20;

/// A control sequence longer than this is noise.
const MAX_SEQUENCE_BYTES: usize = 32;

const ESCAPE: u8 = 0x1b;
const PASTE_START: &str = "200";
const PASTE_END: &[u8] = b"\x1b[201~";

/// A key, or a combination of keys, by what it means to an editor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A letter or sign. A byte that is not UTF-8 is U+FFFD.
    Character(char),
    /// Enter.
    Enter,
    /// Tab.
    Tab,
    /// Escape.
    Escape,
    /// Left, or Ctrl-B.
    Left,
    /// Right, or Ctrl-F.
    Right,
    /// Ctrl-Left, or Alt-B.
    WordLeft,
    /// Ctrl-Right, or Alt-F.
    WordRight,
    /// Home, or Ctrl-A.
    Home,
    /// End, or Ctrl-E.
    End,
    /// Up, or Ctrl-P.
    Up,
    /// Down, or Ctrl-N.
    Down,
    /// Backspace, or Ctrl-H.
    Backspace,
    /// Delete.
    Delete,
    /// Ctrl-W, or Alt-Backspace.
    DeleteWordLeft,
    /// Alt-D, or Ctrl-Delete.
    DeleteWordRight,
    /// Ctrl-U.
    DeleteToStart,
    /// Ctrl-K.
    DeleteToEnd,
    /// Ctrl-Y.
    Yank,
    /// Ctrl-L.
    ClearScreen,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D.
    EndOfInput,
    /// Ctrl-Z.
    Suspend,
    /// Pasted text, with `\n` as the end of each line.
    Paste(String),
    /// More than [`MAX_PASTE_BYTES`] were pasted; this many.
    LongPaste(usize),
}

/// Parses bytes; keeps the start of a key whose end has not come.
#[derive(Debug, Default)]
pub struct KeyParser {
    unread: Vec<u8>,
    paste: Option<PasteBuffer>,
}

#[derive(Debug, Default)]
struct PasteBuffer {
    bytes: Vec<u8>,
    length: usize,
}

/// What the unread bytes begin with.
enum Parsed {
    Incomplete,
    /// A key of this many bytes; `None` for one without a meaning.
    Key(usize, Option<Key>),
    PasteStart(usize),
}

impl KeyParser {
    /// The keys that `bytes` complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Key> {
        let mut keys = Vec::new();
        let mut unread = mem::take(&mut self.unread);
        unread.extend_from_slice(bytes);
        let mut rest = &unread[..];
        while !rest.is_empty() {
            if let Some(paste) = &mut self.paste {
                match paste.take(&mut rest) {
                    Some(key) => {
                        keys.push(key);
                        self.paste = None;
                    }
                    None => break,
                }
                continue;
            }
            match parse(rest) {
                Parsed::Incomplete => break,
                Parsed::Key(length, key) => {
                    keys.extend(key);
                    rest = &rest[length..];
                }
                Parsed::PasteStart(length) => {
                    self.paste = Some(PasteBuffer::default());
                    rest = &rest[length..];
                }
            }
        }
        self.unread = rest.to_vec();
        keys
    }

    /// Whether a key has begun that may end here: Escape begins most sequences and is a key, too.
    pub fn is_undecided(&self) -> bool {
        !self.unread.is_empty() && self.paste.is_none()
    }

    /// Takes an undecided key as it is, once nothing followed for a while.
    pub fn decide(&mut self) -> Vec<Key> {
        if !self.is_undecided() {
            return Vec::new();
        }
        let unread = mem::take(&mut self.unread);
        match unread[0] {
            ESCAPE => vec![Key::Escape],
            _ => vec![Key::Character(char::REPLACEMENT_CHARACTER)],
        }
    }
}

impl PasteBuffer {
    /// Takes what belongs to the paste; gives it once it is whole.
    fn take(&mut self, rest: &mut &[u8]) -> Option<Key> {
        let end = rest
            .windows(PASTE_END.len())
            .position(|bytes| bytes == PASTE_END);
        // The last bytes may be the start of the end mark.
        let length = end.unwrap_or_else(|| rest.len().saturating_sub(PASTE_END.len() - 1));
        let room = MAX_PASTE_BYTES.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(&rest[..length.min(room)]);
        self.length += length;
        *rest = &rest[length..];
        end?;
        *rest = &rest[PASTE_END.len()..];
        if self.length > MAX_PASTE_BYTES {
            return Some(Key::LongPaste(self.length));
        }
        let text = String::from_utf8_lossy(&self.bytes);
        Some(Key::Paste(text.replace("\r\n", "\n").replace('\r', "\n")))
    }
}

fn parse(bytes: &[u8]) -> Parsed {
    match bytes {
        [ESCAPE] => Parsed::Incomplete,
        [ESCAPE, b'[', ..] => parse_sequence(bytes),
        [ESCAPE, b'O'] => Parsed::Incomplete,
        [ESCAPE, b'O', last, ..] => Parsed::Key(3, cursor_key(*last, false)),
        [ESCAPE, ESCAPE, ..] => Parsed::Key(1, Some(Key::Escape)),
        [ESCAPE, second, ..] => match parse_character(&bytes[1..]) {
            Some((length, _)) => Parsed::Key(1 + length, alt_key(*second)),
            None => Parsed::Incomplete,
        },
        [control @ (0..=0x1f | 0x7f), ..] => Parsed::Key(1, control_key(*control)),
        _ => match parse_character(bytes) {
            Some((length, character)) => Parsed::Key(length, Some(Key::Character(character))),
            None => Parsed::Incomplete,
        },
    }
}

/// The first character and its length, U+FFFD where it is not UTF-8; `None` if its end is missing.
fn parse_character(bytes: &[u8]) -> Option<(usize, char)> {
    let chunk = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(chunk) {
        Ok(text) => text,
        Err(error) if error.valid_up_to() > 0 => {
            std::str::from_utf8(&chunk[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(error) => {
            let invalid = error.error_len()?;
            return Some((invalid, char::REPLACEMENT_CHARACTER));
        }
    };
    let character = valid.chars().next()?;
    Some((character.len_utf8(), character))
}

/// A control sequence (ECMA-48): `ESC [`, parameters, one final byte.
fn parse_sequence(bytes: &[u8]) -> Parsed {
    // The Linux console's function keys are `ESC [ [` and a letter.
    let start = if bytes.get(2) == Some(&b'[') { 3 } else { 2 };
    let end = bytes
        .iter()
        .skip(start)
        .position(|byte| matches!(byte, 0x40..=0x7e));
    let Some(end) = end.map(|end| start + end) else {
        return match bytes.len() > MAX_SEQUENCE_BYTES {
            true => Parsed::Key(bytes.len(), None),
            false => Parsed::Incomplete,
        };
    };
    let length = end + 1;
    let parameters = std::str::from_utf8(&bytes[2..end]).unwrap_or_default();
    if start == 3 {
        return Parsed::Key(length, None);
    }
    let mut parameters = parameters.split(';');
    let first = parameters.next().unwrap_or_default();
    // 3: Alt, 5: Ctrl, and both with Shift.
    let by_word = matches!(parameters.next(), Some("3" | "4" | "5" | "6" | "7"));
    match (bytes[end], first) {
        (b'~', PASTE_START) => Parsed::PasteStart(length),
        (b'~', "1" | "7") => Parsed::Key(length, Some(Key::Home)),
        (b'~', "4" | "8") => Parsed::Key(length, Some(Key::End)),
        (b'~', "3") if by_word => Parsed::Key(length, Some(Key::DeleteWordRight)),
        (b'~', "3") => Parsed::Key(length, Some(Key::Delete)),
        (last, _) => Parsed::Key(length, cursor_key(last, by_word)),
    }
}

fn cursor_key(last: u8, by_word: bool) -> Option<Key> {
    Some(match last {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' if by_word => Key::WordRight,
        b'C' => Key::Right,
        b'D' if by_word => Key::WordLeft,
        b'D' => Key::Left,
        b'H' => Key::Home,
        b'F' => Key::End,
        _ => return None,
    })
}

fn alt_key(second: u8) -> Option<Key> {
    Some(match second {
        b'b' => Key::WordLeft,
        b'f' => Key::WordRight,
        b'd' => Key::DeleteWordRight,
        0x08 | 0x7f => Key::DeleteWordLeft,
        _ => return None,
    })
}

fn control_key(byte: u8) -> Option<Key> {
    const CTRL_BACKSLASH: u8 = 0x1c;
    let letter = (byte | 0x40) as char;
    Some(match letter {
        _ if byte == 0x7f => Key::Backspace,
        _ if byte == CTRL_BACKSLASH => Key::Interrupt,
        'A' => Key::Home,
        'B' => Key::Left,
        'C' => Key::Interrupt,
        'D' => Key::EndOfInput,
        'E' => Key::End,
        'F' => Key::Right,
        'H' => Key::Backspace,
        'I' => Key::Tab,
        'J' | 'M' => Key::Enter,
        'K' => Key::DeleteToEnd,
        'L' => Key::ClearScreen,
        'N' => Key::Down,
        'P' => Key::Up,
        'U' => Key::DeleteToStart,
        'W' => Key::DeleteWordLeft,
        'Y' => Key::Yank,
        'Z' => Key::Suspend,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut parser = KeyParser::default();
        let mut keys = parser.push(bytes);
        keys.extend(parser.decide());
        keys
    }

    #[test]
    fn letters_controls_and_sequences_are_keys() {
        let character = Key::Character;
        assert_eq!(
            keys("aя👍".as_bytes()),
            "aя👍".chars().map(character).collect::<Vec<_>>()
        );
        assert_eq!(
            keys(b"\x1b[A\x1bOB\x1b[1;5C\x1b[3~\x1b[3;5~\x1bb\x1b\x7f\x01\x7f\r\t\x1a"),
            [
                Key::Up,
                Key::Down,
                Key::WordRight,
                Key::Delete,
                Key::DeleteWordRight,
                Key::WordLeft,
                Key::DeleteWordLeft,
                Key::Home,
                Key::Backspace,
                Key::Enter,
                Key::Tab,
                Key::Suspend,
            ]
        );
        assert_eq!(
            keys(b"\x1b[[A\x1b[15~\x1b[?1;2cx"),
            [Key::Character('x')],
            "no meaning here"
        );
        assert_eq!(keys(b"\x1b"), [Key::Escape]);
    }

    #[test]
    fn what_is_no_utf8_is_a_replacement_and_the_rest_stays() {
        let text: String = keys(b"a\xffb\xe9\xd0")
            .into_iter()
            .map(|key| match key {
                Key::Character(character) => character,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(text, "a\u{fffd}b\u{fffd}\u{fffd}");
    }

    #[test]
    fn a_paste_is_one_key_with_its_line_ends_made_alike() {
        let pasted = "one\n\ttwo\n\u{1b}[Athree\n".to_owned();
        assert_eq!(
            keys(b"a\x1b[200~one\r\n\ttwo\r\x1b[Athree\n\x1b[201~b"),
            [Key::Character('a'), Key::Paste(pasted), Key::Character('b')]
        );
        let mut long = b"\x1b[200~".to_vec();
        long.resize(MAX_PASTE_BYTES + 7, b'x');
        long.extend(PASTE_END);
        assert_eq!(keys(&long), [Key::LongPaste(MAX_PASTE_BYTES + 1)]);
    }

    proptest! {
        #[test]
        fn portions_make_no_difference(
            text in "([ -~я👍]|\x1b\\[[A-D]|\x1b\\[200~[a-zя\n]{0,9}\x1b\\[201~|\r){0,20}",
            cuts in prop::collection::vec(1..7usize, 1..20),
        ) {
            let mut parser = KeyParser::default();
            let mut found = Vec::new();
            let mut rest = text.as_bytes();
            let mut cuts = cuts.iter().cycle();
            while !rest.is_empty() {
                let (portion, after) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
                found.extend(parser.push(portion));
                rest = after;
            }
            found.extend(parser.decide());
            prop_assert_eq!(found, keys(text.as_bytes()));
        }

        #[test]
        fn no_bytes_make_it_panic_or_hoard(portions in prop::collection::vec(any::<Vec<u8>>(), 0..8)) {
            let mut parser = KeyParser::default();
            for portion in &portions {
                parser.push(portion);
                prop_assert!(parser.unread.len() <= MAX_SEQUENCE_BYTES);
            }
        }
    }
}
