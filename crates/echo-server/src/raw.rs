//! The raw stream of RFC 862: every byte comes back, and none means anything.

use proto::Escaped;
use std::io::{self, Read};

use log::debug;
use tcp_server::{BoxError, EndReason, Peer};

/// Gives every byte back, in portions of at most `portion`, until the client closes its side.
///
/// # Errors
///
/// The fault of the stream that ended the conversation.
pub(crate) fn echo_bytes(peer: &mut impl Peer, portion: usize) -> Result<EndReason, BoxError> {
    let mut bytes = vec![0; portion];
    loop {
        let received = read(peer, &mut bytes)?;
        if received == 0 {
            return Ok("the client closed the connection");
        }
        peer.took(received, None);
        debug!(
            "portion of {received} bytes: {}",
            Escaped::from_bytes(&bytes[..received]).quoted().cut(80)
        );
        peer.write_all(&bytes[..received])?;
        peer.gave(received, None);
    }
}

fn read(source: &mut impl Read, room: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(room) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer_in_memory::MemoryPeer;

    #[test]
    fn bytes_come_back_in_portions() {
        let text = format!("{}ж!", "x".repeat(1023));
        let mut peer = MemoryPeer::sending(&[text.as_bytes(), b"exit\n", b"\0\xff"]);
        assert_eq!(
            echo_bytes(&mut peer, 1024).unwrap(),
            "the client closed the connection"
        );
        // The Cyrillic letter is split between two portions, and comes back whole.
        let (first, second) = text.as_bytes().split_at(1024);
        assert_eq!(peer.writes, [first, second, b"exit\n", b"\0\xff"]);
        assert_eq!(peer.took, [(1024, None), (2, None), (5, None), (2, None)]);
        assert_eq!(peer.gave, peer.took);
    }
}
