//! The payload of a measurement: messages of one size that differ from each other. Each begins with its number, so that
//! a lost, repeated or reordered reply is noticed. The rest takes turns with all byte values in raw mode, and with all
//! ASCII characters and some of two to four bytes in framed mode, so that a server that changes any of them is noticed.

use std::ops::Range;
use std::sync::LazyLock;

use proto::header;

use crate::Wire;

/// The most digits of a message's number. A short message has fewer: at least half of it is text or bytes.
const MAX_DIGITS: usize = 16;

/// Text in several scripts, with combining and joining characters.
const TEXT: &str = "Hello, \0\t\r\n Привет, ё é e\u{301} مرحبا שלום 你好 ไทย \
                    €—\u{200d}\u{fe0f}🦀👩\u{200d}🚀\u{10ffff}!";

/// [`TEXT`] and all ASCII characters, twice.
static CHARACTERS: LazyLock<String> = LazyLock::new(|| {
    let ascii: String = ('\0'..='\x7f').collect();
    [TEXT, &ascii].concat().repeat(2)
});

/// All byte values, twice. 37 and 256 have no common divisor, so letters and bytes over 0x7f come early.
static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    (0..512)
        .map(|at| (at as u8).wrapping_mul(37).wrapping_add(b'a'))
        .collect()
});

/// The messages, one after the other, to be sent or to be compared with.
#[derive(Clone, Debug)]
pub(crate) struct MessageStream {
    message: Vec<u8>,
    /// The digits of the number in `message`. What follows them is the filling.
    digits: Range<usize>,
    source: Source,
    /// Where the filling of a message can begin in the source.
    starts: Vec<u16>,
    number: u64,
    /// How much of the message is compared already.
    at: usize,
}

/// What follows the number: a period of text or bytes, which is kept twice, so that it can be taken from any start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Text,
    Bytes,
}

/// Where a stream differs from the expected one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The message's number, from 1.
    pub(crate) message: u64,
    /// Bytes from its start.
    pub(crate) byte: usize,
}

impl MessageStream {
    pub(crate) fn new(wire: Wire, size: usize) -> Self {
        let mut message = match wire {
            Wire::Framed => header(size)
                .expect("a size of at most 256 MiB fits a header")
                .to_vec(),
            Wire::Raw => vec![],
        };
        let digits = message.len()..message.len() + (size / 2).min(MAX_DIGITS);
        let filling = size - digits.len();
        message.resize(digits.end + filling, b'.');
        let source = match wire {
            Wire::Framed => Source::Text,
            Wire::Raw => Source::Bytes,
        };
        let mut starts = source.starts(filling);
        if filling >= source.period() {
            // Each message has everything, so it is filled only once.
            starts.clear();
            source.fill(&mut message[digits.end..], 0);
        }
        let mut stream = Self {
            message,
            digits,
            source,
            starts,
            number: 0,
            at: 0,
        };
        stream.advance();
        stream
    }

    /// Bytes of a message on the wire.
    pub(crate) fn message_bytes(&self) -> usize {
        self.message.len()
    }

    /// Adds the next `count` messages to `bytes`.
    pub(crate) fn add_to(&mut self, bytes: &mut Vec<u8>, count: usize) {
        for _ in 0..count {
            bytes.extend_from_slice(&self.message);
            self.advance();
        }
    }

    /// Compares the next bytes, which may be cut anywhere, and returns how many messages they complete.
    pub(crate) fn compare(&mut self, mut bytes: &[u8]) -> Result<usize, Difference> {
        let mut ended = 0;
        while !bytes.is_empty() {
            let expected = &self.message[self.at..];
            let length = expected.len().min(bytes.len());
            let (now, later) = bytes.split_at(length);
            if now != &expected[..length] {
                let same = now.iter().zip(expected).take_while(|(a, b)| a == b).count();
                return Err(Difference {
                    message: self.number,
                    byte: self.at + same,
                });
            }
            bytes = later;
            self.at += length;
            if self.at == self.message.len() {
                self.at = 0;
                ended += 1;
                self.advance();
            }
        }
        Ok(ended)
    }

    /// How many bytes of the next message are compared already.
    pub(crate) fn compared(&self) -> usize {
        self.at
    }

    /// Makes the next message. A short one has the last digits of its number only.
    fn advance(&mut self) {
        self.number += 1;
        let mut rest = self.number;
        for digit in self.message[self.digits.clone()].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        if !self.starts.is_empty() {
            let start = self.starts[(self.number % self.starts.len() as u64) as usize];
            self.source
                .fill(&mut self.message[self.digits.end..], start.into());
        }
    }
}

impl Source {
    fn bytes(self) -> &'static [u8] {
        match self {
            Self::Text => CHARACTERS.as_bytes(),
            Self::Bytes => &BYTES,
        }
    }

    fn period(self) -> usize {
        self.bytes().len() / 2
    }

    /// Where `room` bytes can begin, in the first period.
    fn starts(self, room: usize) -> Vec<u16> {
        let fitting = |(at, character): (usize, char)| {
            (at < self.period() && character.len_utf8() <= room).then_some(at as u16)
        };
        match self {
            Self::Text => CHARACTERS.char_indices().filter_map(fitting).collect(),
            Self::Bytes => (0..self.period() as u16).collect(),
        }
    }

    /// Fills `room`, from `start` in the first period on. Dots replace a character that does not fit at the end.
    fn fill(self, room: &mut [u8], start: usize) {
        let (source, period) = (self.bytes(), self.period());
        for part in room.chunks_mut(period) {
            part.copy_from_slice(&source[start..start + part.len()]);
        }
        if self == Self::Text {
            let end = start + room.len() % period;
            let cut = (0..4).find(|cut| CHARACTERS.is_char_boundary(end - cut));
            let whole = room.len() - cut.unwrap_or(0);
            room[whole..].fill(b'.');
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn sent(wire: Wire, size: usize, count: usize) -> Vec<u8> {
        let mut bytes = vec![];
        MessageStream::new(wire, size).add_to(&mut bytes, count);
        bytes
    }

    #[test]
    fn messages_are_numbered() {
        let messages = sent(Wire::Raw, 6, 11);
        let numbers: Vec<_> = messages.chunks(6).map(|message| &message[..3]).collect();
        assert_eq!(numbers[8..], [b"009", b"010", b"011"]);
        let framed = sent(Wire::Framed, 18, 1);
        assert_eq!(framed[..14], *b"\0\0\0\x12000000001e");
    }

    #[test]
    fn short_raw_messages_take_turns_with_all_byte_values() {
        for size in [1, 2, 3, 17, 64, 300] {
            let all: HashSet<_> = sent(Wire::Raw, size, 256).into_iter().collect();
            assert_eq!(all.len(), 256, "{size}");
        }
    }

    #[test]
    fn framed_messages_are_texts_with_letters_of_both_cases_and_long_characters() {
        for size in 1..600 {
            let messages = sent(Wire::Framed, size, 200);
            let texts: Vec<_> = messages
                .chunks(4 + size)
                .map(|message| str::from_utf8(&message[4..]).unwrap())
                .collect();
            let all = texts.concat();
            for length in 1..=4.min(size - (size / 2).min(MAX_DIGITS)) {
                let has_length = |c: char| c.len_utf8() == length;
                assert!(all.contains(has_length), "{length} of {size}: {all}");
            }
            assert!(
                ('a'..='z')
                    .chain('A'..='Z')
                    .all(|letter| all.contains(letter))
            );
            let differ = texts.windows(2).all(|pair| pair[0] != pair[1]);
            assert!(differ || size == 1, "{all}");
        }
    }

    #[test]
    fn what_was_sent_compares_however_it_is_cut() {
        for wire in [Wire::Raw, Wire::Framed] {
            let bytes = sent(wire, 5, 100);
            for size in 1..=bytes.len() {
                let mut stream = MessageStream::new(wire, 5);
                let ended: usize = bytes
                    .chunks(size)
                    .map(|piece| stream.compare(piece).unwrap())
                    .sum();
                assert_eq!((ended, stream.compared()), (100, 0));
            }
        }
    }

    #[test]
    fn a_difference_is_reported_with_message_and_byte() {
        let mut bytes = sent(Wire::Raw, 5, 4);
        bytes.drain(10..15);
        let difference = MessageStream::new(Wire::Raw, 5)
            .compare(&bytes)
            .unwrap_err();
        let (message, byte) = (3, 1);
        assert_eq!(
            difference,
            Difference { message, byte },
            "4 came in place of 3"
        );
    }
}
