//! A stream that is TLS or plaintext, as flags or the peer decide.

use std::io::{self, IoSlice, Read, Write};

use crate::stream::TlsStream;

/// TLS over a stream, or the stream itself.
#[derive(Debug)]
pub enum MaybeTls<S> {
    /// Over TLS.
    Tls(Box<TlsStream<S>>),
    /// As it is.
    Plaintext(S),
}

impl<S: Read + Write> MaybeTls<S> {
    /// Whether the stream is encrypted.
    pub fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// Says to the peer that nothing more comes, which the end of a connection alone does not say for sure. Without TLS
    /// it does nothing.
    ///
    /// # Errors
    ///
    /// When the socket cannot be written.
    pub fn close(&mut self) -> io::Result<()> {
        match self {
            Self::Tls(stream) => stream.close(),
            Self::Plaintext(_) => Ok(()),
        }
    }
}

impl<S> From<TlsStream<S>> for MaybeTls<S> {
    fn from(stream: TlsStream<S>) -> Self {
        Self::Tls(Box::new(stream))
    }
}

impl<S: Read + Write> Read for MaybeTls<S> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tls(stream) => stream.read(room),
            Self::Plaintext(stream) => stream.read(room),
        }
    }
}

impl<S: Read + Write> Write for MaybeTls<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tls(stream) => stream.write(bytes),
            Self::Plaintext(stream) => stream.write(bytes),
        }
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tls(stream) => stream.write_vectored(parts),
            Self::Plaintext(stream) => stream.write_vectored(parts),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tls(stream) => stream.flush(),
            Self::Plaintext(stream) => stream.flush(),
        }
    }
}
