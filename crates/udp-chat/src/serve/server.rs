//! The one thread that reads, sends and keeps the time for a [`Room`].

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use log::{error, info, log};
use proto::{Count, Escaped, Network, log_target};

use super::event::RoomEvent;
use super::history_file::HistoryFile;
use super::room::{Command, Environment, Room, RoomTotals};
use super::transport::{DatagramCounts, Transport};
use crate::faults::Faults;

/// How many datagrams are read before it is the turn of those to be sent.
const READS: usize = 64;

/// And the reverse: acknowledgements are read while a message still goes out to a thousand members. A hello has one
/// answer at most, so hellos without end leave members half of it.
const SENDS: usize = 2 * READS;

/// How long timers wait for all that has come to be read. Datagrams without end do not stop them.
const MAX_DELAY: Duration = Duration::from_millis(500);

/// The longest sleep.
const MAX_SLEEP: Duration = Duration::from_secs(1);

/// How long to wait when the system cannot read for a reason that may pass.
const AFTER_ERROR: Duration = Duration::from_millis(100);

/// How long an operator waits for a command's answer.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(5);

/// Stops a server and hands it commands, from any thread. Clones are one handle.
#[derive(Debug, Clone)]
pub struct ServerHandle {
    stopping: Arc<AtomicBool>,
    commands: Sender<Order>,
    server: SocketAddr,
}

/// The server's end of its handles.
pub struct Orders {
    stopping: Arc<AtomicBool>,
    commands: Receiver<Order>,
}

type Order = (Command, Sender<Result<String, String>>);

impl ServerHandle {
    /// A handle for the server that will read `socket`, and what the server takes.
    ///
    /// # Errors
    ///
    /// When the system does not report the socket's address.
    pub fn new(socket: &UdpSocket) -> io::Result<(Self, Orders)> {
        let mut server = socket.local_addr()?;
        if server.ip().is_unspecified() {
            match server {
                SocketAddr::V4(_) => server.set_ip(Ipv4Addr::LOCALHOST.into()),
                SocketAddr::V6(_) => server.set_ip(Ipv6Addr::LOCALHOST.into()),
            }
        }
        let stopping = Arc::<AtomicBool>::default();
        let (sender, commands) = channel();
        let handle = Self {
            stopping: Arc::clone(&stopping),
            commands: sender,
            server,
        };
        Ok((handle, Orders { stopping, commands }))
    }

    /// Tells the server to stop.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Does what an operator asks for.
    ///
    /// # Errors
    ///
    /// Why it cannot be done, for a person.
    pub fn command(&self, command: Command) -> Result<String, String> {
        let (answer, answers) = channel();
        let gone = || "the server has stopped".to_owned();
        self.commands.send((command, answer)).map_err(|_| gone())?;
        self.wake();
        answers.recv_timeout(COMMAND_TIMEOUT).map_err(|_| gone())?
    }

    /// An empty datagram wakes the server. Should that fail, it wakes by itself within a second.
    fn wake(&self) {
        let any = SocketAddr::new(self.server.ip(), 0);
        let _ = UdpSocket::bind(any).and_then(|socket| socket.send_to(&[], self.server));
    }
}

/// Serves a room on `socket` until a handle stops it and all members know. Logs the room's events.
///
/// # Errors
///
/// When the system does not let the socket be set up, or fails to wait on it.
pub fn serve(
    socket: &UdpSocket,
    mut room: Room,
    mut history: HistoryFile,
    faults: Faults,
    orders: &Orders,
) -> io::Result<ServeTotals> {
    let mut transport = Transport::new(socket, faults)?;
    let mut datagram = Vec::new();
    while !room.is_over(Instant::now()) {
        if orders.stopping.load(Ordering::SeqCst) {
            room.stop(Instant::now());
        }
        for (command, answer) in orders.commands.try_iter() {
            // The caller may have given up waiting.
            let _ = answer.send(room.command(&command, Instant::now()));
        }
        let all_read = read(&mut transport, &mut room)?;
        let now = Instant::now();
        let delay = if all_read { Duration::ZERO } else { MAX_DELAY };
        if room.deadline().is_some_and(|at| at + delay <= now) {
            room.handle_timeout(now);
        }
        for _ in 0..SENDS {
            let Some(path) = room.poll_transmit(now, &mut datagram) else {
                break;
            };
            transport.send(&datagram, path);
        }
        while let Some(event) = room.poll_event() {
            record(&event);
        }
        while let Some(text) = room.poll_text() {
            history.append(text);
        }
    }
    room.finish();
    while let Some(event) = room.poll_event() {
        record(&event);
    }
    Ok(ServeTotals {
        room: room.totals(),
        traffic: transport.traffic(),
    })
}

fn record(event: &RoomEvent) {
    if let RoomEvent::Removed { nick, address, ban } = event {
        let kind = if ban.is_some() { "ban" } else { "kick" };
        let (network, name) = (Network::of(*address), Escaped::new(nick));
        info!(target: log_target::SECURITY, event = kind, network:% = network, name:% = name; "{event}");
    } else if matches!(event, RoomEvent::Traffic { .. }) {
        log!(target: log_target::TRAFFIC, event.level(), "{event}");
    } else {
        log!(event.level(), "{event}");
    }
}

/// Reads what has come, or waits for one datagram if there is nothing else to do. True if that was all: timers ask for
/// what is missing, so what has come is handled before.
fn read(transport: &mut Transport<'_>, room: &mut Room) -> io::Result<bool> {
    let sleep = if room.has_work() {
        None
    } else {
        let now = Instant::now();
        let sleep = room
            .deadline()
            .map_or(MAX_SLEEP, |at| at.saturating_duration_since(now));
        (!sleep.is_zero()).then_some(sleep.min(MAX_SLEEP))
    };
    transport.set_read_timeout(sleep)?;
    let most = if sleep.is_some() { 1 } else { READS };
    for _ in 0..most {
        match transport.receive() {
            Ok(Some((datagram, path))) => room.handle(datagram, path, Instant::now()),
            Ok(None) => return Ok(true),
            Err(error) => {
                error!("cannot read datagrams: {error}; trying again");
                thread::sleep(AFTER_ERROR);
                return Ok(true);
            }
        }
    }
    Ok(sleep.is_none())
}

/// What a server has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServeTotals {
    /// In its room.
    pub room: RoomTotals,
    /// On the socket.
    pub traffic: DatagramCounts,
}

impl fmt::Display for ServeTotals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (room, traffic) = (&self.room, &self.traffic);
        write!(
            f,
            "{} joined and wrote {}; received {} ({} bytes), {} of them ignored; \
             sent {} ({} bytes), {} not taken by the system",
            Count(room.members, "member"),
            Count(room.texts, "message"),
            Count(traffic.received, "datagram"),
            traffic.received_bytes,
            room.ignored,
            traffic.sent,
            traffic.sent_bytes,
            traffic.unsent
        )
    }
}

/// The operating system.
pub(super) struct System;

impl Environment for System {
    fn random(&mut self) -> io::Result<[u8; 32]> {
        trust::random()
    }

    fn unix_micros(&mut self) -> u64 {
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        // A clock before 1970 is as good as none.
        time.map_or(0, |time| time.as_micros() as u64)
    }
}
