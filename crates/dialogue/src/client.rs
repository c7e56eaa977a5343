//! The client's side: a request, then its reply.

use std::io::{Read, Write};

use proto::{FramedSocket, FramedStream, MAX_DIALOGUE_BYTES, Observer, SendError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{ClientError, DialogueError};

/// A client in a dialogue with a server.
#[derive(Debug)]
pub struct Client<S: Read + Write, O: Observer = ()> {
    stream: FramedStream<S, O>,
}

impl<S: Read + Write, O: Observer> Client<S, O> {
    /// Starts a dialogue over a stream to a server. `observer` gets a report of each read and write.
    pub fn new(stream: S, observer: O) -> Self {
        Self {
            stream: FramedStream::with_observer(stream, observer),
        }
    }

    /// Sends a request and waits for the reply.
    ///
    /// # Errors
    ///
    /// When sending or receiving fails, the server closes the connection, or the reply is not a message of type `R`.
    pub fn request<R: DeserializeOwned>(
        &mut self,
        request: &impl Serialize,
    ) -> Result<R, ClientError> {
        let sent = self.stream.send_json(request);
        let sent = sent.and_then(|()| self.stream.flush().map_err(SendError::Io));
        sent.map_err(DialogueError::Send)?;
        self.recv()
    }

    /// Waits for the next message of the server.
    ///
    /// # Errors
    ///
    /// When receiving fails, the server closes the connection, or what comes is not a message of type `R`.
    pub fn recv<R: DeserializeOwned>(&mut self) -> Result<R, ClientError> {
        let received = self.stream.recv_json(MAX_DIALOGUE_BYTES);
        received
            .map_err(DialogueError::Receive)?
            .ok_or(ClientError::Closed)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::{Value, json};
    use testbed::MemoryStream;

    use super::*;
    use crate::wire::wire;

    #[test]
    fn a_request_is_one_write_and_its_reply_may_come_in_pieces() {
        let reply = wire(&[r#"{"a":1}"#, r#"{"b":2}"#]);
        let mut stream = MemoryStream::sending(&[&reply[..5], &reply[5..13], &reply[13..]]);
        let mut client = Client::new(&mut stream, ());
        let first: Value = client.request(&json!({"q": 1})).unwrap();
        assert_eq!(first, json!({"a": 1}));
        let second: Value = client.recv().unwrap();
        assert_eq!(second, json!({"b": 2}));
        let closed = client.request::<Value>(&json!({"q": 2}));
        assert!(matches!(closed, Err(ClientError::Closed)), "{closed:?}");
        drop(client);
        assert_eq!(
            stream.writes,
            [wire(&[r#"{"q":1}"#]), wire(&[r#"{"q":2}"#])]
        );
    }

    #[test]
    fn a_request_that_is_not_json_is_the_fault_of_the_client() {
        // JSON has no keys but strings.
        let request = HashMap::from([((1, 2), 3)]);
        let mut stream = MemoryStream::sending(&[]);
        let mut client = Client::new(&mut stream, ());
        let error = client.request::<Value>(&request).unwrap_err();
        assert!(matches!(error, ClientError::InvalidRequest(_)), "{error:?}");
        let described = error.describe("an ident-server");
        assert!(
            described.starts_with("cannot send this request: "),
            "{described}"
        );
        assert!(!described.contains("ident-server"), "{described}");
    }

    #[test]
    fn an_invalid_reply_is_an_error() {
        for wire in [
            &b"\0\0\0\x01{"[..],
            b"\0\0\0\x02[]",
            b"\0\0\0\x05{",
            b"HTTP/1.1",
        ] {
            let mut stream = MemoryStream::sending(&[wire]);
            let reply = Client::new(&mut stream, ()).recv::<Value>();
            assert!(
                matches!(reply, Err(ClientError::InvalidReply(_))),
                "{reply:?}"
            );
        }
    }
}
