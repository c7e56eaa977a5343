//! A stream whose first byte was looked at, to find out what the peer speaks.

use std::io::{self, IoSlice, Read, Write};

/// The content type of a TLS record that carries a handshake (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 0x16;

/// Whether a client whose first byte this is speaks TLS. The first byte of a dialogue is 0x00, since its frames are
/// shorter than 16 MiB.
#[must_use]
pub fn is_tls_handshake(first_byte: u8) -> bool {
    first_byte == HANDSHAKE
}

/// As much as is read to see the first byte: the first message of most clients, so that it takes one read.
const CAPACITY: usize = 1024;

/// A stream whose first bytes were read, and are read again.
#[derive(Debug)]
pub struct Peeked<S> {
    stream: S,
    /// What came with the first byte. Empty, and without memory, once it is read.
    first: Vec<u8>,
    /// How much of it was read again.
    taken: usize,
}

impl<S: Read> Peeked<S> {
    /// Waits for the first byte. `None` if the stream ended instead.
    ///
    /// # Errors
    ///
    /// When the stream cannot be read.
    pub fn new(mut stream: S) -> io::Result<(Option<u8>, Self)> {
        let mut first = vec![0; CAPACITY];
        let count = loop {
            match stream.read(&mut first) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        first.truncate(count);
        let first_byte = first.first().copied();
        Ok((
            first_byte,
            Self {
                stream,
                first,
                taken: 0,
            },
        ))
    }
}

impl<S> Peeked<S> {
    /// The stream itself.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }
}

impl<S: Read> Read for Peeked<S> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        // What comes after it is not waited for: it may never come.
        let rest = &self.first[self.taken..];
        if !rest.is_empty() {
            let count = room.len().min(rest.len());
            room[..count].copy_from_slice(&rest[..count]);
            self.taken += count;
            return Ok(count);
        }
        if self.taken > 0 {
            (self.first, self.taken) = (Vec::new(), 0);
        }
        self.stream.read(room)
    }
}

impl<S: Write> Write for Peeked<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.stream.write_vectored(parts)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod unit_tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_byte_is_read_once_and_in_order(
            bytes in prop::collection::vec(any::<u8>(), 0..3000),
            portion in 1..2000usize,
        ) {
            let (first, mut stream) = Peeked::new(&bytes[..]).unwrap();
            prop_assert_eq!(first, bytes.first().copied());
            let (mut read, mut room) = (vec![], vec![0; portion]);
            prop_assert_eq!(stream.read(&mut []).unwrap(), 0);
            loop {
                let count = stream.read(&mut room).unwrap();
                if count == 0 {
                    break;
                }
                read.extend_from_slice(&room[..count]);
            }
            prop_assert_eq!(read, bytes);
        }
    }
}
