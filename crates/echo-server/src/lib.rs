//! The echo service: what a client sends comes back, as frames or as a raw stream of bytes.
//!
//! A conversation runs over anything that reads and writes, so that it is tested without a socket, and [`EchoService`]
//! can be served on any listener, as `echo-client --local` does.

mod framed;
mod raw;

use std::fmt;

use proto::FramedStream;
use tcp_server::{BoxError, Client, EndReason, Service};
use tls::{MaybeTls, ServerTls, TlsError};

pub use framed::echo_messages;
pub use raw::echo_bytes;

/// The message that ends a dialogue. It is not echoed.
pub const EXIT: &str = "exit";

/// What is echoed.
#[derive(Clone, Copy, Debug)]
pub enum Echo {
    /// Every message comes back as it came.
    Framed {
        /// The longest payload accepted, in bytes.
        max_message: usize,
    },
    /// Every byte comes back (RFC 862).
    Raw {
        /// The most bytes per read.
        portion: usize,
    },
}

/// For the service message.
impl fmt::Display for Echo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Framed { max_message } => write!(f, "messages of up to {max_message} bytes"),
            Self::Raw { portion } => write!(f, "raw bytes, in portions of up to {portion}"),
        }
    }
}

/// Echo as a service, in plaintext or over TLS.
#[derive(Clone, Debug)]
pub struct EchoService {
    echo: Echo,
    tls: Option<ServerTls>,
}

impl EchoService {
    /// Echo in one of its modes; with `tls` for clients that speak TLS.
    #[must_use]
    pub fn new(echo: Echo, tls: Option<ServerTls>) -> Self {
        Self { echo, tls }
    }

    fn accept<'a>(&self, client: &'a mut Client) -> Result<MaybeTls<&'a mut Client>, TlsError> {
        MaybeTls::accept(self.tls.as_ref(), client, |client, timeout| {
            client.set_read_timeout(timeout)
        })
    }
}

impl Service for EchoService {
    fn serve(&self, client: &mut Client) -> Result<EndReason, BoxError> {
        let (end, mut stream) = match self.echo {
            Echo::Framed { max_message } => {
                // Logs `received` and `sent` for each read and write of the stream.
                let reporter = client.reporter();
                let mut stream = self.accept(client)?;
                // Dropped at once, it sends what is buffered.
                let end = echo_messages(
                    &mut FramedStream::with_observer(&mut stream, reporter),
                    max_message,
                );
                (end, stream)
            }
            // The client reports what passes the socket: over TLS, its records.
            Echo::Raw { portion } => {
                let mut stream = self.accept(client)?;
                (echo_bytes(&mut stream, portion), stream)
            }
        };
        // A client that is gone needs no goodbye.
        let _ = stream.close();
        end
    }
}
