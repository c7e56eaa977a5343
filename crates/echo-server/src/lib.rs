//! The echo service: what a client sends comes back, as frames or as a raw stream of bytes.
//!
//! A conversation runs over anything that reads and writes, so that it is tested without a socket, and [`Echo`] can be
//! served on any listener, as `echo-client --local` does.

mod framed;
mod raw;
mod tls;

use std::fmt;

use proto::FramedStream;
use tcp_server::{BoxError, Client, EndReason, Service};

pub use self::tls::TlsEcho;
pub use framed::echo_messages;
pub use raw::echo_bytes;

/// The message that ends a dialogue. It is not echoed.
pub const EXIT: &str = "exit";

/// Echo as a service, in one of its two modes.
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

/// What is echoed, for the service message.
impl fmt::Display for Echo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Framed { max_message } => write!(f, "messages of up to {max_message} bytes"),
            Self::Raw { portion } => write!(f, "raw bytes, in portions of up to {portion}"),
        }
    }
}

impl Service for Echo {
    fn serve(&self, client: &mut Client) -> Result<EndReason, BoxError> {
        match *self {
            Self::Framed { max_message } => {
                // Logs `received` and `sent` for each read and write of the stream.
                let reporter = client.reporter();
                echo_messages(
                    &mut FramedStream::with_observer(client, reporter),
                    max_message,
                )
            }
            Self::Raw { portion } => echo_bytes(client, portion),
        }
    }
}
