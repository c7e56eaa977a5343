//! The framed dialogue: each message comes back as it came, until `exit`.

use proto::{Escaped, FramedSocket};
use tcp_server::{BoxError, EndReason, debug_line};

use crate::EXIT;

/// Sends every message back until the client says `exit`, closes the connection, or sends an invalid frame.
///
/// # Errors
///
/// What ended the dialogue if it was neither `exit` nor a close between messages. All messages before it are answered.
pub fn echo_messages(
    client: &mut impl FramedSocket,
    max_message: usize,
) -> Result<EndReason, BoxError> {
    while let Some(text) = client.recv_text(max_message)? {
        let shown = Escaped::new(&text).quoted().cut(80);
        debug_line(format_args!("message of {} bytes: {shown}", text.len()));
        if text == EXIT {
            return Ok("the client said exit");
        }
        client.send_text(&text)?;
    }
    Ok("the client closed the connection")
}

#[cfg(test)]
mod tests {
    use proto::FramedStream;

    use super::*;
    use crate::memory_client::MemoryClient;

    fn echo(client: &mut MemoryClient) -> Result<EndReason, BoxError> {
        let reports = client.reports();
        echo_messages(&mut FramedStream::with_observer(client, reports), 16)
    }

    #[test]
    fn messages_come_back_as_they_came() {
        let mut client =
            MemoryClient::sending(&["\0\0\0\x06Аня\0\0\0\0\0\0".as_bytes(), b"\0\x02hi"]);
        assert_eq!(
            echo(&mut client).unwrap(),
            "the client closed the connection"
        );
        assert_eq!(
            client.writes,
            ["\0\0\0\x06Аня\0\0\0\0".as_bytes(), b"\0\0\0\x02hi"]
        );
        assert_eq!(client.received(), [(16, 2), (4, 1)]);
        assert_eq!(client.sent(), [(14, 2), (6, 1)]);
    }

    #[test]
    fn exit_ends_the_dialogue_after_what_came_before_it() {
        let mut client = MemoryClient::sending(&[b"\0\0\0\x02hi\0\0\0\x04exit\0\0\0\x02no"]);
        assert_eq!(echo(&mut client).unwrap(), "the client said exit");
        assert_eq!(client.writes, [b"\0\0\0\x02hi"]);
        assert_eq!(
            (client.received(), client.sent()),
            (vec![(20, 3)], vec![(6, 1)])
        );
    }

    #[test]
    fn only_exactly_exit_ends_it() {
        for text in ["Exit", "exit\n", " exit", "exit now"] {
            let frame = [&(text.len() as u32).to_be_bytes(), text.as_bytes()].concat();
            let mut client = MemoryClient::sending(&[&frame]);
            assert_eq!(
                echo(&mut client).unwrap(),
                "the client closed the connection"
            );
            assert_eq!(client.writes, [frame]);
        }
    }

    #[test]
    fn messages_before_an_invalid_frame_are_answered() {
        for (invalid, reason) in [
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
            let together = [b"\0\0\0\x02hi", invalid].concat();
            for packets in [&[&b"\0\0\0\x02hi"[..], invalid][..], &[&together]] {
                let mut client = MemoryClient::sending(packets);
                assert_eq!(echo(&mut client).unwrap_err().to_string(), reason);
                assert_eq!(client.writes, [b"\0\0\0\x02hi"]);
            }
        }
    }
}
