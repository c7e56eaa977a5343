//! `FramedSocket`: messages over anything that reads and writes, the way a subclass of a socket would offer them.

use std::io::{self, IoSlice, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{RecvError, SendError};
use crate::frame::{checked_length, header, payload_room};
use crate::json::from_json;
use crate::limits::HEADER_BYTES;
use crate::read_buffer::read_retrying;

/// Sends and receives whole messages. Everything that is [`Read`] and [`Write`] has it.
///
/// A message is sent with one vectored write, so that header and payload leave together. On a bare socket receiving
/// takes two reads, one for the header and one for the payload. A [`FramedStream`](crate::FramedStream) needs one, and
/// sends all replies to messages that came together with one write.
///
/// ```
/// use proto::{FramedSocket, MAX_ECHO_BYTES};
/// # fn talk(mut socket: std::net::TcpStream) -> Result<(), Box<dyn std::error::Error>> {
/// socket.send_text("Привет")?;
/// let reply = socket.recv_text(MAX_ECHO_BYTES)?;
/// assert_eq!(reply.as_deref(), Some("Привет"));
/// # Ok(())
/// # }
/// ```
pub trait FramedSocket: Read + Write {
    /// Sends one message.
    ///
    /// # Errors
    ///
    /// [`SendError::TooLong`] before anything is sent, and [`SendError::Io`].
    fn send_text(&mut self, text: &str) -> Result<(), SendError> {
        let header = header(text.len())?;
        let mut parts = [IoSlice::new(&header), IoSlice::new(text.as_bytes())];
        let mut parts = &mut parts[..];
        // `advance_slices` also removes parts that are empty, such as the payload of an empty message.
        while !parts.is_empty() {
            match self.write_vectored(parts) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(written) => IoSlice::advance_slices(&mut parts, written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Receives one message of up to `limit` bytes; `None` at the end of the stream.
    ///
    /// # Errors
    ///
    /// Every [`RecvError`] except the two about JSON. After an error the stream cannot be read any further.
    fn recv_text(&mut self, limit: usize) -> Result<Option<String>, RecvError> {
        let Some(header) = recv_header(self)? else {
            return Ok(None);
        };
        let payload = recv_payload(self, checked_length(header, limit)?)?;
        match String::from_utf8(payload) {
            Ok(text) => Ok(Some(text)),
            Err(error) => Err(RecvError::NotUtf8 {
                length: error.as_bytes().len(),
                valid_up_to: error.utf8_error().valid_up_to(),
            }),
        }
    }

    /// Sends a value as one message of JSON.
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text), and [`SendError::NotJson`].
    fn send_json(&mut self, message: &impl Serialize) -> Result<(), SendError> {
        self.send_text(&serde_json::to_string(message).map_err(SendError::NotJson)?)
    }

    /// Receives one message of JSON; `None` at the end of the stream.
    ///
    /// # Errors
    ///
    /// As [`recv_text`](Self::recv_text), and [`RecvError::NotJson`]. After [`RecvError::UnknownMessage`] the next
    /// message can be received.
    fn recv_json<T: DeserializeOwned>(&mut self, limit: usize) -> Result<Option<T>, RecvError> {
        self.recv_text(limit)?.as_deref().map(from_json).transpose()
    }
}

impl<S: Read + Write + ?Sized> FramedSocket for S {}

fn recv_header(source: &mut (impl Read + ?Sized)) -> Result<Option<[u8; HEADER_BYTES]>, RecvError> {
    let mut header = [0; HEADER_BYTES];
    let mut received = 0;
    while received < HEADER_BYTES {
        match read_retrying(source, &mut header[received..])? {
            0 if received == 0 => return Ok(None),
            0 => return Err(RecvError::CutOffHeader { received }),
            count => received += count,
        }
    }
    Ok(Some(header))
}

fn recv_payload(source: &mut (impl Read + ?Sized), length: usize) -> Result<Vec<u8>, RecvError> {
    // Not `vec![0; …]`: glibc's calloc does not use the thread's cache of small blocks.
    let mut payload = Vec::with_capacity(payload_room(0, length));
    payload.resize(payload.capacity().min(length), 0);
    let mut received = 0;
    while received < length {
        if received == payload.len() {
            payload.resize(payload_room(received, length), 0);
        }
        match read_retrying(source, &mut payload[received..])? {
            0 => return Err(RecvError::CutOffPayload { received, length }),
            count => received += count,
        }
    }
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;
    use crate::limits::MAX_ECHO_BYTES;

    /// A stream that holds what `send` sent, ready to be received.
    fn sent(send: impl FnOnce(&mut Cursor<Vec<u8>>)) -> Cursor<Vec<u8>> {
        let mut stream = Cursor::default();
        send(&mut stream);
        stream.set_position(0);
        stream
    }

    #[test]
    fn a_message_is_a_header_and_its_bytes() {
        let stream = sent(|stream| {
            stream.send_text("Аня").unwrap();
            stream.send_text("").unwrap();
        });
        assert_eq!(stream.get_ref(), "\0\0\0\x06Аня\0\0\0\0".as_bytes());
    }

    #[test]
    fn the_end_between_messages_is_none_and_inside_one_an_error() {
        let whole = b"\0\0\0\x05hello";
        for cut in 0..=whole.len() {
            let got = Cursor::new(whole[..cut].to_vec()).recv_text(16);
            match (cut, got) {
                (0, Ok(None)) | (9, Ok(Some(_))) => {}
                (1..4, Err(RecvError::CutOffHeader { received })) => assert_eq!(received, cut),
                (
                    4..9,
                    Err(RecvError::CutOffPayload {
                        received,
                        length: 5,
                    }),
                ) => {
                    assert_eq!(received, cut - 4)
                }
                (_, other) => panic!("cut at {cut}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_the_payload_is_read() {
        let mut stream = Cursor::new(b"\x7f\xff\xff\xffrest".to_vec());
        assert!(matches!(
            stream.recv_text(16),
            Err(RecvError::TooLong { limit: 16, .. })
        ));
        assert_eq!(stream.position(), 4);
    }

    #[test]
    fn memory_grows_with_what_came_and_not_with_what_was_announced() {
        let mut stream = Cursor::new(b"\x3f\xff\xff\xffhello".to_vec());
        let error = stream.recv_text(usize::MAX).unwrap_err();
        assert!(
            matches!(error, RecvError::CutOffPayload { received: 5, .. }),
            "{error}"
        );
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type", rename_all = "snake_case")]
    enum Greeting {
        Welcome { name: String },
    }

    #[test]
    fn unknown_messages_and_invalid_json_are_different_errors() {
        let mut stream = sent(|stream| {
            stream
                .send_json(&Greeting::Welcome {
                    name: "Аня".into()
                })
                .unwrap();
            stream
                .send_text(r#"{"type":"welcome","name":"Bo","new":1}"#)
                .unwrap();
            stream.send_text(r#"{"type":"goodbye"}"#).unwrap();
            stream.send_text(r#"{"type":"goodbye"} {"#).unwrap();
            stream.send_text("hello").unwrap();
        });
        let name = |name: &str| Some(Greeting::Welcome { name: name.into() });
        assert_eq!(stream.recv_json(99).unwrap(), name("Аня"));
        assert_eq!(stream.recv_json(99).unwrap(), name("Bo"));
        let mut next = || stream.recv_json::<Greeting>(99);
        assert!(matches!(next(), Err(RecvError::UnknownMessage(_))));
        assert!(matches!(next(), Err(RecvError::NotJson(_))));
        assert!(matches!(next(), Err(RecvError::NotJson(_))));
        assert!(matches!(next(), Ok(None)));
    }

    proptest! {
        #[test]
        fn what_is_sent_is_received(messages in prop::collection::vec(".{0,200}", 0..10)) {
            let mut stream = sent(|stream| {
                messages.iter().for_each(|text| stream.send_text(text).unwrap());
            });
            let mut received = vec![];
            while let Some(text) = stream.recv_text(MAX_ECHO_BYTES).unwrap() {
                received.push(text);
            }
            prop_assert_eq!(received, messages);
        }

        #[test]
        fn arbitrary_bytes_cause_no_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            limit in 0..100usize,
        ) {
            let mut stream = Cursor::new(bytes);
            while let Ok(Some(text)) = stream.recv_text(limit) {
                prop_assert!(text.len() <= limit);
            }
        }
    }
}
