//! The echo service: what a client sends comes back, as frames or as a raw stream of bytes.
//!
//! Conversations run over anything that is a [`Peer`], so that they are tested
//! without a socket, and [`Echo`] can be served on any listener, as `echo-client --local` does.

mod framed;
mod raw;

use std::fmt;

use framed::echo_frames;
use raw::echo_bytes;
use tcp_server::{BoxError, Client, EndReason, Peer, Service};

/// The frame that ends a dialogue. It is not echoed.
pub const EXIT: &str = "exit";

/// Echo as a service: which wire it speaks.
#[derive(Clone, Copy, Debug)]
pub enum Echo {
    /// Every frame comes back as it came.
    Framed {
        /// The longest payload taken, in bytes.
        max_message: usize,
    },
    /// Every byte comes back (RFC 862).
    Raw {
        /// The most bytes read at once.
        portion: usize,
    },
}

/// What is given back, for the service message.
impl fmt::Display for Echo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Framed { max_message } => write!(f, "messages of up to {max_message} bytes"),
            Self::Raw { portion } => write!(f, "raw bytes, in portions of up to {portion}"),
        }
    }
}

impl Echo {
    /// Gives back what `peer` sends, until either side has had enough.
    ///
    /// # Errors
    ///
    /// What ended the conversation that should not have. What came before it has been given back.
    pub fn give_back(&self, peer: &mut impl Peer) -> Result<EndReason, BoxError> {
        match *self {
            Self::Framed { max_message } => echo_frames(peer, max_message),
            Self::Raw { portion } => echo_bytes(peer, portion),
        }
    }
}

impl Service for Echo {
    fn serve(&self, client: &mut Client) -> Result<EndReason, BoxError> {
        if let Self::Framed { .. } = self {
            client.reporter();
        }
        self.give_back(client)
    }
}

#[cfg(test)]
mod peer_in_memory {
    use std::collections::VecDeque;
    use std::io::{self, Read, Write};

    use tcp_server::Peer;

    /// A client whose packets come as given and who notes what it gets.
    #[derive(Default)]
    pub(crate) struct MemoryPeer {
        packets: VecDeque<Vec<u8>>,
        pub(crate) writes: Vec<Vec<u8>>,
        pub(crate) took: Vec<(usize, Option<usize>)>,
        pub(crate) gave: Vec<(usize, Option<usize>)>,
    }

    impl MemoryPeer {
        pub(crate) fn sending(packets: &[&[u8]]) -> Self {
            let packets = packets.iter().map(|packet| packet.to_vec()).collect();
            Self {
                packets,
                ..Self::default()
            }
        }
    }

    impl Read for MemoryPeer {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let Some(packet) = self.packets.front_mut() else {
                return Ok(0);
            };
            let count = packet.len().min(room.len());
            room[..count].copy_from_slice(&packet[..count]);
            packet.drain(..count);
            if packet.is_empty() {
                self.packets.pop_front();
            }
            Ok(count)
        }
    }

    impl Write for MemoryPeer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.writes.push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Peer for MemoryPeer {
        fn took(&mut self, bytes: usize, messages: Option<usize>) {
            self.took.push((bytes, messages));
        }

        fn gave(&mut self, bytes: usize, messages: Option<usize>) {
            self.gave.push((bytes, messages));
        }
    }
}
