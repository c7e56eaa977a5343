//! A buffer between a stream and its reader. It reads whatever has come at once, and its size follows what the reads
//! bring. It knows nothing of frames.

use std::io::{self, Read};

use crate::limits::HEADER_BYTES;

/// The size of a quiet connection's buffer: ten thousand of them take 10 MiB. After a long message a buffer stays large
/// until the next one.
pub(crate) const MIN_BUFFER_BYTES: usize = 1 << 10;

/// The largest size: a frame of 64 KiB fits, so that it can come in one read. Larger reads are hardly faster.
pub(crate) const MAX_BUFFER_BYTES: usize = (64 << 10) + HEADER_BYTES;

/// A buffer that grows while reads fill it, and shrinks when they bring little.
#[derive(Debug, Default)]
pub(crate) struct ReadBuffer {
    bytes: Vec<u8>,
    /// `bytes[start..end]` was read from the stream and not consumed yet.
    start: usize,
    end: usize,
    /// The last read filled the buffer, so more may be waiting.
    filled: bool,
}

impl ReadBuffer {
    /// Reads once, when nothing is left to consume, and returns the bytes that came; none at the end of the stream.
    pub(crate) fn fill(&mut self, source: &mut impl Read) -> io::Result<&[u8]> {
        debug_assert!(self.unread().is_empty(), "unread bytes would be lost");
        self.adapt_size();
        (self.start, self.end) = (0, 0);
        self.end = read_retrying(source, &mut self.bytes)?;
        self.filled = self.end == self.bytes.len();
        Ok(self.unread())
    }

    pub(crate) fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Moves bytes to `room`, as many as there are or fit, and returns their number.
    pub(crate) fn consume_into(&mut self, room: &mut [u8]) -> usize {
        let count = room.len().min(self.unread().len());
        room[..count].copy_from_slice(&self.unread()[..count]);
        self.start += count;
        count
    }

    /// The memory that it holds from the next read on, in bytes.
    pub(crate) fn next_size(&self) -> usize {
        let size = self.bytes.len();
        if size == 0 {
            MIN_BUFFER_BYTES
        } else if self.filled {
            (2 * size).min(MAX_BUFFER_BYTES)
        } else if self.end <= size / 4 {
            // It is halved, and not given back at once, so that one small read between large ones costs little.
            (size / 2).max(MIN_BUFFER_BYTES)
        } else {
            size
        }
    }

    fn adapt_size(&mut self) {
        let (size, next) = (self.bytes.len(), self.next_size());
        if next > size {
            self.bytes.reserve_exact(next - size);
            self.bytes.resize(next, 0);
        } else if next < size {
            self.bytes.truncate(next);
            self.bytes.shrink_to_fit();
        }
    }
}

/// Reads once. An interrupted read is repeated.
pub(crate) fn read_retrying(
    source: &mut (impl Read + ?Sized),
    room: &mut [u8],
) -> io::Result<usize> {
    loop {
        match source.read(room) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
impl ReadBuffer {
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill_and_drain(buffer: &mut ReadBuffer, mut source: &[u8]) -> usize {
        let count = buffer.fill(&mut source).unwrap().len();
        let mut room = vec![0; count];
        assert_eq!(buffer.consume_into(&mut room), count);
        count
    }

    #[test]
    fn it_grows_while_reads_fill_it_up_to_its_limit() {
        let (mut buffer, source) = (ReadBuffer::default(), vec![7; 1 << 20]);
        let sizes: Vec<_> = (0..9)
            .map(|_| fill_and_drain(&mut buffer, &source) >> 10)
            .collect();
        assert_eq!(sizes, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
        assert_eq!(buffer.capacity(), MAX_BUFFER_BYTES);
    }

    #[test]
    fn it_shrinks_when_reads_bring_little() {
        let (mut buffer, source) = (ReadBuffer::default(), vec![7; 1 << 20]);
        while buffer.capacity() < MAX_BUFFER_BYTES {
            fill_and_drain(&mut buffer, &source);
        }
        for _ in 0..20 {
            fill_and_drain(&mut buffer, b"little");
        }
        assert_eq!(buffer.capacity(), MIN_BUFFER_BYTES);
    }

    #[test]
    fn bytes_are_consumed_in_order() {
        let mut buffer = ReadBuffer::default();
        buffer.fill(&mut &b"abcdef"[..]).unwrap();
        let mut room = [0; 4];
        assert_eq!((buffer.consume_into(&mut room), &room), (4, b"abcd"));
        assert_eq!(buffer.unread(), b"ef");
        assert_eq!(
            (buffer.consume_into(&mut room), &room[..2]),
            (2, &b"ef"[..])
        );
        assert_eq!(buffer.consume_into(&mut room), 0);
    }
}
