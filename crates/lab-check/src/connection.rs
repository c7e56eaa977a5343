//! A connection to the server under test. It remembers what was sent and received, so that a failure can show both.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use cli::Reason;
use tls::{MaybeTls, ReadHalf, WriteHalf};

use crate::change::describe_change;
use crate::failure::{Excerpts, Failure};
use crate::header::Header;

/// Pause between pieces that must not arrive together.
const PAUSE: Duration = Duration::from_millis(30);
/// What the checks announce and accept at most, in bytes. A reply that claims more is a failure and is not read.
const MAX_REPLY_BYTES: usize = 4 << 20;

/// How messages are cut out of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Bytes come back as they are (RFC 862).
    Raw,
    /// Each message has a header.
    Framed(Header),
}

impl Wire {
    /// One message as it goes over the wire.
    #[must_use]
    pub fn encode(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Raw => message.to_vec(),
            Self::Framed(header) => [header.encode(message.len()), message.to_vec()].concat(),
        }
    }
}

/// One client of the server under test.
pub struct Connection {
    reader: ReadHalf,
    writer: WriteHalf,
    wire: Wire,
    excerpts: Excerpts,
}

impl Connection {
    /// Takes a connected stream. Each read and write on it waits at most `timeout`.
    ///
    /// # Errors
    ///
    /// When the system refuses the socket's options.
    pub fn new(stream: MaybeTls<TcpStream>, wire: Wire, timeout: Duration) -> io::Result<Self> {
        let socket = stream.socket();
        socket.set_read_timeout(Some(timeout))?;
        socket.set_write_timeout(Some(timeout))?;
        socket.set_nodelay(true)?;
        let (reader, writer) = stream.split();
        Ok(Self {
            reader,
            writer,
            wire,
            excerpts: Excerpts::default(),
        })
    }

    /// The socket itself.
    #[must_use]
    pub fn socket(&self) -> &TcpStream {
        self.writer.socket()
    }

    /// A failure of this connection.
    #[must_use]
    pub fn failure(&self, problem: impl Into<String>) -> Failure {
        let mut problem = problem.into();
        if self.excerpts.received.is_tls_alert() {
            problem += "; the reply is an alert of TLS: try --tls";
        }
        self.excerpts.failure(problem)
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    ///
    /// When the server takes nothing in time, or has closed the connection.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.excerpts.sent.add(bytes);
        let sent = self.writer.write_all(bytes);
        sent.map_err(|error| {
            self.failure(format!("it does not take what is sent: {}", Reason(&error)))
        })
    }

    /// Sends bytes in pieces that arrive one by one.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_in_pieces<'a>(
        &mut self,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), Failure> {
        for piece in pieces {
            self.send(piece)?;
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// One message as it goes over the wire.
    #[must_use]
    pub fn encode(&self, message: &[u8]) -> Vec<u8> {
        self.wire.encode(message)
    }

    /// Sends one message.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_message(&mut self, message: &[u8]) -> Result<(), Failure> {
        self.send(&self.encode(message))
    }

    /// Receives exactly the bytes of `message`: as they are, or as one frame.
    ///
    /// # Errors
    ///
    /// When something else comes, or nothing.
    pub fn expect(&mut self, message: &[u8]) -> Result<(), Failure> {
        let got = match self.wire {
            Wire::Raw => self.receive(message.len())?,
            Wire::Framed(_) => self.receive_frame()?,
        };
        let Some(at) = first_difference(&got, message) else {
            return Ok(());
        };
        let mut problem = match (got.get(at), message.get(at)) {
            (Some(got), Some(sent)) => {
                format!("byte {at} of the reply is 0x{got:02x} instead of 0x{sent:02x}")
            }
            _ => format!(
                "the reply has {} bytes instead of {}",
                got.len(),
                message.len()
            ),
        };
        if let Some(change) = describe_change(&got, message) {
            problem += &format!(": {change}");
        }
        Err(self.failure(problem))
    }

    /// Sends one message and receives it back.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send) and [`expect`](Self::expect).
    pub fn echo(&mut self, message: &[u8]) -> Result<(), Failure> {
        self.send_message(message)?;
        self.expect(message)
    }

    /// Sends `wire` from another thread while the replies `messages` are received, as a client with a lot to say must.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send) and [`expect`](Self::expect).
    pub fn send_while_receiving(&mut self, wire: &[u8], messages: &[&[u8]]) -> Result<(), Failure> {
        let mut writer = self.writer.clone();
        self.excerpts.sent.add(wire);
        thread::scope(|scope| {
            let sender = scope.spawn(move || writer.write_all(wire));
            for message in messages {
                if let Err(failure) = self.expect(message) {
                    // The sender may wait for a server that does not read any more.
                    let _ = self.socket().shutdown(Shutdown::Both);
                    return Err(failure);
                }
            }
            match sender.join() {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => {
                    Err(self.failure(format!("it does not take what is sent: {}", Reason(&error))))
                }
                Err(_) => Err(self.failure("the sending thread panicked")),
            }
        })
    }

    /// Receives one frame and gives its payload.
    ///
    /// # Errors
    ///
    /// When no whole frame comes.
    pub fn receive_frame(&mut self) -> Result<Vec<u8>, Failure> {
        let Wire::Framed(header) = self.wire else {
            return Err(self.failure("raw bytes have no frames"));
        };
        let bytes = self.receive(header.size())?;
        match header.decode(&bytes) {
            Ok(length) if length <= MAX_REPLY_BYTES => self.receive(length),
            Ok(length) => Err(self.failure(format!("the reply's header announces {length} bytes"))),
            Err(_) => Err(self.failure("the reply does not begin with a header of decimal digits")),
        }
    }

    /// Receives exactly `count` bytes.
    fn receive(&mut self, count: usize) -> Result<Vec<u8>, Failure> {
        let mut bytes = vec![0; count];
        let mut got = 0;
        while got < count {
            match self.reader.read(&mut bytes[got..]) {
                Ok(0) => {
                    let problem =
                        format!("the server closed the connection after {got} of {count} bytes");
                    return Err(self.failure(problem));
                }
                Ok(read) => {
                    self.excerpts.received.add(&bytes[got..got + read]);
                    got += read;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_timeout(&error) => {
                    return Err(
                        self.failure(format!("no reply in time: {got} of {count} bytes came"))
                    );
                }
                Err(error) => {
                    return Err(
                        self.failure(format!("{} after {got} of {count} bytes", Reason(&error)))
                    );
                }
            }
        }
        Ok(bytes)
    }

    /// Says that no more will be sent.
    ///
    /// # Errors
    ///
    /// When the connection is gone.
    pub fn finish_sending(&mut self) -> Result<(), Failure> {
        let closed = self.writer.close();
        closed.map_err(|error| self.failure(format!("the connection is gone: {}", Reason(&error))))
    }

    /// Leaves, and gives the server a moment to notice.
    pub fn leave(self) {
        drop(self);
        thread::sleep(PAUSE);
    }

    /// Reads what comes, at most for `limit`; true if the connection has ended.
    ///
    /// # Errors
    ///
    /// When the system refuses the time limit.
    pub fn has_ended_within(&mut self, limit: Duration) -> Result<bool, Failure> {
        let set = self.socket().set_read_timeout(Some(limit));
        set.map_err(|error| self.failure(format!("cannot wait: {}", Reason(&error))))?;
        match self.reader.read(&mut [0; 64]) {
            Ok(count) => Ok(count == 0),
            Err(error) if is_timeout(&error) || error.kind() == ErrorKind::Interrupted => Ok(false),
            // A reset ends the connection as well.
            Err(_) => Ok(true),
        }
    }

    /// The server must close the connection without sending anything more.
    ///
    /// # Errors
    ///
    /// When it sends something or leaves the connection open.
    pub fn expect_close(&mut self) -> Result<(), Failure> {
        let mut bytes = [0; 64];
        match self.reader.read(&mut bytes) {
            Ok(0) => Ok(()),
            Ok(count) => {
                self.excerpts.received.add(&bytes[..count]);
                Err(self.failure("more came instead of the end"))
            }
            Err(error) if is_timeout(&error) => {
                Err(self.failure("the server leaves the connection open"))
            }
            // A reset ends the connection as well.
            Err(_) => Ok(()),
        }
    }
}

fn first_difference(got: &[u8], expected: &[u8]) -> Option<usize> {
    let same = got
        .iter()
        .zip(expected)
        .take_while(|(got, expected)| got == expected)
        .count();
    (same < got.len().max(expected.len())).then_some(same)
}

pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_compared_to_the_end() {
        assert_eq!(first_difference(b"abc", b"abc"), None);
        assert_eq!(first_difference(b"abd", b"abc"), Some(2));
        assert_eq!(first_difference(b"ab", b"abc"), Some(2));
        assert_eq!(first_difference(b"", b""), None);
    }
}
