//! The one thread that reads, sends and keeps the time for a [`Room`].

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use log::{error, log};
use rand::TryRng;
use rand::rngs::SysRng;

use super::event::Count;
use super::room::{Room, RoomSettings, RoomTotals, World};
use super::wire::{Traffic, Wire};
use crate::faults::Faults;

/// How many datagrams are read before it is the turn of those to be sent.
const READS: usize = 64;

/// And the reverse: acknowledgements are taken in while a message still goes out to a thousand
/// members. A hello has one answer at most, so hellos without end leave members half of it.
const SENDS: usize = 2 * READS;

/// How long timers wait for all that has come to be read. Who sends without end does not stop them.
const MAX_DELAY: Duration = Duration::from_millis(500);

/// The longest sleep.
const MAX_SLEEP: Duration = Duration::from_secs(1);

/// How long to wait when the system cannot read for a reason that may pass.
const AFTER_ERROR: Duration = Duration::from_millis(100);

/// Tells a server to stop, from any thread. Clones are one handle.
#[derive(Debug, Clone)]
pub struct StopHandle {
    stopping: Arc<AtomicBool>,
    server: SocketAddr,
}

impl StopHandle {
    /// A handle for the server that will read `socket`.
    ///
    /// # Errors
    ///
    /// When the system does not tell the socket's address.
    pub fn new(socket: &UdpSocket) -> io::Result<Self> {
        let mut server = socket.local_addr()?;
        if server.ip().is_unspecified() {
            match server {
                SocketAddr::V4(_) => server.set_ip(Ipv4Addr::LOCALHOST.into()),
                SocketAddr::V6(_) => server.set_ip(Ipv6Addr::LOCALHOST.into()),
            }
        }
        let stopping = Arc::default();
        Ok(Self { stopping, server })
    }

    /// Tells the server to stop.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        // An empty datagram wakes it; should that fail, it wakes by itself within a second.
        let any = SocketAddr::new(self.server.ip(), 0);
        let _ = UdpSocket::bind(any).and_then(|socket| socket.send_to(&[], self.server));
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }
}

/// Serves a room on `socket` until it is told to stop and all members know. What happens is told
/// by the `log` macros.
///
/// # Errors
///
/// When the system gives no randomness, or does not let the socket be set up.
pub fn serve(
    socket: &UdpSocket,
    settings: RoomSettings,
    faults: Faults,
    stop: &StopHandle,
) -> io::Result<ServeTotals> {
    let mut wire = Wire::new(socket, faults, settings.trace)?;
    let mut room = Room::new(settings, &random()?, Box::new(System), Instant::now());
    while !room.is_over(Instant::now()) {
        if stop.is_stopping() {
            room.stop(Instant::now());
        }
        let all_read = read(&mut wire, &mut room)?;
        let now = Instant::now();
        let patience = if all_read { Duration::ZERO } else { MAX_DELAY };
        if room.deadline().is_some_and(|at| at + patience <= now) {
            room.handle_timeout(now);
        }
        for _ in 0..SENDS {
            let Some(transmit) = room.poll_transmit(now) else {
                break;
            };
            wire.send(transmit.bytes, transmit.to, transmit.again);
        }
        while let Some(event) = room.poll_event() {
            log!(event.level(), "{event}");
        }
    }
    Ok(ServeTotals {
        room: room.totals(),
        traffic: wire.traffic(),
    })
}

/// Reads what has come, or waits for one datagram if there is nothing else to do. Tells whether
/// that was all: timers ask again for what is missing, so what has come is looked at before.
fn read(wire: &mut Wire<'_>, room: &mut Room) -> io::Result<bool> {
    let sleep = if room.has_work() {
        None
    } else {
        let now = Instant::now();
        let sleep = room
            .deadline()
            .map_or(MAX_SLEEP, |at| at.saturating_duration_since(now));
        (!sleep.is_zero()).then_some(sleep.min(MAX_SLEEP))
    };
    wire.be_patient(sleep)?;
    let most = if sleep.is_some() { 1 } else { READS };
    for _ in 0..most {
        match wire.receive() {
            Ok(Some((bytes, from))) => room.handle(bytes, from, Instant::now()),
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
    /// On the wire.
    pub traffic: Traffic,
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

/// The world as it is.
struct System;

impl World for System {
    fn random(&mut self) -> io::Result<[u8; 16]> {
        random()
    }

    fn unix_micros(&mut self) -> u64 {
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        // A clock before 1970 is as good as none.
        time.map_or(0, |time| time.as_micros() as u64)
    }
}

fn random<const BYTES: usize>() -> io::Result<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| io::Error::other(format!("no random bytes: {error}")))?;
    Ok(bytes)
}
