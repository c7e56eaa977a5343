//! Bytes from the socket on their way into a TLS connection.

use std::io::{self, ErrorKind, Read};

use rustls::Connection;

use crate::alert::Alert;

/// As much as one read of the socket takes: two records of the largest size.
const CAPACITY: usize = 32 << 10;

/// A buffer of records, and parts of records, that were read and not yet decrypted. The connection's own buffer takes 4
/// KiB at a time, which would be eight times as many reads.
#[derive(Debug, Default)]
pub(crate) struct Ciphertext {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Ciphertext {
    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Gives the memory back. Nothing may be left to decrypt.
    pub(crate) fn free(&mut self) {
        debug_assert!(self.is_empty(), "bytes would be lost");
        self.bytes = Vec::new();
    }

    /// Reads once. All that was read before must be decrypted already. Gives 0 at the end of the stream.
    pub(crate) fn fill(&mut self, socket: &mut impl Read) -> io::Result<usize> {
        debug_assert!(self.is_empty(), "bytes would be lost");
        self.bytes.resize(CAPACITY, 0);
        (self.start, self.end) = (0, 0);
        self.end = loop {
            match socket.read(&mut self.bytes) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        Ok(self.end)
    }

    /// Hands bytes to the connection until some plaintext can be read from it, or all are handed over.
    pub(crate) fn decrypt(&mut self, connection: &mut Connection) -> io::Result<()> {
        check(connection)?;
        while !self.is_empty() {
            match connection.read_tls(&mut &self.bytes[self.start..self.end])? {
                // The peer has closed its side; bytes after that have no meaning.
                0 => self.start = self.end,
                taken => self.start += taken,
            }
            let state = connection.process_new_packets().map_err(invalid)?;
            if state.plaintext_bytes_to_read() > 0 {
                break;
            }
        }
        Ok(())
    }
}

/// Marks the end of the bytes from the peer.
pub(crate) fn end(connection: &mut Connection) -> io::Result<()> {
    connection.read_tls(&mut io::empty())?;
    connection.process_new_packets().map_err(invalid).map(drop)
}

/// Fails if the connection has failed before. Nothing more may be read from the socket then: it could block for ever.
pub(crate) fn check(connection: &mut Connection) -> io::Result<()> {
    connection.process_new_packets().map_err(invalid).map(drop)
}

/// Takes plaintext that is decrypted already; `None` if there is none yet.
pub(crate) fn take_plaintext(
    connection: &mut Connection,
    room: &mut [u8],
) -> io::Result<Option<usize>> {
    match connection.reader().read(room) {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(io::Error::new(
            ErrorKind::UnexpectedEof,
            "the connection was cut off: it ended without TLS's close_notify, so bytes may be missing",
        )),
        Err(error) => Err(error),
    }
}

/// A record that is not what the peer encrypted, or an alert.
pub(crate) fn invalid(error: rustls::Error) -> io::Error {
    match error {
        rustls::Error::AlertReceived(alert) => {
            io::Error::new(ErrorKind::InvalidData, Alert(alert).to_string())
        }
        error => io::Error::new(ErrorKind::InvalidData, error),
    }
}
