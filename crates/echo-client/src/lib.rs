//! The echo client: lines of the input go to an echo server, and what comes back is printed.
//!
//! Sending and receiving each have a thread, so that neither waits for the other and a pipe of any length streams
//! through. They share a `Progress`, which counts the replies that are still to come and decides when the dialogue is
//! over.

mod client;
mod digest;
mod error;
mod local;
mod log_order;
mod outgoing;
mod progress;
mod receiving;
mod reply_printer;
mod sending;
mod sent_bytes;
mod traffic_log;

pub use client::EchoClient;
pub use error::Error;
pub use local::LocalServer;
pub use log_order::LogOrder;
pub use progress::Totals;
pub use traffic_log::Detail;

/// What the server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Each line is a message in a frame.
    Framed {
        /// The longest message, in bytes, sent or received.
        max_message: usize,
    },
    /// A line is sent with its end, and bytes come back (RFC 862).
    Raw,
}

impl Wire {
    /// An outstanding amount, in words: `1 message`, `12 bytes`.
    fn amount(self, count: u64) -> String {
        let unit = match self {
            Self::Framed { .. } => "message",
            Self::Raw => "byte",
        };
        proto::Count(count, unit).to_string()
    }
}
