//! One connection under load: sends messages as the window allows, and compares the replies.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tls::{MaybeTls, ReadHalf, WriteHalf};

use crate::Load;
use crate::error::BenchError;
use crate::histogram::Histogram;
use crate::message_stream::{Difference, MessageStream};

/// Socket buffers hold at least this many bytes, so one thread can write all of them before it reads. With more bytes
/// in flight, sending has a thread of its own.
const BUFFERED_BYTES: usize = 64 << 10;

/// The most bytes of one read, and of one write of several messages.
const PORTION_BYTES: usize = 64 << 10;

/// How long to wait for the server to close a connection on which nothing is outstanding.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// The number of replies on all connections.
#[derive(Debug, Default)]
pub(crate) struct Progress(AtomicU64);

impl Progress {
    pub(crate) fn replies(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a connection measured.
pub(crate) struct Measured {
    /// The round-trip times.
    pub(crate) times: Histogram,
    /// When the last reply was complete.
    pub(crate) finished: Instant,
}

/// A connection, and the messages in flight on it.
pub(crate) struct Connection<'a> {
    socket: Arc<TcpStream>,
    load: Load,
    progress: &'a Progress,
    in_flight: InFlight,
    until: Instant,
}

impl<'a> Connection<'a> {
    /// Loads the server at the other end of a connected stream until the time is over. After the last reply it
    /// half-closes the connection and checks that nothing more comes.
    pub(crate) fn measure(
        stream: MaybeTls<TcpStream>,
        load: Load,
        progress: &'a Progress,
    ) -> Result<Measured, BenchError> {
        let timeout = Some(load.timeout);
        let set = stream.socket().set_read_timeout(timeout);
        let set = set.and_then(|()| stream.socket().set_write_timeout(timeout));
        set.map_err(BenchError::Broken)?;
        let (read_half, write_half) = stream.split();
        let connection = Self {
            socket: Arc::clone(write_half.socket()),
            load,
            progress,
            in_flight: InFlight::default(),
            until: Instant::now() + load.duration,
        };
        let mut sending = Sending::new(&connection, write_half);
        let mut receiving = Receiving::new(&connection, read_half);
        connection.run(&mut sending, &mut receiving)?;
        let finished = Instant::now();
        // Fails when the socket is gone, which is no fault now.
        let _ = sending.stream.close();
        receiving.expect_end()?;
        let times = receiving.times;
        Ok(Measured { times, finished })
    }

    /// Sends until the time is over, and receives until nothing is in flight.
    fn run(
        &self,
        sending: &mut Sending<'_>,
        receiving: &mut Receiving<'_>,
    ) -> Result<(), BenchError> {
        let message_bytes = sending.messages.message_bytes();
        let most = (PORTION_BYTES / message_bytes).max(1);
        let mut send_more = || {
            self.in_flight
                .send_more(self.load.window, most, self.until, |count| {
                    sending.send(count)
                })
        };
        if self.load.window * message_bytes <= BUFFERED_BYTES {
            while send_more().map_err(|error| receiving.wrong_reply_or(error))? {
                receiving.receive()?;
            }
            return Ok(());
        }
        thread::scope(|scope| {
            let sender = thread::Builder::new().name("sender".into());
            let sender = sender.spawn_scoped(scope, || {
                let sent = (|| {
                    while self.in_flight.wait_for_room(self.load.window, self.until) {
                        send_more()?;
                    }
                    Ok(())
                })();
                self.in_flight.close();
                sent
            });
            let sender = sender.map_err(BenchError::Thread)?;
            let mut received = Ok(());
            while received.is_ok() && self.in_flight.wait_for_a_message() {
                received = receiving.receive();
            }
            if received.is_err() {
                // Wakes the sender if it waits. The socket may be gone already.
                self.in_flight.close();
                let _ = self.socket.shutdown(Shutdown::Both);
            }
            let sent = sender.join().unwrap_or(Ok(()));
            received.and(sent)
        })
    }
}

/// The send times of the messages in flight.
#[derive(Default)]
struct InFlight {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    sent: VecDeque<Instant>,
    /// Nothing more will be sent.
    closed: bool,
}

impl InFlight {
    /// Sends as many messages as the window allows, at most `most`, unless the time is over. Returns whether any are in
    /// flight.
    fn send_more(
        &self,
        window: usize,
        most: usize,
        until: Instant,
        send: impl FnOnce(usize) -> Result<(), BenchError>,
    ) -> Result<bool, BenchError> {
        let now = Instant::now();
        let mut state = self.lock();
        let room = if now < until {
            most.min(window - state.sent.len())
        } else {
            0
        };
        state.sent.extend(std::iter::repeat_n(now, room));
        let any = !state.sent.is_empty();
        drop(state);
        if room > 0 {
            self.changed.notify_all();
            send(room)?;
        }
        Ok(any)
    }

    /// Removes the oldest `count` messages, which came back. Calls `on_reply` with the send time of each.
    fn complete(&self, count: usize, on_reply: impl FnMut(Instant)) {
        self.lock().sent.drain(..count).for_each(on_reply);
        self.changed.notify_all();
    }

    fn wait_for_room(&self, window: usize, until: Instant) -> bool {
        let full = |state: &mut State| state.sent.len() >= window && !state.closed;
        let state = self
            .changed
            .wait_while(self.lock(), full)
            .unwrap_or_else(PoisonError::into_inner);
        !state.closed && Instant::now() < until
    }

    /// Waits until a message is in flight. Returns false if none will be.
    fn wait_for_a_message(&self) -> bool {
        let empty = |state: &mut State| state.sent.is_empty() && !state.closed;
        let state = self
            .changed
            .wait_while(self.lock(), empty)
            .unwrap_or_else(PoisonError::into_inner);
        !state.sent.is_empty()
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn outstanding(&self) -> u64 {
        self.lock().sent.len() as u64
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Sending<'a> {
    connection: &'a Connection<'a>,
    stream: WriteHalf,
    messages: MessageStream,
    bytes: Vec<u8>,
}

impl<'a> Sending<'a> {
    fn new(connection: &'a Connection<'a>, stream: WriteHalf) -> Self {
        Self {
            connection,
            stream,
            messages: MessageStream::new(connection.load.wire, connection.load.size),
            bytes: vec![],
        }
    }

    fn send(&mut self, count: usize) -> Result<(), BenchError> {
        self.bytes.clear();
        self.messages.add_to(&mut self.bytes, count);
        self.stream
            .write_all(&self.bytes)
            .map_err(|error| self.connection.fault(error))
    }
}

struct Receiving<'a> {
    connection: &'a Connection<'a>,
    stream: ReadHalf,
    messages: MessageStream,
    bytes: Vec<u8>,
    times: Histogram,
}

impl<'a> Receiving<'a> {
    fn new(connection: &'a Connection<'a>, stream: ReadHalf) -> Self {
        let messages = MessageStream::new(connection.load.wire, connection.load.size);
        Self {
            connection,
            stream,
            messages,
            bytes: vec![0; PORTION_BYTES],
            times: Histogram::new(),
        }
    }

    /// Reads once, compares, and measures the round-trip time of each message that came back.
    fn receive(&mut self) -> Result<(), BenchError> {
        let received = match self.stream.read(&mut self.bytes) {
            Ok(0) => {
                return Err(BenchError::Closed {
                    outstanding: self.connection.in_flight.outstanding(),
                });
            }
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(self.connection.fault(error)),
        };
        let now = Instant::now();
        let outstanding = self.connection.in_flight.outstanding() as usize;
        let owed = outstanding * self.messages.message_bytes() - self.messages.compared();
        let (replies, surplus) = self.bytes[..received].split_at(received.min(owed));
        let ended = self
            .messages
            .compare(replies)
            .map_err(|Difference { message, byte }| BenchError::WrongReply {
                reply: message,
                byte,
            })?;
        if !surplus.is_empty() {
            return Err(BenchError::Unasked);
        }
        self.connection
            .in_flight
            .complete(ended, |sent| self.times.record(now - sent));
        self.connection
            .progress
            .0
            .fetch_add(ended as u64, Ordering::Relaxed);
        Ok(())
    }
}

impl Receiving<'_> {
    /// Takes what the server sent before it closed the connection, which made sending fail with `error`. If that is
    /// wrong, it is the better explanation.
    fn wrong_reply_or(&mut self, error: BenchError) -> BenchError {
        loop {
            match self.receive() {
                Ok(()) => {}
                Err(wrong @ (BenchError::WrongReply { .. } | BenchError::Unasked)) => return wrong,
                Err(_) => return error,
            }
        }
    }

    /// Checks that nothing comes after the last reply, until the server closes the connection or [`CLOSE_GRACE`] is
    /// over.
    fn expect_end(&mut self) -> Result<(), BenchError> {
        let set = self.connection.socket.set_read_timeout(Some(CLOSE_GRACE));
        set.map_err(BenchError::Broken)?;
        loop {
            match self.stream.read(&mut self.bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => return Ok(()),
                Ok(_) => return Err(BenchError::Unasked),
            }
        }
    }
}

impl Connection<'_> {
    fn fault(&self, error: io::Error) -> BenchError {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => BenchError::TimedOut {
                outstanding: self.in_flight.outstanding(),
            },
            _ => BenchError::Broken(error),
        }
    }
}
