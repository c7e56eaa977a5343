//! The bytes that were sent and have not come back, to be compared with the replies as they come.

use std::collections::VecDeque;

/// The most bytes to keep. What is sent beyond them is compared at the end of the dialogue, by its digest.
const MAX_KEPT: usize = 1 << 20;

/// The bytes that must come back next.
#[derive(Debug, Default)]
pub(crate) struct SentBytes {
    kept: VecDeque<u8>,
    /// How many bytes were sent after the kept ones.
    not_kept: u64,
    differ: bool,
}

impl SentBytes {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let room = match self.not_kept {
            0 => bytes.len().min(MAX_KEPT - self.kept.len()),
            _ => 0,
        };
        self.kept.extend(&bytes[..room]);
        self.not_kept += (bytes.len() - room) as u64;
    }

    /// Compares the next bytes that came back.
    pub(crate) fn compare(&mut self, received: &[u8]) {
        let (kept, rest) = received.split_at(received.len().min(self.kept.len()));
        self.differ |= self.kept.drain(..kept.len()).ne(kept.iter().copied());
        let surplus = (rest.len() as u64).saturating_sub(self.not_kept);
        self.not_kept -= rest.len() as u64 - surplus;
        self.differ |= surplus > 0;
    }

    /// Whether bytes came back that were not sent.
    pub(crate) fn differ(&self) -> bool {
        self.differ
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether these replies to these bytes differ from them.
    fn differ(sent: &[&[u8]], received: &[&[u8]]) -> bool {
        let mut bytes = SentBytes::default();
        sent.iter().for_each(|sent| bytes.push(sent));
        received.iter().for_each(|reply| bytes.compare(reply));
        bytes.differ()
    }

    #[test]
    fn replies_are_compared_however_they_are_cut() {
        assert!(!differ(&[b"hel", b"lo"], &[b"h", b"ello"]));
        assert!(!differ(&[b"hello"], &[b"hel"]));
        assert!(differ(&[b"hello"], &[b"hEl"]));
        assert!(differ(&[b"hello"], &[b"hello", b"!"]));
        assert!(differ(&[], &[b"!"]));
    }

    #[test]
    fn a_bounded_number_of_bytes_is_kept() {
        let (long, short) = (vec![b'x'; MAX_KEPT - 1], &b"yyy"[..]);
        let mut bytes = SentBytes::default();
        bytes.push(&long);
        bytes.push(short);
        bytes.push(short);
        assert_eq!((bytes.kept.len(), bytes.not_kept), (MAX_KEPT, 5));
        bytes.compare(&long);
        bytes.compare(b"y?????");
        assert!(!bytes.differ());
        bytes.push(short);
        bytes.compare(b"yyY");
        assert!(bytes.differ());
    }
}
