//! One client as its thread sees it: a stream that keeps time, counts, and tells what passed.

use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use log::info;

use crate::connection::Connection;
use crate::lingering;
use crate::stop::StopHandle;

/// What a conversation needs to know of its client. A test can converse with bytes in memory.
pub trait Peer: Read + Write {
    /// Tells that one read brought `bytes` bytes, with the ends of `messages` messages in them.
    /// A whole message begins the idle time anew. `None`, where there are no messages but only
    /// bytes, counts as one.
    fn took(&mut self, bytes: usize, messages: Option<usize>);

    /// Tells that one write took `bytes` bytes, with `messages` messages in them.
    fn gave(&mut self, bytes: usize, messages: Option<usize>);
}

/// A connected client: [`Read`] and [`Write`] over its socket, within the server's limits.
///
/// - A read gives 0, the end of the stream, when the client closed its side or the server stops.
/// - A read fails with [`io::ErrorKind::TimedOut`] when no whole message came within the idle
///   time-out, of which [`took`](Peer::took) tells; a write when the client took nothing for as long.
#[derive(Debug)]
pub struct Client {
    connection: Arc<Connection>,
    stop: StopHandle,
    peer: SocketAddr,
    /// The address and the connection's number, as every service message has them.
    name: String,
    idle_timeout: Option<Duration>,
    closed_by_peer: bool,
    cut_by_stop: bool,
    pub(crate) received: Traffic,
    pub(crate) sent: Traffic,
}

/// What passed in one direction.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) bytes: u64,
    pub(crate) messages: u64,
}

impl Client {
    /// # Errors
    ///
    /// When the socket's options cannot be set, as when the client is gone already.
    pub(crate) fn new(
        connection: Arc<Connection>,
        peer: SocketAddr,
        number: u64,
        idle_timeout: Option<Duration>,
        stop: StopHandle,
    ) -> io::Result<Self> {
        connection.stream.set_nodelay(true)?;
        // A read's time is watched from outside, so that the kernel needs no timer for each. That of a write is not: only the
        // kernel sees what progress a long one makes.
        connection.stream.set_write_timeout(idle_timeout)?;
        Ok(Self {
            connection,
            stop,
            peer,
            name: format!("{peer} (connection {number})"),
            idle_timeout,
            closed_by_peer: false,
            cut_by_stop: false,
            received: Traffic::default(),
            sent: Traffic::default(),
        })
    }

    /// The client's address. An IPv4-mapped IPv6 address is told as the IPv4 address it is.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.peer.ip()
    }

    /// Address and connection number, for service messages: `192.0.2.7:50000 (connection 3)`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the server stops: what was begun is finished, and nothing new is.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stop.is_stopping()
    }

    /// Ends the connection. A client that closed its own side is not waited for.
    pub(crate) fn close(&self) {
        if !self.closed_by_peer {
            lingering::close(&self.connection.stream);
        }
    }

    /// Whether it was the stop that ended the stream.
    pub(crate) fn is_cut_by_stop(&self) -> bool {
        self.cut_by_stop
    }

    /// What passed in all, for the last service message.
    pub(crate) fn totals(&self) -> String {
        format!("received {}, sent {}", self.received, self.sent)
    }

    fn wrote(&mut self, result: io::Result<usize>) -> io::Result<usize> {
        match result {
            Ok(count) => {
                self.connection.turns.end_of_wait();
                self.sent.bytes += count as u64;
                Ok(count)
            }
            Err(error) => {
                self.cut_by_stop = self.is_stopping();
                Err(match self.idle_timeout {
                    Some(idle) if is_timeout(&error) => no_progress_within(idle),
                    _ => explain(error),
                })
            }
        }
    }

    fn no_message(&self) -> io::Error {
        let idle = self.idle_timeout.unwrap_or_default().as_secs_f64();
        let reason = format!("no whole message came within {idle} s");
        io::Error::new(io::ErrorKind::TimedOut, reason)
    }
}

impl Peer for Client {
    fn took(&mut self, bytes: usize, messages: Option<usize>) {
        if messages != Some(0) {
            self.connection.turns.end_of_wait();
        }
        self.received.messages += messages.unwrap_or(0) as u64;
        info!(
            "received {bytes} bytes from {}{}",
            self.name,
            Messages(messages)
        );
    }

    fn gave(&mut self, bytes: usize, messages: Option<usize>) {
        self.sent.messages += messages.unwrap_or(0) as u64;
        info!("sent {bytes} bytes to {}{}", self.name, Messages(messages));
    }
}

impl Read for Client {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.is_stopping() {
            self.cut_by_stop = true;
            return Ok(0);
        }
        if self.connection.is_out_of_time() {
            return Err(self.no_message());
        }
        self.connection.turns.wait_for_client();
        match (&self.connection.stream).read(room) {
            // The end of the idle time wakes blocked reads with an end of the stream, and so does the stop.
            Ok(0) if self.connection.is_out_of_time() => Err(self.no_message()),
            Ok(0) => {
                self.cut_by_stop = self.is_stopping();
                self.closed_by_peer = !self.cut_by_stop;
                Ok(0)
            }
            Ok(count) => {
                self.received.bytes += count as u64;
                Ok(count)
            }
            Err(error) => Err(explain(error)),
        }
    }
}

impl Write for Client {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = (&self.connection.stream).write(bytes);
        self.wrote(result)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let result = (&self.connection.stream).write_vectored(parts);
        self.wrote(result)
    }

    /// A socket holds nothing back.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A socket's time-out is told by either of two kinds, as the platform likes.
fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

/// What ended the connection, in words for the service message.
fn explain(error: io::Error) -> io::Error {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, TimedOut};
    let reason = match error.kind() {
        ConnectionReset => "connection reset by peer",
        BrokenPipe => "broken pipe",
        TimedOut => "the client's machine no longer answers",
        _ => return error,
    };
    io::Error::new(error.kind(), reason)
}

fn no_progress_within(idle: Duration) -> io::Error {
    let reason = format!(
        "the client took nothing of what it is owed within {} s",
        idle.as_secs_f64()
    );
    io::Error::new(io::ErrorKind::TimedOut, reason)
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes)?;
        match self.messages {
            0 => Ok(()),
            1 => f.write_str(" in 1 message"),
            count => write!(f, " in {count} messages"),
        }
    }
}

/// `: 2 messages`, or nothing where there are none to count.
struct Messages(Option<usize>);

impl fmt::Display for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => Ok(()),
            Some(1) => f.write_str(": 1 message"),
            Some(count) => write!(f, ": {count} messages"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::time::Instant;

    use super::*;
    use crate::turns::Watch;

    fn connected() -> (Client, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, peer) = listener.accept().unwrap();
        let connection = Arc::new(Connection::new(stream));
        let client = Client::new(connection, peer, 1, None, StopHandle::new()).unwrap();
        (client, socket)
    }

    fn is_waited_for(client: &Client) -> bool {
        let (mut watch, now) = (Watch::default(), Instant::now());
        let mut look = || watch.is_over(&client.connection.turns, Duration::ZERO, now);
        look() || look()
    }

    #[test]
    fn a_message_or_a_write_ends_the_wait() {
        let (mut client, mut socket) = connected();
        socket.write_all(b"abcd").unwrap();
        for (messages, still) in [(Some(0), true), (Some(1), false), (None, false)] {
            client.read_exact(&mut [0]).unwrap();
            client.took(1, messages);
            assert_eq!(is_waited_for(&client), still, "{messages:?}");
        }
        client.read_exact(&mut [0]).unwrap();
        assert!(is_waited_for(&client));
        client.write_all(b"x").unwrap();
        assert!(!is_waited_for(&client));
    }

    #[test]
    fn bytes_that_go_on_coming_do_not_lengthen_the_time() {
        let (mut client, mut socket) = connected();
        socket.write_all(b"ab").unwrap();
        client.read_exact(&mut [0]).unwrap();
        client.connection.end_wait();
        let late = client.read(&mut [0]).unwrap_err();
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
        // What it is owed still goes out.
        client.write_all(b"x").unwrap();
        socket.read_exact(&mut [0]).unwrap();
    }
}
