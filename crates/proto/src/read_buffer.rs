//! Bytes between a source and those who take them: one read brings whatever has come, and the
//! buffer's size follows what the reads bring. What the bytes mean is not known here.

use std::io::{self, Read};

/// What a quiet connection holds. Ten thousand of them hold 10 MiB.
pub(crate) const FIRST_BYTES: usize = 1 << 10;

/// As far as a buffer grows for speed alone; only an item that needs more makes it longer.
pub(crate) const LARGE_BYTES: usize = 64 << 10;

/// A growing and shrinking buffer: `bytes[start..end]` came and was not taken yet.
#[derive(Debug, Default)]
pub(crate) struct ReadBuffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// The last read took all the room there was, so that more may wait.
    filled: bool,
}

impl ReadBuffer {
    /// Reads once. `need` is the length of the item that begins the buffer, when it is known:
    /// how far the buffer may grow beyond [`LARGE_BYTES`], as bytes arrive and no sooner.
    pub(crate) fn fill(
        &mut self,
        source: &mut (impl Read + ?Sized),
        need: usize,
    ) -> io::Result<usize> {
        self.make_room(need);
        let got = loop {
            match source.read(&mut self.bytes[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.end += got;
        self.filled = self.end == self.bytes.len();
        Ok(got)
    }

    /// What came and was not taken.
    pub(crate) fn waiting(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// What waits, beside the count to which its reader adds what it takes.
    pub(crate) fn waiting_and_taken(&mut self) -> (&[u8], &mut usize) {
        (&self.bytes[self.start..self.end], &mut self.start)
    }

    /// Takes the first `count` bytes of what waits.
    pub(crate) fn take(&mut self, count: usize) -> &[u8] {
        let (waiting, taken) = self.waiting_and_taken();
        *taken += count;
        &waiting[..count]
    }

    /// Bytes it holds room for.
    #[cfg(test)]
    pub(crate) fn size(&self) -> usize {
        self.bytes.capacity()
    }

    fn make_room(&mut self, need: usize) {
        let used = self.end;
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;

        let size = self.bytes.len();
        let drained = self.end == 0;
        let fitting = if size == 0 {
            FIRST_BYTES
        } else if self.filled || self.end == size {
            (2 * size).min(LARGE_BYTES.max(need)).max(self.end + 1)
        } else if drained && size > LARGE_BYTES {
            LARGE_BYTES
        } else if drained && used <= size / 4 {
            // By halves, so that a stream of large reads with a small one between does not begin anew.
            (size / 2).max(FIRST_BYTES)
        } else {
            size
        };
        self.bytes.reserve_exact(fitting.saturating_sub(size));
        self.bytes.resize(fitting, 0);
        if fitting < size {
            self.bytes.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(buffer: &mut ReadBuffer, mut bytes: &[u8], need: usize) -> usize {
        buffer.fill(&mut bytes, need).unwrap()
    }

    fn drain(buffer: &mut ReadBuffer) {
        let all = buffer.waiting().len();
        buffer.take(all);
    }

    #[test]
    fn it_grows_while_reads_fill_it_and_no_further_than_is_useful() {
        let (mut buffer, source, mut sizes) = (ReadBuffer::default(), vec![7; 1 << 20], vec![]);
        for _ in 0..9 {
            sizes.push(fill(&mut buffer, &source, 0) >> 10);
            drain(&mut buffer);
        }
        assert_eq!(sizes, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
    }

    #[test]
    fn an_item_that_needs_more_gets_it_as_bytes_arrive() {
        let (mut buffer, source, need) = (ReadBuffer::default(), vec![7; 1 << 20], 200 << 10);
        while buffer.waiting().len() < need {
            let before = buffer.waiting().len();
            fill(&mut buffer, &source, need);
            assert!(buffer.size() <= (2 * before).max(FIRST_BYTES));
        }
        assert_eq!(buffer.size(), need);
        drain(&mut buffer);
        fill(&mut buffer, b"x", 0);
        assert_eq!(buffer.size(), LARGE_BYTES);
    }

    #[test]
    fn it_shrinks_back_when_little_comes() {
        let (mut buffer, source) = (ReadBuffer::default(), vec![7; LARGE_BYTES]);
        while buffer.size() < LARGE_BYTES {
            fill(&mut buffer, &source, 0);
            drain(&mut buffer);
        }
        for _ in 0..20 {
            fill(&mut buffer, b"little", 0);
            drain(&mut buffer);
        }
        assert_eq!(buffer.size(), FIRST_BYTES);
    }

    #[test]
    fn what_was_not_taken_stays_in_order() {
        let mut buffer = ReadBuffer::default();
        fill(&mut buffer, b"abcdef", 0);
        assert_eq!(buffer.take(4), b"abcd");
        fill(&mut buffer, b"gh", 0);
        assert_eq!(buffer.waiting(), b"efgh");
    }
}
