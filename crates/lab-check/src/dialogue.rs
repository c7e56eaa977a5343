//! One client of a server that speaks JSON in frames (ident, auth).

use std::time::Duration;

use proto::{Escaped, MAX_DIALOGUE_BYTES};
use serde_json::Value;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::target::Target;

/// How long a check waits at most when the server asks for a wait (`retry_after`).
const MAX_RETRY_AFTER: Duration = Duration::from_secs(15);

/// A dialogue with the server under test.
pub struct Dialogue {
    connection: Connection,
}

impl Dialogue {
    /// Connects, and receives nothing yet.
    ///
    /// # Errors
    ///
    /// When the server does not accept the client.
    pub fn connect(target: &Target) -> Result<Self, Failure> {
        Ok(Self {
            connection: target.connect()?,
        })
    }

    /// The connection under the dialogue.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// A failure of this dialogue.
    #[must_use]
    pub fn failure(&self, problem: impl Into<String>) -> Failure {
        self.connection.failure(problem)
    }

    /// Receives one JSON object.
    ///
    /// # Errors
    ///
    /// When nothing comes, or something else than a JSON object with a type.
    pub fn receive(&mut self) -> Result<Value, Failure> {
        let payload = self.connection.receive_frame()?;
        if payload.len() > MAX_DIALOGUE_BYTES {
            return Err(self.failure(format!(
                "the reply has {} bytes, over the limit of 16 KiB",
                payload.len()
            )));
        }
        let reply: Option<Value> = serde_json::from_slice(&payload).ok();
        match reply {
            Some(reply) if reply["type"].is_string() => Ok(reply),
            _ => {
                let shown = Escaped::from_bytes(&payload).quoted().cut(80);
                Err(self.failure(format!(
                    "the reply is not a JSON object with a type: {shown}"
                )))
            }
        }
    }

    /// Sends a request, or whatever else the text is, and receives the reply.
    ///
    /// # Errors
    ///
    /// When no reply comes.
    pub fn request(&mut self, request: &Value) -> Result<Value, Failure> {
        self.connection
            .send_message(request.to_string().as_bytes())?;
        self.receive()
    }

    /// As [`request`](Self::request); waits once as long as the server asks for when it answers `too_many_attempts`.
    ///
    /// # Errors
    ///
    /// When no reply comes, or the server asks for more than 15 s.
    pub fn patient_request(&mut self, request: &Value) -> Result<Value, Failure> {
        let reply = self.request(request)?;
        if reply["code"] != "too_many_attempts" {
            return Ok(reply);
        }
        let Some(seconds) = reply["retry_after"].as_u64() else {
            return Err(self.failure("too_many_attempts comes without retry_after"));
        };
        let wait = Duration::from_secs(seconds);
        if wait > MAX_RETRY_AFTER {
            return Err(self.failure(format!(
                "the server asks to wait {seconds} s; run the check again after that"
            )));
        }
        std::thread::sleep(wait);
        self.request(request)
    }

    /// Sends a request whose reply must be `expected`, of which every field counts.
    ///
    /// # Errors
    ///
    /// When another reply comes.
    pub fn expect(&mut self, request: &Value, expected: &Value) -> Result<(), Failure> {
        let reply = self.request(request)?;
        self.is(&reply, expected)
    }

    /// Sends a request that must be refused with `code`, and with a message for people.
    ///
    /// # Errors
    ///
    /// When another reply comes.
    pub fn expect_error(&mut self, request: &Value, code: &str) -> Result<(), Failure> {
        let reply = self.request(request)?;
        self.is_error(&reply, code)
    }

    /// `reply` must be the error `code`.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub fn is_error(&self, reply: &Value, code: &str) -> Result<(), Failure> {
        match reply {
            _ if reply["type"] == "error"
                && reply["code"] == code
                && reply["message"].is_string() =>
            {
                Ok(())
            }
            _ => Err(self.failure(format!(
                "the reply is {} instead of an error with the code {code}",
                shown(reply)
            ))),
        }
    }

    /// `reply` must be `expected`, of which every field counts.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub fn is(&self, reply: &Value, expected: &Value) -> Result<(), Failure> {
        if reply == expected {
            return Ok(());
        }
        Err(self.failure(format!(
            "the reply is {} instead of {expected}",
            shown(reply)
        )))
    }

    /// Says `exit`; the server must answer `bye` and close.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub fn exit(mut self) -> Result<(), Failure> {
        self.expect(
            &serde_json::json!({"type": "exit"}),
            &serde_json::json!({"type": "bye"}),
        )?;
        self.connection.expect_close()
    }
}

/// A reply as a failure shows it. Tokens are the server's secrets, and so left out.
fn shown(reply: &Value) -> String {
    let mut reply = reply.clone();
    if let Some(token) = reply.get_mut("token") {
        *token = "…".into();
    }
    Escaped::new(&reply.to_string()).cut(200).to_string()
}
