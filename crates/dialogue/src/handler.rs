//! The server's side: every request gets a reply, and so does what is not a request.

use proto::{FramedSocket, MAX_DIALOGUE_BYTES, RecvError, SendError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::DialogueError;

/// The only message to a client whose network has reached its limit of connections.
pub const NETWORK_OVER_SHARE: &str = "too many connections from your network; close one first";

/// Answers the requests of one client. It has no stream, so tests call it directly.
pub trait Handler {
    /// The messages of the client.
    type Request: DeserializeOwned;
    /// The messages of the server.
    type Reply: Serialize;

    /// The message that the server sends before the client has sent any; by default none.
    fn on_connect(&mut self) -> Option<Self::Reply> {
        None
    }

    /// Whether the reply may take long, because it waits for a disk or for another thread. Replies before it are then
    /// sent first.
    fn is_slow(&self, request: &Self::Request) -> bool;

    /// Returns the reply to a request.
    fn handle(&mut self, request: Self::Request) -> Response<Self::Reply>;

    /// Returns the reply to what is not a request. Only after [`RecvError::UnknownMessage`] the dialogue goes on.
    fn reject(&mut self, error: &RecvError) -> Self::Reply;
}

/// A reply, and whether it is the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response<R> {
    reply: R,
    end: Option<&'static str>,
}

impl<R> Response<R> {
    /// The last reply of a dialogue. `reason` says why, in words for a service message: `the client said exit`.
    pub fn last(reply: R, reason: &'static str) -> Self {
        Self {
            reply,
            end: Some(reason),
        }
    }
}

/// A reply after which the dialogue goes on.
impl<R> From<R> for Response<R> {
    fn from(reply: R) -> Self {
        Self { reply, end: None }
    }
}

/// Serves one client until either side ends the dialogue, and returns the reason.
///
/// `client` should be a [`FramedStream`](proto::FramedStream): then all requests that came together are answered with
/// one write.
///
/// ```
/// use dialogue::{DialogueError, Handler, Response, serve};
/// use proto::ident::{ErrorCode, Reply, Request};
/// use proto::{FramedStream, RecvError};
///
/// struct Stranger;
///
/// impl Handler for Stranger {
///     type Request = Request;
///     type Reply = Reply;
///
///     fn is_slow(&self, _: &Request) -> bool {
///         false
///     }
///
///     fn handle(&mut self, request: Request) -> Response<Reply> {
///         match request {
///             Request::Exit => Response::last(Reply::Bye, "the client said exit"),
///             _ => Reply::WhoAreYou.into(),
///         }
///     }
///
///     fn reject(&mut self, error: &RecvError) -> Reply {
///         Reply::Error { code: ErrorCode::BadMessage, message: error.to_string() }
///     }
/// }
///
/// fn serve_stranger(socket: std::net::TcpStream) -> Result<(), DialogueError> {
///     let reason = serve(&mut FramedStream::new(socket), &mut Stranger)?;
///     println!("client disconnected: {reason}");
///     Ok(())
/// }
/// ```
///
/// # Errors
///
/// What ended the dialogue if it was neither a [`Response::last`] nor a close between messages. An invalid message is
/// answered before the end, also one that the end of the stream cut off.
pub fn serve<H: Handler>(
    client: &mut impl FramedSocket,
    handler: &mut H,
) -> Result<&'static str, DialogueError> {
    if let Some(greeting) = handler.on_connect() {
        client.send_json(&greeting)?;
    }
    loop {
        match client.recv_json(MAX_DIALOGUE_BYTES) {
            Ok(None) => return Ok("the client closed the connection"),
            Ok(Some(request)) => {
                if handler.is_slow(&request) {
                    client.flush().map_err(SendError::Io)?;
                }
                let Response { reply, end } = handler.handle(request);
                client.send_json(&reply)?;
                if let Some(reason) = end {
                    client.flush().map_err(SendError::Io)?;
                    return Ok(reason);
                }
            }
            Err(error @ RecvError::Io(_)) => return Err(error.into()),
            Err(error @ RecvError::UnknownMessage(_)) => {
                client.send_json(&handler.reject(&error))?
            }
            Err(error) => {
                client.send_json(&handler.reject(&error))?;
                client.flush().map_err(SendError::Io)?;
                return Err(error.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proto::FramedStream;
    use serde::Deserialize;
    use testbed::MemoryStream;

    use super::*;
    use crate::wire::wire;

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

    impl Handler for Parrot {
        type Request = Request;
        type Reply = String;

        fn on_connect(&mut self) -> Option<String> {
            Some("hi".into())
        }

        fn is_slow(&self, request: &Request) -> bool {
            matches!(request, Request::Slow)
        }

        fn handle(&mut self, request: Request) -> Response<String> {
            match request {
                Request::Quick => String::from("quick").into(),
                Request::Slow => String::from("slow").into(),
                Request::Long { bytes } => "x".repeat(bytes).into(),
                Request::Exit => Response::last("bye".into(), "the client said exit"),
            }
        }

        fn reject(&mut self, error: &RecvError) -> String {
            error.to_string()
        }
    }

    const QUICK: &str = r#"{"type":"quick"}"#;
    const SLOW: &str = r#"{"type":"slow"}"#;
    const EXIT: &str = r#"{"type":"exit"}"#;

    /// Serves a client that sends these packets. Returns how the dialogue ended and what was written after the
    /// greeting.
    fn served(packets: &[&[u8]]) -> (Result<&'static str, String>, Vec<Vec<u8>>) {
        let mut stream = MemoryStream::sending(packets);
        let end = serve(&mut FramedStream::new(&mut stream), &mut Parrot);
        let greeting = stream.writes.remove(0);
        assert_eq!(greeting, wire(&["\"hi\""]));
        (end.map_err(|error| error.to_string()), stream.writes)
    }

    #[test]
    fn requests_that_came_together_are_answered_with_one_write() {
        let packet = wire(&[QUICK, QUICK]);
        let (first, rest) = packet.split_at(30);
        let (end, writes) = served(&[first, rest, &packet]);
        assert_eq!(end.unwrap(), "the client closed the connection");
        let quick = "\"quick\"";
        assert_eq!(
            writes,
            [wire(&[quick]), wire(&[quick]), wire(&[quick, quick])]
        );
    }

    #[test]
    fn no_reply_waits_for_a_slow_one() {
        let (_, writes) = served(&[&wire(&[QUICK, QUICK, SLOW, QUICK])]);
        let (quick, slow) = ("\"quick\"", "\"slow\"");
        assert_eq!(writes, [wire(&[quick, quick]), wire(&[slow, quick])]);
    }

    #[test]
    fn buffered_replies_are_bounded() {
        let long = r#"{"type":"long","bytes":40000}"#;
        let (_, writes) = served(&[&wire(&[long; 8])]);
        assert_eq!(writes.iter().map(Vec::len).sum::<usize>(), 8 * 40_006);
        assert!(writes.iter().all(|write| write.len() <= 66 << 10));
    }

    #[test]
    fn nothing_follows_the_last_reply() {
        let (end, writes) = served(&[&wire(&[QUICK, EXIT, QUICK]), &wire(&[QUICK])]);
        assert_eq!(end.unwrap(), "the client said exit");
        assert_eq!(writes, [wire(&["\"quick\"", "\"bye\""])]);
    }

    #[test]
    fn an_unknown_message_is_answered_and_the_dialogue_goes_on() {
        let (end, writes) = served(&[&wire(&["[]", r#"{"type":"?"}"#, QUICK])]);
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
    fn an_unreadable_message_is_answered_and_ends_the_dialogue() {
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
            let (end, writes) = served(&[&[&wire(&[QUICK]), bad, &wire(&[QUICK])].concat()]);
            assert_eq!(end.unwrap_err(), reason);
            assert_eq!(writes, [wire(&["\"quick\"", &format!("\"{reason}\"")])]);
        }
    }

    #[test]
    fn a_message_cut_off_by_the_end_is_answered() {
        for (cut, reason) in [
            (2, "the stream ended after 2 of the 4 bytes of a header"),
            (7, "the stream ended after 3 of the 16 bytes of a payload"),
        ] {
            let (end, writes) = served(&[&wire(&[QUICK]), &wire(&[QUICK])[..cut]]);
            assert_eq!(end.unwrap_err(), reason);
            assert_eq!(
                writes,
                [wire(&["\"quick\""]), wire(&[&format!("\"{reason}\"")])]
            );
        }
    }
}
