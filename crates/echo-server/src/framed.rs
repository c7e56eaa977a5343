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
        // Buffered: `FramedStream` sends it before the next read that finds no message waiting.
        client.send_text(&text)?;
    }
    Ok("the client closed the connection")
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use proto::{FramedStream, Observer};
    use testbed::MemoryStream;

    use super::*;

    /// Bytes and messages of each read, and of each write.
    type Amounts = [Vec<(usize, usize)>; 2];

    #[derive(Clone, Default)]
    struct Reports(Rc<RefCell<Amounts>>);

    impl Observer for Reports {
        fn on_received(&mut self, bytes: usize, messages: usize) {
            self.0.borrow_mut()[0].push((bytes, messages));
        }

        fn on_sent(&mut self, bytes: usize, messages: usize) {
            self.0.borrow_mut()[1].push((bytes, messages));
        }
    }

    fn echo(client: &mut MemoryStream) -> Result<EndReason, BoxError> {
        echo_observed(client).0
    }

    fn echo_observed(client: &mut MemoryStream) -> (Result<EndReason, BoxError>, Amounts) {
        let reports = Reports::default();
        let mut stream = FramedStream::with_observer(client, reports.clone());
        let end = echo_messages(&mut stream, 16);
        drop(stream);
        (end, reports.0.take())
    }

    #[test]
    fn messages_come_back_as_they_came() {
        let mut client =
            MemoryStream::sending(&["\0\0\0\x06Аня\0\0\0\0\0\0".as_bytes(), b"\0\x02hi"]);
        let (end, reports) = echo_observed(&mut client);
        assert_eq!(end.unwrap(), "the client closed the connection");
        assert_eq!(
            client.writes,
            ["\0\0\0\x06Аня\0\0\0\0".as_bytes(), b"\0\0\0\x02hi"]
        );
        assert_eq!(reports, [[(16, 2), (4, 1)], [(14, 2), (6, 1)]]);
    }

    #[test]
    fn exit_ends_the_dialogue_after_what_came_before_it() {
        let mut client = MemoryStream::sending(&[b"\0\0\0\x02hi\0\0\0\x04exit\0\0\0\x02no"]);
        let (end, reports) = echo_observed(&mut client);
        assert_eq!(end.unwrap(), "the client said exit");
        assert_eq!(client.writes, [b"\0\0\0\x02hi"]);
        assert_eq!(reports, [[(20, 3)], [(6, 1)]]);
    }

    #[test]
    fn only_exactly_exit_ends_it() {
        for text in ["Exit", "exit\n", " exit", "exit now"] {
            let frame = [&(text.len() as u32).to_be_bytes(), text.as_bytes()].concat();
            let mut client = MemoryStream::sending(&[&frame]);
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
                let mut client = MemoryStream::sending(packets);
                assert_eq!(echo(&mut client).unwrap_err().to_string(), reason);
                assert_eq!(client.writes, [b"\0\0\0\x02hi"]);
            }
        }
    }
}
