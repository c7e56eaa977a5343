//! The service messages about clients: their words, and how many of them are written. A client that sends without
//! pause gets a few lines a second and a sum of the rest, so it can neither flood the log nor slow the server down.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use log::{Level, info, log, log_enabled};
use proto::log_target::TRAFFIC;
use proto::{Count, EventBudget, EventKind, Network};

use crate::connection::Connection;
use crate::direction_counters::{Counts, DirectionCounters};

/// Lines about single reads and writes in a second: of one connection, and of all together. The latter includes sums.
const CONNECTION_LINES_PER_SECOND: u32 = 50;
const LINES_PER_SECOND: u32 = 2000;

/// Writes the service messages of one server.
#[derive(Debug)]
pub(crate) struct ServiceLog {
    /// How many lines about reads and writes may still be written in this second.
    lines_left: AtomicU32,
    events: Mutex<EventBudget<EventSum>>,
}

/// The events of one network that got no lines of their own, and the traffic of its clients that is in no line.
#[derive(Debug, Default, PartialEq, Eq)]
struct EventSum {
    connected: u64,
    refused: u64,
    disconnected: u64,
    received: Counts,
    sent: Counts,
    /// Lines of the service, by level and label.
    service_lines: BTreeMap<(Level, &'static str), u64>,
}

#[derive(Clone, Copy)]
pub(crate) enum Direction {
    Received,
    Sent,
}

impl Direction {
    fn verb(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Sent => "sent",
        }
    }

    fn preposition(self) -> &'static str {
        match self {
            Self::Received => "from",
            Self::Sent => "to",
        }
    }
}

impl ServiceLog {
    pub(crate) fn new() -> Self {
        Self {
            lines_left: AtomicU32::new(LINES_PER_SECOND),
            events: Mutex::new(EventBudget::default()),
        }
    }

    /// Opens a connection's budget and logs the event.
    pub(crate) fn connected(&self, connection: &Connection, connected: usize) {
        let lines_left = &connection.lines_left;
        lines_left.store(CONNECTION_LINES_PER_SECOND, Ordering::Relaxed);
        if self.admit(connection.network(), EventKind::Arrival, |sum| {
            sum.connected += 1
        }) {
            let name = &connection.name;
            info!("client connected: {name}, {connected} connected now");
        }
    }

    /// Logs that a client was not served because its network has reached its limit of connections.
    pub(crate) fn refused(&self, peer: SocketAddr, share: usize) {
        if self.admit(Network::of(peer.ip()), EventKind::Arrival, |sum| {
            sum.refused += 1
        }) {
            info!("client refused: {peer}: its network has reached its limit of {share} clients");
        }
    }

    /// Logs a line of the service about a client. A sum counts the lines that have no room, under their label.
    pub(crate) fn service_line(
        &self,
        connection: &Connection,
        level: Level,
        label: &'static str,
        line: fmt::Arguments<'_>,
    ) {
        if !log_enabled!(level) {
            return;
        }
        let count = |sum: &mut EventSum| *sum.service_lines.entry((level, label)).or_default() += 1;
        let (network, now) = (connection.network(), Instant::now());
        let admitted = self.events().admit(network, EventKind::Change, now, count);
        if admitted {
            log!(level, "{line}");
        }
    }

    /// Logs the end of a connection, after the sum of its traffic that is in no line yet.
    pub(crate) fn disconnected(&self, connection: &Connection, reason: &str) {
        if !log_enabled!(Level::Info) {
            return;
        }
        let Connection {
            name,
            received,
            sent,
            ..
        } = connection;
        let sums = [received, sent].map(|traffic| traffic.take_unlogged());
        let admitted = self.admit(connection.network(), EventKind::Departure, |sum| {
            let [received, sent] = sums.map(Option::unwrap_or_default);
            sum.disconnected += 1;
            sum.received += received;
            sum.sent += sent;
        });
        if !admitted {
            return;
        }
        for (direction, sum) in [Direction::Received, Direction::Sent].into_iter().zip(sums) {
            if let Some(sum) = sum {
                log_sum(direction, &sum, name);
            }
        }
        let (received, sent, seconds) = (
            received.total(),
            sent.total(),
            connection.began.elapsed().as_secs_f64(),
        );
        info!(
            "client disconnected: {name}: {reason}; received {received}, sent {sent}, in {seconds:.3} s"
        );
    }

    /// Counts one read or write, and logs it while there is room.
    pub(crate) fn add(
        &self,
        connection: &Connection,
        direction: Direction,
        bytes: usize,
        messages: Option<usize>,
    ) {
        let traffic = match direction {
            Direction::Received => &connection.received,
            Direction::Sent => &connection.sent,
        };
        if self.take_line(connection) {
            traffic.add_logged(bytes, messages.unwrap_or(0));
            let (verb, preposition) = (direction.verb(), direction.preposition());
            let (name, messages) = (&connection.name, Messages(messages));
            info!(target: TRAFFIC, "{verb} {bytes} bytes {preposition} {name}{messages}");
        } else {
            traffic.add(bytes, messages.unwrap_or(0));
        }
    }

    /// Begins a new second: refills the budgets, and logs the sums of what got no line in the last one. `connections`
    /// begin with those that have waited longest for a sum; returns how many of them had their turn.
    pub(crate) fn begin_second(&self, connections: &[Arc<Connection>]) -> usize {
        self.lines_left.store(LINES_PER_SECOND, Ordering::Relaxed);
        let sums = self.events().take_sums(Instant::now());
        log_event_sums(sums);
        if !log_enabled!(target: TRAFFIC, Level::Info) {
            return connections.len();
        }
        let mut had_turn = connections.len();
        for (at, connection) in connections.iter().enumerate() {
            connection
                .lines_left
                .store(CONNECTION_LINES_PER_SECOND, Ordering::Relaxed);
            if had_turn == connections.len() && !self.log_sums(connection) {
                had_turn = at;
            }
        }
        had_turn
    }

    /// Logs what is only counted so far, at the end of a server.
    pub(crate) fn flush(&self) {
        let sums = self.events().take_last_sums();
        log_event_sums(sums);
    }

    /// Logs the sums of a connection; `false` if there was no room for them.
    fn log_sums(&self, connection: &Connection) -> bool {
        let has_room =
            |traffic: &DirectionCounters| !traffic.has_unlogged() || take(&self.lines_left);
        for (direction, traffic) in [
            (Direction::Received, &connection.received),
            (Direction::Sent, &connection.sent),
        ] {
            if !has_room(traffic) {
                return false;
            }
            if let Some(sum) = traffic.take_unlogged() {
                log_sum(direction, &sum, &connection.name);
            }
        }
        true
    }

    /// Whether one more read or write of the connection gets a line of its own. Without room this costs one atomic
    /// load.
    fn take_line(&self, connection: &Connection) -> bool {
        connection.lines_left.load(Ordering::Relaxed) > 0
            && log_enabled!(target: TRAFFIC, Level::Info)
            && take(&connection.lines_left)
            && take(&self.lines_left)
    }

    fn admit(&self, network: Network, kind: EventKind, count: impl FnOnce(&mut EventSum)) -> bool {
        log_enabled!(Level::Info) && self.events().admit(network, kind, Instant::now(), count)
    }

    fn events(&self) -> MutexGuard<'_, EventBudget<EventSum>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes one line, if there is one left.
fn take(lines_left: &AtomicU32) -> bool {
    let less = |lines: u32| lines.checked_sub(1);
    lines_left
        .try_update(Ordering::Relaxed, Ordering::Relaxed, less)
        .is_ok()
}

/// `received 81920 bytes in 640 reads, 1280 messages from 192.0.2.7:50000 (connection 3)`
fn log_sum(direction: Direction, sum: &Counts, name: &dyn std::fmt::Display) {
    let (verb, preposition) = (direction.verb(), direction.preposition());
    let operation = match direction {
        Direction::Received => "read",
        Direction::Sent => "write",
    };
    let bytes = sum.bytes;
    let operations = Count(sum.operations, operation);
    match sum.messages {
        0 => info!(target: TRAFFIC, "{verb} {bytes} bytes in {operations} {preposition} {name}"),
        messages => {
            let messages = Count(messages, "message");
            info!(target: TRAFFIC, "{verb} {bytes} bytes in {operations}, {messages} {preposition} {name}");
        }
    }
}

/// `client connected: 57 more from 192.0.2.7`, with the traffic of clients that have no `client disconnected` of their
/// own.
fn log_event_sums(sums: Vec<(Option<Network>, EventSum)>) {
    for (network, sum) in sums {
        let from = network.map_or_else(
            || "other networks".to_owned(),
            |network| network.to_string(),
        );
        let EventSum {
            connected,
            refused,
            disconnected,
            received,
            sent,
            service_lines,
        } = sum;
        if connected > 0 {
            info!("client connected: {connected} more from {from}");
        }
        if refused > 0 {
            info!("client refused: {refused} more from {from}");
        }
        let clients = format!("{} of {from}", Count(disconnected, "client"));
        for (direction, traffic) in [(Direction::Received, received), (Direction::Sent, sent)] {
            if traffic.bytes > 0 {
                log_sum(direction, &traffic, &clients);
            }
        }
        if disconnected > 0 {
            info!("client disconnected: {disconnected} more from {from}");
        }
        for ((level, label), lines) in service_lines {
            log!(level, "{label}: {lines} more from {from}");
        }
    }
}

/// `: 2 messages`; nothing where bytes have no frames.
struct Messages(Option<usize>);

impl std::fmt::Display for Messages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            None => Ok(()),
            Some(messages) => write!(f, ": {}", Count(messages as u64, "message")),
        }
    }
}
