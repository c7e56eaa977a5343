//! The two halves of a stream that is TLS or plaintext, for two threads.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use crate::maybe_tls::MaybeTls;
use crate::split::{TlsReadHalf, TlsWriteHalf};

/// The half that reads.
#[derive(Debug)]
pub enum ReadHalf {
    /// Over TLS.
    Tls(TlsReadHalf),
    /// From the socket.
    Plaintext(Arc<TcpStream>),
}

/// The half that writes.
#[derive(Clone, Debug)]
pub enum WriteHalf {
    /// Over TLS.
    Tls(TlsWriteHalf),
    /// To the socket.
    Plaintext(Arc<TcpStream>),
}

impl MaybeTls<TcpStream> {
    /// The socket below, for its addresses and time-outs.
    #[must_use]
    pub fn socket(&self) -> &TcpStream {
        match self {
            Self::Tls(stream) => stream.get_ref(),
            Self::Plaintext(socket) => socket,
        }
    }

    /// Splits the stream into a half that reads and a half that writes. Neither waits for the other.
    #[must_use]
    pub fn split(self) -> (ReadHalf, WriteHalf) {
        match self {
            Self::Tls(stream) => {
                let (read_half, write_half) = stream.split();
                (ReadHalf::Tls(read_half), WriteHalf::Tls(write_half))
            }
            Self::Plaintext(socket) => {
                let socket = Arc::new(socket);
                (
                    ReadHalf::Plaintext(Arc::clone(&socket)),
                    WriteHalf::Plaintext(socket),
                )
            }
        }
    }
}

impl WriteHalf {
    /// The socket below. Shutting it down wakes threads that wait for either half.
    #[must_use]
    pub fn socket(&self) -> &Arc<TcpStream> {
        match self {
            Self::Tls(half) => half.socket(),
            Self::Plaintext(socket) => socket,
        }
    }

    /// Says to the peer that nothing more comes, with TLS's close_notify where there is TLS, and closes the socket's
    /// writing side. Reading may go on.
    ///
    /// # Errors
    ///
    /// When the socket is broken.
    pub fn close(&mut self) -> io::Result<()> {
        if let Self::Tls(half) = self {
            half.close()?;
        }
        self.socket().shutdown(Shutdown::Write)
    }
}

impl Read for ReadHalf {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tls(half) => half.read(room),
            Self::Plaintext(socket) => (&**socket).read(room),
        }
    }
}

/// For code that needs a stream of both directions.
impl Write for ReadHalf {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tls(half) => half.write(bytes),
            Self::Plaintext(socket) => (&**socket).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for WriteHalf {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tls(half) => half.write(bytes),
            Self::Plaintext(socket) => (&**socket).write(bytes),
        }
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tls(half) => half.write_vectored(parts),
            Self::Plaintext(socket) => (&**socket).write_vectored(parts),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
