//! The framed dialogue: each message comes back as it came, until `exit`.

use log::debug;
use proto::{Escaped, FrameBuffer, RunEnd};
use tcp_server::{BoxError, EndReason, Peer};

use crate::EXIT;

/// Gives every frame back until the client says `exit`, closes the connection, or sends what is no
/// frame. One read takes whatever has come, and one write answers all whole frames in it: since a
/// frame's echo is the frame itself, they leave from the buffer that they came into.
///
/// # Errors
///
/// What ended the conversation when it was neither `exit` nor a close between frames. All frames
/// before it have been answered.
pub(crate) fn echo_frames(peer: &mut impl Peer, max_message: usize) -> Result<EndReason, BoxError> {
    let mut frames = FrameBuffer::new(max_message);
    loop {
        let received = frames.read_from(peer)?;
        if received == 0 {
            frames.finish()?;
            return Ok("the client closed the connection");
        }
        let run = frames.take_run(|text| {
            debug!(
                "message of {} bytes: {}",
                text.len(),
                Escaped::new(text).quoted().cut(80)
            );
            text != EXIT
        });
        let said_exit = matches!(run.end, RunEnd::Unwanted);
        peer.took(received, Some(run.frames + usize::from(said_exit)));
        if run.frames > 0 {
            peer.write_all(run.wire)?;
            peer.gave(run.wire.len(), Some(run.frames));
        }
        match run.end {
            RunEnd::NeedMore => {}
            RunEnd::Unwanted => return Ok("the client said exit"),
            RunEnd::Broken(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer_in_memory::MemoryPeer;

    #[test]
    fn frames_come_back_as_they_came() {
        let mut peer = MemoryPeer::sending(&["\0\0\0\x06Аня\0\0\0\0\0\0".as_bytes(), b"\0\x02hi"]);
        assert_eq!(
            echo_frames(&mut peer, 16).unwrap(),
            "the client closed the connection"
        );
        assert_eq!(
            peer.writes,
            ["\0\0\0\x06Аня\0\0\0\0".as_bytes(), b"\0\0\0\x02hi"]
        );
        assert_eq!(peer.took, [(16, Some(2)), (4, Some(1))]);
        assert_eq!(peer.gave, [(14, Some(2)), (6, Some(1))]);
    }

    #[test]
    fn exit_ends_the_dialogue_after_what_came_before_it() {
        let mut peer = MemoryPeer::sending(&[b"\0\0\0\x02hi\0\0\0\x04exit\0\0\0\x02no"]);
        assert_eq!(echo_frames(&mut peer, 16).unwrap(), "the client said exit");
        assert_eq!(peer.writes, [b"\0\0\0\x02hi"]);
        assert_eq!(
            (&peer.took[..], &peer.gave[..]),
            (&[(20, Some(2))][..], &[(6, Some(1))][..])
        );
    }

    #[test]
    fn only_exactly_exit_ends_it() {
        for text in ["Exit", "exit\n", " exit", "exit now"] {
            let frame = [&(text.len() as u32).to_be_bytes(), text.as_bytes()].concat();
            let mut peer = MemoryPeer::sending(&[&frame]);
            assert_eq!(
                echo_frames(&mut peer, 16).unwrap(),
                "the client closed the connection"
            );
            assert_eq!(peer.writes, [frame]);
        }
    }

    #[test]
    fn what_came_before_a_bad_frame_is_answered() {
        for (bad, reason) in [
            (
                &b"\0\0\0\x01\xff"[..],
                "a payload of 1 bytes is not UTF-8 from byte 0 on",
            ),
            (
                b"\0\0\0\x11",
                "a payload of 17 bytes is over the limit of 16",
            ),
            (
                b"\0\0",
                "the stream ended after 2 of the 4 bytes of a header",
            ),
            (
                b"\0\0\0\x05hel",
                "the stream ended after 3 of the 5 bytes of a payload",
            ),
        ] {
            let mut peer = MemoryPeer::sending(&[b"\0\0\0\x02hi", bad]);
            assert_eq!(echo_frames(&mut peer, 16).unwrap_err().to_string(), reason);
            assert_eq!(peer.writes, [b"\0\0\0\x02hi"]);
        }
    }
}
