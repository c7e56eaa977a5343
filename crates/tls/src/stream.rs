//! A TLS stream for one thread.

use std::io::{self, ErrorKind, IoSlice, Read, Write};

use rustls::Connection;

use crate::ciphertext::{self, Ciphertext};
use crate::handshake::flush;

/// As much as the connection reads at a time by itself.
const OWN_READ_BYTES: usize = 4096;

/// A stream over TLS, after the handshake.
///
/// A small message takes one `read` and one `write` of the socket. A read gives 0 when the peer has closed the stream
/// with `close_notify`; if the connection just ends, it fails with [`ErrorKind::UnexpectedEof`], since an attacker on
/// the way can cut a connection off. [`close`](Self::close) must be called for the peer to see a clean end; dropping
/// the stream is a cut-off.
#[derive(Debug)]
pub struct TlsStream<S> {
    pub(crate) socket: S,
    pub(crate) connection: Connection,
    /// Used only during bulk transfers; an idle connection holds no memory here.
    ciphertext: Ciphertext,
    is_bulk: bool,
}

impl<S: Read + Write> TlsStream<S> {
    pub(crate) fn new(socket: S, connection: Connection) -> Self {
        Self {
            socket,
            connection,
            ciphertext: Ciphertext::default(),
            is_bulk: false,
        }
    }

    pub(crate) fn into_parts(self) -> (S, Connection, Ciphertext) {
        (self.socket, self.connection, self.ciphertext)
    }

    /// The socket below. Whatever is read from it or written to it directly breaks the stream.
    pub fn get_ref(&self) -> &S {
        &self.socket
    }

    /// Says to the peer that nothing more comes. Reading may go on.
    ///
    /// # Errors
    ///
    /// When the socket cannot be written.
    pub fn close(&mut self) -> io::Result<()> {
        self.connection.send_close_notify();
        flush(&mut self.connection, &mut self.socket)
    }

    /// Decrypts records that were read already, as long as there is room. An error is left for the next read.
    fn take_more(&mut self, room: &mut [u8]) -> usize {
        let mut taken = 0;
        while taken < room.len() && !self.ciphertext.is_empty() {
            let decrypted = self.ciphertext.decrypt(&mut self.connection);
            match decrypted
                .and_then(|()| ciphertext::take_plaintext(&mut self.connection, &mut room[taken..]))
            {
                Ok(Some(count @ 1..)) => taken += count,
                _ => break,
            }
        }
        taken
    }

    /// Reads the socket once, and decrypts what came.
    fn receive(&mut self) -> io::Result<()> {
        ciphertext::check(&mut self.connection)?;
        if self.is_bulk {
            let count = self.ciphertext.fill(&mut self.socket)?;
            self.is_bulk = count > OWN_READ_BYTES;
            return match count {
                0 => ciphertext::end(&mut self.connection),
                _ => self.ciphertext.decrypt(&mut self.connection),
            };
        }
        self.ciphertext.free();
        let count = loop {
            match self.connection.read_tls(&mut self.socket) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.is_bulk = count == OWN_READ_BYTES;
        ciphertext::check(&mut self.connection)
    }
}

impl<S: Read + Write> Read for TlsStream<S> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if room.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some(count) = ciphertext::take_plaintext(&mut self.connection, room)? {
                return Ok(count + self.take_more(&mut room[count..]));
            }
            let received = match self.ciphertext.is_empty() {
                true => self.receive(),
                false => self.ciphertext.decrypt(&mut self.connection),
            };
            // Also an alert that says what is wrong.
            let flushed = flush(&mut self.connection, &mut self.socket);
            received.and(flushed)?;
        }
    }
}

impl<S: Read + Write> Write for TlsStream<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let count = self.connection.writer().write_vectored(parts)?;
        flush(&mut self.connection, &mut self.socket)?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        flush(&mut self.connection, &mut self.socket)
    }
}
