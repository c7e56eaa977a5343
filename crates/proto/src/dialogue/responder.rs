//! The server's half: every request is answered, and what is no request, too.

use std::io::{Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::outbox::Outbox;
use super::{DialogueError, Passed};
use crate::error::{RecvError, SendError};
use crate::frame::MAX_DIALOGUE_BYTES;
use crate::frame_buffer::FrameBuffer;
use crate::json::from_json;

/// Who answers one client. It knows no stream, so it is tested by calling it.
pub trait Responder {
    /// What the client may say.
    type Request: DeserializeOwned;
    /// What is said to it.
    type Reply: Serialize;

    /// What is said before the client says anything; nothing, unless this is written.
    fn greet(&mut self) -> Option<Self::Reply> {
        None
    }

    /// Whether the answer may take long, because it waits for a disk or for work of another thread. The answers before
    /// it are sent first then, instead of waiting for it.
    fn takes_long(&self, request: &Self::Request) -> bool;

    /// The reply to a request.
    fn answer(&mut self, request: Self::Request) -> Answer<Self::Reply>;

    /// The reply to what is no request: JSON that is none, no JSON, no UTF-8, or too long. Only after the first of these,
    /// [`RecvError::UnknownMessage`], the dialogue goes on; that is not for the responder to decide.
    fn refuse(&mut self, error: &RecvError) -> Self::Reply;
}

/// A reply, and whether it is the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<R> {
    reply: R,
    end: Option<&'static str>,
}

impl<R> Answer<R> {
    /// The last reply; `reason` says why, in words for a service message: `the client said exit`.
    pub fn last(reply: R, reason: &'static str) -> Self {
        let end = Some(reason);
        Self { reply, end }
    }
}

/// A reply after which the dialogue goes on.
impl<R> From<R> for Answer<R> {
    fn from(reply: R) -> Self {
        Self { reply, end: None }
    }
}

/// Holds a server's half of a dialogue until either side ends it, and says why it ended.
///
/// Each read takes whatever has come; all whole messages in it are answered in order, with one write, save that nothing
/// waits for an answer that [takes long](Responder::takes_long), and that no more than some 64 KiB wait at all. `told`
/// hears of each read before it is answered, and of each write once it is made.
///
/// ```
/// use proto::{Answer, Passed, RecvError, Responder, converse, ident::{ErrorCode, Reply, Request}};
///
/// struct Stranger;
///
/// impl Responder for Stranger {
///     type Request = Request;
///     type Reply = Reply;
///
///     fn takes_long(&self, _: &Request) -> bool {
///         false
///     }
///
///     fn answer(&mut self, request: Request) -> Answer<Reply> {
///         match request {
///             Request::Exit => Answer::last(Reply::Bye, "the client said exit"),
///             _ => Reply::WhoAreYou.into(),
///         }
///     }
///
///     fn refuse(&mut self, error: &RecvError) -> Reply {
///         Reply::Error { code: ErrorCode::BadMessage, message: error.to_string() }
///     }
/// }
///
/// fn serve(mut client: std::net::TcpStream) -> Result<(), proto::DialogueError> {
///     let reason = converse(&mut client, &mut Stranger, |client, passed| match passed {
///         Passed::Received { bytes, .. } => println!("{bytes} bytes from {:?}", client.peer_addr()),
///         Passed::Sent { bytes, .. } => println!("{bytes} bytes to {:?}", client.peer_addr()),
///     })?;
///     println!("{reason}");
///     Ok(())
/// }
/// ```
///
/// # Errors
///
/// What ended the dialogue when it was neither an [`Answer::last`] nor a close between messages. What was refused
/// before the end has been answered.
pub fn converse<S: Read + Write, R: Responder>(
    stream: &mut S,
    responder: &mut R,
    told: impl FnMut(&mut S, Passed),
) -> Result<&'static str, DialogueError> {
    let mut conversation = Conversation {
        stream,
        responder,
        told,
        outbox: Outbox::default(),
    };
    let mut frames = FrameBuffer::new(MAX_DIALOGUE_BYTES);
    if let Some(greeting) = conversation.responder.greet() {
        conversation.outbox.put(&greeting)?;
        conversation.send()?;
    }
    loop {
        let bytes = conversation.receive(&mut frames)?;
        if bytes == 0 {
            frames.finish()?;
            return Ok("the client closed the connection");
        }
        if let Some(reason) = conversation.answer_all(&mut frames)? {
            return Ok(reason);
        }
    }
}

struct Conversation<'a, S, R, T> {
    stream: &'a mut S,
    responder: &'a mut R,
    told: T,
    outbox: Outbox,
}

impl<S, R, T> Conversation<'_, S, R, T>
where
    S: Read + Write,
    R: Responder,
    T: FnMut(&mut S, Passed),
{
    fn receive(&mut self, frames: &mut FrameBuffer) -> Result<usize, DialogueError> {
        let bytes = frames.read_from(self.stream).map_err(RecvError::Io)?;
        if bytes > 0 {
            let messages = frames.whole();
            (self.told)(self.stream, Passed::Received { bytes, messages });
        }
        Ok(bytes)
    }

    /// Answers what has come, up to the end of it or of the dialogue; gives the reason if it is the latter.
    fn answer_all(
        &mut self,
        frames: &mut FrameBuffer,
    ) -> Result<Option<&'static str>, DialogueError> {
        loop {
            let request = match frames.next_text() {
                Ok(None) => {
                    self.send()?;
                    return Ok(None);
                }
                Ok(Some(text)) => from_json(text),
                Err(error) => Err(error),
            };
            match request {
                Ok(request) => {
                    if self.outbox.is_full() || self.responder.takes_long(&request) {
                        self.send()?;
                    }
                    let Answer { reply, end } = self.responder.answer(request);
                    self.outbox.put(&reply)?;
                    if end.is_some() {
                        self.send()?;
                        return Ok(end);
                    }
                }
                Err(error) => {
                    self.outbox.put(&self.responder.refuse(&error))?;
                    if !matches!(error, RecvError::UnknownMessage(_)) {
                        self.send()?;
                        return Err(error.into());
                    }
                }
            }
        }
    }

    fn send(&mut self) -> Result<(), DialogueError> {
        let sent = self.outbox.send(self.stream).map_err(SendError::Io)?;
        if let Some(passed) = sent {
            (self.told)(self.stream, passed);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::dialogue::stream_in_memory::{MemoryStream, wire};

    #[derive(Deserialize)]
    #[serde(tag = "type", rename_all = "snake_case")]
    enum Request {
        /// Takes no time.
        Quick,
        /// Takes long.
        Slow,
        /// Has a reply of so many bytes.
        Long {
            bytes: usize,
        },
        Exit,
    }

    struct Parrot;

    impl Responder for Parrot {
        type Request = Request;
        type Reply = String;

        fn greet(&mut self) -> Option<String> {
            Some("hi".into())
        }

        fn takes_long(&self, request: &Request) -> bool {
            matches!(request, Request::Slow)
        }

        fn answer(&mut self, request: Request) -> Answer<String> {
            match request {
                Request::Quick => String::from("quick").into(),
                Request::Slow => String::from("slow").into(),
                Request::Long { bytes } => "x".repeat(bytes).into(),
                Request::Exit => Answer::last("bye".into(), "the client said exit"),
            }
        }

        fn refuse(&mut self, error: &RecvError) -> String {
            error.to_string()
        }
    }

    const QUICK: &str = r#"{"type":"quick"}"#;
    const SLOW: &str = r#"{"type":"slow"}"#;
    const EXIT: &str = r#"{"type":"exit"}"#;

    /// How a conversation with these packets ended, what was written and what was told.
    fn conversed(packets: &[&[u8]]) -> (Result<&'static str, String>, Vec<Vec<u8>>, Vec<Passed>) {
        let (mut stream, mut told) = (MemoryStream::sending(packets), vec![]);
        let end = converse(&mut stream, &mut Parrot, |_, passed| told.push(passed));
        let end = end.map_err(|error| error.to_string());
        let greeting = stream.writes.remove(0);
        assert_eq!(greeting, wire(&["\"hi\""]));
        let sent = Passed::Sent {
            bytes: 8,
            messages: 1,
        };
        assert_eq!(told.remove(0), sent);
        (end, stream.writes, told)
    }

    #[test]
    fn what_came_together_is_answered_together() {
        let packet = wire(&[QUICK, QUICK]);
        let (first, rest) = packet.split_at(30);
        let (end, writes, told) = conversed(&[first, rest, &packet]);
        assert_eq!(end.unwrap(), "the client closed the connection");
        let quick = "\"quick\"";
        assert_eq!(
            writes,
            [wire(&[quick]), wire(&[quick]), wire(&[quick, quick])]
        );
        let received = |bytes, messages| Passed::Received { bytes, messages };
        let sent = |bytes, messages| Passed::Sent { bytes, messages };
        assert_eq!(
            told,
            [
                received(30, 1),
                sent(11, 1),
                received(10, 1),
                sent(11, 1),
                received(40, 2),
                sent(22, 2)
            ]
        );
    }

    #[test]
    fn no_answer_waits_for_one_that_takes_long() {
        let (_, writes, _) = conversed(&[&wire(&[QUICK, QUICK, SLOW, QUICK])]);
        let (quick, slow) = ("\"quick\"", "\"slow\"");
        assert_eq!(writes, [wire(&[quick, quick]), wire(&[slow, quick])]);
    }

    #[test]
    fn answers_that_wait_are_bounded() {
        let long = r#"{"type":"long","bytes":40000}"#;
        let (_, writes, _) = conversed(&[&wire(&[long; 8])]);
        let sizes: Vec<_> = writes.iter().map(Vec::len).collect();
        assert_eq!(sizes, [80_012; 4]);
    }

    #[test]
    fn the_last_answer_is_the_last() {
        let (end, writes, told) = conversed(&[&wire(&[QUICK, EXIT, QUICK]), &wire(&[QUICK])]);
        assert_eq!(end.unwrap(), "the client said exit");
        assert_eq!(writes, [wire(&["\"quick\"", "\"bye\""])]);
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn what_is_no_request_is_answered_and_the_dialogue_goes_on() {
        let (end, writes, _) = conversed(&[&wire(&["[]", r#"{"type":"?"}"#, QUICK])]);
        assert_eq!(end.unwrap(), "the client closed the connection");
        assert_eq!(
            writes,
            [wire(&[
                "\"the message is not a known one: a message is a JSON object\"",
                "\"the message is not a known one: a value is none of those known: quick, slow, long, exit\"",
                "\"quick\"",
            ])]
        );
    }

    #[test]
    fn what_cannot_be_read_is_answered_and_ends_it() {
        for (bad, reason) in [
            (
                &wire(&["quick"])[..],
                "the message is not JSON: expected value at line 1 column 1",
            ),
            (
                b"\0\0\0\x01\xff",
                "a payload of 1 bytes is not UTF-8 from byte 0 on",
            ),
            (
                b"\0\0\x40\x01",
                "a payload of 16385 bytes is over the limit of 16384",
            ),
        ] {
            let (end, writes, _) = conversed(&[&[&wire(&[QUICK]), bad, &wire(&[QUICK])].concat()]);
            assert_eq!(end.unwrap_err(), reason);
            assert_eq!(writes, [wire(&["\"quick\"", &format!("\"{reason}\"")])]);
        }
    }

    #[test]
    fn an_end_inside_a_message_is_told_and_not_answered() {
        for (cut, reason) in [
            (2, "the stream ended after 2 of the 4 bytes of a header"),
            (7, "the stream ended after 3 of the 16 bytes of a payload"),
        ] {
            let (end, writes, _) = conversed(&[&wire(&[QUICK]), &wire(&[QUICK])[..cut]]);
            assert_eq!(end.unwrap_err(), reason);
            assert_eq!(writes, [wire(&["\"quick\""])]);
        }
    }
}
