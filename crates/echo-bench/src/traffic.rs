//! The bytes of a measurement: messages of one size. Each begins with its number, so that a lost, repeated or reordered
//! reply is noticed. Raw messages go on with all byte values, and framed ones with characters of one to four bytes.

use proto::header;

use crate::Wire;

/// Digits of a message's number, if it is long enough for all of them.
const DIGITS: usize = 16;

/// Characters of one to four bytes, in several scripts, with combining and joining ones.
const CHARACTERS: &str = "Hello, \0\t\r\n Привет, ё é e\u{301} مرحبا שלום 你好 ไทย \
                          €—\u{200d}\u{fe0f}🦀👩\u{200d}🚀\u{10ffff}!";

/// Text of exactly `size` bytes.
fn text(size: usize) -> String {
    let mut text = String::with_capacity(size);
    for character in CHARACTERS.chars().cycle() {
        if text.len() + character.len_utf8() > size {
            break;
        }
        text.push(character);
    }
    text.extend(std::iter::repeat_n('.', size - text.len()));
    text
}

/// An endless stream of messages, to be sent or to be compared with.
#[derive(Clone, Debug)]
pub(crate) struct Traffic {
    message: Vec<u8>,
    header: usize,
    digits: usize,
    number: u64,
    /// How much of the message is compared already.
    at: usize,
}

/// Where a stream differs from the expected one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The message's number, from 1.
    pub(crate) message: u64,
    /// Bytes from its start.
    pub(crate) byte: usize,
}

impl Traffic {
    pub(crate) fn new(wire: Wire, size: usize) -> Self {
        let start = match wire {
            Wire::Framed => header(size)
                .expect("a size of at most 256 MiB fits a header")
                .to_vec(),
            Wire::Raw => vec![],
        };
        let header = start.len();
        let mut message = start;
        let digits = size.min(DIGITS);
        message.extend(vec![b'0'; digits]);
        match wire {
            Wire::Framed => message.extend(text(size - digits).as_bytes()),
            // 37 and 256 have no common divisor, so all values come, and letters and bytes over 0x7f come early.
            Wire::Raw => message.extend(
                (0..size - digits).map(|at| (at as u8).wrapping_mul(37).wrapping_add(b'a')),
            ),
        }
        let mut traffic = Self {
            message,
            header,
            digits,
            number: 0,
            at: 0,
        };
        traffic.count();
        traffic
    }

    /// Bytes of a message on the wire.
    pub(crate) fn message_bytes(&self) -> usize {
        self.message.len()
    }

    /// Adds the next `count` messages to `bytes`.
    pub(crate) fn add_to(&mut self, bytes: &mut Vec<u8>, count: usize) {
        for _ in 0..count {
            bytes.extend_from_slice(&self.message);
            self.count();
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
                self.count();
            }
        }
        Ok(ended)
    }

    /// Advances to the next message number. A short message holds its last digits only.
    fn count(&mut self) {
        self.number += 1;
        let mut rest = self.number;
        for digit in self.message[self.header..]
            .iter_mut()
            .take(self.digits)
            .rev()
        {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(wire: Wire, size: usize, count: usize) -> Vec<u8> {
        let mut bytes = vec![];
        Traffic::new(wire, size).add_to(&mut bytes, count);
        bytes
    }

    #[test]
    fn messages_are_numbered() {
        assert_eq!(sent(Wire::Raw, 3, 11)[24..], *b"009010011");
        assert_eq!(sent(Wire::Framed, 18, 1), b"\0\0\0\x120000000000000001He");
    }

    #[test]
    fn long_messages_have_what_a_server_could_spoil() {
        let raw = sent(Wire::Raw, 16 + 256, 1);
        assert!((0..=255).all(|byte| raw.contains(&byte)));
        for size in 1..300 {
            let framed = sent(Wire::Framed, size, 1);
            assert_eq!(framed.len(), 4 + size);
            let text = str::from_utf8(&framed[4..]).unwrap();
            let lengths = |length| text.chars().any(|character| character.len_utf8() == length);
            assert!(size < 150 || (1..=4).all(lengths), "{text}");
        }
    }

    #[test]
    fn what_was_sent_compares_however_it_is_cut() {
        let bytes = sent(Wire::Raw, 5, 100);
        for size in 1..=bytes.len() {
            let mut traffic = Traffic::new(Wire::Raw, 5);
            let ended: usize = bytes
                .chunks(size)
                .map(|piece| traffic.compare(piece).unwrap())
                .sum();
            assert_eq!(ended, 100);
        }
    }

    #[test]
    fn a_difference_is_reported_with_message_and_byte() {
        let mut bytes = sent(Wire::Raw, 5, 4);
        bytes.drain(10..15);
        let difference = Traffic::new(Wire::Raw, 5).compare(&bytes).unwrap_err();
        assert_eq!(
            difference,
            Difference {
                message: 3,
                byte: 4
            },
            "4 came in place of 3"
        );
    }
}
