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
