//! One client as its service sees it: a stream that ends when the server stops or the client is idle for too long.

use std::io::{self, IoSlice, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use proto::Observer;
use socket2::SockRef;

use crate::connection::Connection;
use crate::registry::Registry;
use crate::reporter::Reporter;
use crate::stop::StopHandle;
use crate::{linger, platform};

/// A connected client: [`Read`] and [`Write`] over its socket, within the server's limits.
///
/// - A read returns 0, the end of the stream, when the client closed its side or the server stops.
/// - A read fails with [`io::ErrorKind::TimedOut`] when the client was idle for the idle time-out, and a write when
///   the client read nothing for as long.
///
/// The client reports its own reads and writes as raw bytes, each of which counts as activity. A service with messages
/// takes the [`reporter`](Self::reporter) instead.
#[derive(Debug)]
pub struct Client {
    registry: Arc<Registry>,
    connection: Arc<Connection>,
    stop: StopHandle,
    idle_timeout: Option<Duration>,
    /// When reads fail with a time-out, in addition to the idle time-out.
    read_deadline: Option<Instant>,
    /// The last read took all that had come, so the next one probably waits.
    drained: bool,
    /// Reports raw bytes, unless the service reports messages itself.
    raw_reporter: Option<Reporter>,
    closed_by_peer: bool,
    cut_by_stop: bool,
}

impl Client {
    /// # Errors
    ///
    /// When the socket's options cannot be set, for example because the client is gone already.
    pub(crate) fn new(
        registry: &Arc<Registry>,
        connection: Arc<Connection>,
        idle_timeout: Option<Duration>,
        stop: StopHandle,
    ) -> io::Result<Self> {
        connection.stream.set_nodelay(true)?;
        let socket = SockRef::from(&connection.stream);
        // RFC 862 returns every byte, and so urgent ones too, in their place.
        socket.set_out_of_band_inline(true)?;
        if idle_timeout.is_none() {
            // Without a time-out, only this finds clients whose machine vanished.
            socket.set_keepalive(true)?;
        }
        // The watchdog times reads, so that the kernel needs no timer for each. Only the kernel sees what progress a
        // long write makes.
        connection.stream.set_write_timeout(idle_timeout)?;
        platform::prepare(&connection.stream)?;
        Ok(Self {
            raw_reporter: Some(Reporter::new(registry, &connection, false)),
            registry: Arc::clone(registry),
            connection,
            stop,
            idle_timeout,
            read_deadline: None,
            drained: true,
            closed_by_peer: false,
            cut_by_stop: false,
        })
    }

    /// The observer of this connection, for a service whose conversation consists of messages. From now on the client
    /// reports nothing itself: only what the reporter gets appears in service messages and totals, and only whole
    /// messages and writes count as activity.
    pub fn reporter(&mut self) -> Reporter {
        self.raw_reporter = None;
        Reporter::new(&self.registry, &self.connection, true)
    }

    /// Bounds the time of the reads from now on until it is called again, besides the idle time-out: for a handshake,
    /// which gets less time than a dialogue. A read that takes longer fails with a time-out.
    ///
    /// # Errors
    ///
    /// When the system refuses it.
    pub fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.read_deadline = timeout.map(|timeout| Instant::now() + timeout);
        platform::set_read_timeout(&self.connection.stream, timeout)
    }

    /// The client's address. An IPv4-mapped IPv6 address is given as its IPv4 address.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.connection.peer.ip()
    }

    /// The client's socket address, with its zone if it is link-local. An IPv4-mapped IPv6 address is given as its IPv4
    /// address.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        self.connection.peer
    }

    /// Address and connection number, for service messages: `192.0.2.7:50000 (connection 3)`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.connection.name
    }

    /// Whether the server stops. A conversation then finishes what it began, and begins nothing new.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stop.is_stopping()
    }

    /// Ends the connection, with a half-close first if the client has not closed its own side yet.
    pub(crate) fn close(&self) {
        if !self.closed_by_peer {
            linger::close(&self.connection.stream);
        }
    }

    /// Whether the stop ended the stream.
    pub(crate) fn is_cut_by_stop(&self) -> bool {
        self.cut_by_stop
    }

    fn report_write(&mut self, result: io::Result<usize>) -> io::Result<usize> {
        match result {
            Ok(count) => {
                if let Some(reporter) = &mut self.raw_reporter {
                    reporter.on_sent(count, 0);
                }
                Ok(count)
            }
            Err(error) => {
                self.cut_by_stop = self.is_stopping();
                Err(match self.idle_timeout {
                    Some(idle) if platform::is_timeout(&error) => no_progress_within(idle),
                    _ => explain(error),
                })
            }
        }
    }

    fn is_past_deadline(&self) -> bool {
        self.read_deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
    }
}

impl Read for Client {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let connection = &*self.connection;
        connection.wait.begin();
        // The other clients' threads run first. Often the next bytes have come by then, so that this thread need not
        // sleep and be woken: 50 busy clients on two processors get some 1.2 times the replies.
        if self.drained && self.registry.is_oversubscribed() {
            thread::yield_now();
        }
        platform::wait_until_readable(&connection.stream, || {
            self.stop.is_stopping() || connection.eviction().is_some() || self.is_past_deadline()
        });
        if let Some(why) = connection.eviction() {
            return Err(why.error(self.idle_timeout));
        }
        if self.is_stopping() {
            self.cut_by_stop = true;
            return Ok(0);
        }
        if self.is_past_deadline() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match (&connection.stream).read(buffer) {
            // The stop and an eviction wake a blocked read with an end of the stream.
            Ok(0) => {
                if let Some(why) = connection.eviction() {
                    return Err(why.error(self.idle_timeout));
                }
                self.cut_by_stop = self.is_stopping();
                self.closed_by_peer = !self.cut_by_stop;
                Ok(0)
            }
            Ok(count) => {
                self.drained = count < buffer.len();
                if let Some(reporter) = &mut self.raw_reporter {
                    reporter.on_received(count, 0);
                }
                Ok(count)
            }
            Err(error) => Err(explain(error)),
        }
    }
}

impl Write for Client {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = (&self.connection.stream).write(bytes);
        self.report_write(result)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let result = (&self.connection.stream).write_vectored(parts);
        self.report_write(result)
    }

    /// A socket buffers nothing on this side.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The error that ended the connection, in words for the service message.
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
    let reason = format!("the client read nothing for {} s", idle.as_secs_f64());
    io::Error::new(io::ErrorKind::TimedOut, reason)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;
    use crate::connection::Eviction;
    use crate::idle_watch::IdleWatch;

    fn connected() -> (Client, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, peer) = listener.accept().unwrap();
        let registry = Arc::new(Registry::new(StopHandle::new()));
        let connection = Arc::new(Connection::new(stream, peer, 1));
        let client = Client::new(&registry, connection, None, StopHandle::new()).unwrap();
        (client, socket)
    }

    fn is_waited_for(client: &Client) -> bool {
        let (mut watch, now) = (IdleWatch::default(), Instant::now());
        let mut poll = || watch.has_timed_out(&client.connection.wait, Duration::ZERO, now);
        poll() || poll()
    }

    #[test]
    fn only_a_whole_message_or_a_write_ends_the_wait() {
        let (mut client, mut socket) = connected();
        let mut reporter = client.reporter();
        socket.write_all(b"abc").unwrap();
        for (messages, is_waiting) in [(0, true), (1, false), (0, true)] {
            client.read_exact(&mut [0]).unwrap();
            reporter.on_received(1, messages);
            assert_eq!(is_waited_for(&client), is_waiting, "{messages} messages");
        }
        client.write_all(b"x").unwrap();
        reporter.on_sent(1, 1);
        assert!(!is_waited_for(&client));
    }

    #[test]
    fn without_messages_each_read_and_write_is_activity_and_is_counted() {
        let (mut client, mut socket) = connected();
        socket.write_all(b"abc").unwrap();
        client.read_exact(&mut [0; 3]).unwrap();
        assert!(!is_waited_for(&client));
        client.write_all(b"xy").unwrap();
        let connection = &client.connection;
        assert_eq!(
            (
                connection.received.total().bytes,
                connection.sent.total().bytes
            ),
            (3, 2)
        );
    }

    #[test]
    fn a_read_can_get_less_time_than_the_client_has() {
        let (mut client, mut socket) = connected();
        client
            .set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        let error = client.read(&mut [0]).unwrap_err();
        assert!(platform::is_timeout(&error), "{error}");
        client.set_read_timeout(None).unwrap();
        socket.write_all(b"a").unwrap();
        assert_eq!(client.read(&mut [0]).unwrap(), 1);
    }

    #[test]
    fn bytes_that_keep_coming_do_not_prolong_the_time() {
        let (mut client, mut socket) = connected();
        socket.write_all(b"ab").unwrap();
        client.read_exact(&mut [0]).unwrap();
        client.connection.evict(Eviction::Idle);
        let late = client.read(&mut [0]).unwrap_err();
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
        // Pending replies are still sent.
        client.write_all(b"x").unwrap();
        socket.read_exact(&mut [0]).unwrap();
    }
}
