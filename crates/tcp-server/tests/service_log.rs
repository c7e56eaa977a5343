//! The service messages of a server: all bytes are in them, and no client can flood the log.

#[path = "serve/running.rs"]
mod running;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use log::{Level, LevelFilter, Log, Metadata, Record};
use proto::Observer;
use tcp_server::{BoxError, Client, EndReason, Limits, Service};

use running::{Echo, Running, TIME_LIMIT};

/// Keeps all lines.
struct Lines(Mutex<Vec<String>>);

static LINES: Lines = Lines(Mutex::new(Vec::new()));

impl Log for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        self.0.lock().unwrap().push(record.args().to_string());
    }

    fn flush(&self) {}
}

/// The lines of one test. Tests take turns, because they share the log.
struct Turn {
    _turn: MutexGuard<'static, ()>,
}

fn take_turn() -> Turn {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = log::set_logger(&LINES);
    log::set_max_level(LevelFilter::Info);
    LINES.0.lock().unwrap().clear();
    Turn { _turn: turn }
}

impl Turn {
    fn lines(&self) -> Vec<String> {
        LINES.0.lock().unwrap().clone()
    }

    /// The sum of the numbers that follow `start` in lines that begin with it.
    fn sum(&self, start: &str) -> u64 {
        let number = |line: &String| {
            let rest = line.strip_prefix(start)?;
            rest.split(' ').next()?.parse::<u64>().ok()
        };
        self.lines().iter().filter_map(number).sum()
    }

    fn count(&self, start: &str) -> u64 {
        let lines = self.lines();
        lines.iter().filter(|line| line.starts_with(start)).count() as u64
    }

    /// How many clients the lines report: one for each, or `57 more`.
    fn clients(&self, event: &str) -> u64 {
        let start = format!("client {event}: ");
        let of_line = |line: &String| {
            let mut words = line.strip_prefix(&start)?.split(' ');
            match (words.next()?.parse(), words.next()) {
                (Ok(count), Some("more")) => Some(count),
                _ => Some(1),
            }
        };
        self.lines().iter().filter_map(of_line).sum()
    }
}

/// Waits until no client is connected.
fn wait_until_empty(server: &Running) {
    let deadline = Instant::now() + TIME_LIMIT;
    while !server.clients.list().is_empty() {
        assert!(Instant::now() < deadline, "clients do not leave");
        thread::yield_now();
    }
}

fn exchange(socket: &mut TcpStream, count: usize) {
    for _ in 0..count {
        socket.write_all(b"x").unwrap();
        socket.read_exact(&mut [0]).unwrap();
    }
}

#[test]
fn one_byte_messages_cost_few_lines_and_all_bytes_are_in_them() {
    const EXCHANGES: usize = 20_000;
    let turn = take_turn();
    let server = Running::start(Limits::default(), Echo);
    let began = Instant::now();
    let mut socket = server.connect();
    exchange(&mut socket, EXCHANGES);
    drop(socket);
    let totals = server.stop();
    let seconds = began.elapsed().as_secs() + 1;

    assert_eq!(totals.bytes_received, EXCHANGES as u64);
    assert_eq!(turn.sum("received "), EXCHANGES as u64);
    assert_eq!(turn.sum("sent "), EXCHANGES as u64);
    // Lines of its own, and two sums a second, and two at the end.
    let lines = turn.count("received ") + turn.count("sent ");
    assert!(lines <= 52 * seconds + 2, "{lines} lines in {seconds} s");
    let last = &turn.lines()[turn.lines().len() - 1];
    assert!(
        last.starts_with("client disconnected: 127.0.0.1:"),
        "{last}"
    );
    assert!(
        last.contains("; received 20000 bytes, sent 20000 bytes, in "),
        "{last}"
    );
}

#[test]
fn a_sum_follows_although_the_client_falls_silent() {
    let turn = take_turn();
    let server = Running::start(Limits::default(), Echo);
    let mut socket = server.connect();
    exchange(&mut socket, 300);
    let began = Instant::now();
    while turn.sum("received ") + turn.sum("sent ") < 600 {
        assert!(began.elapsed() < TIME_LIMIT, "{:?}", turn.lines());
        thread::yield_now();
    }
    let sum = |line: &String| {
        line.contains(" reads from 127.0.0.1:") && line.ends_with(" (connection 1)")
    };
    assert!(turn.lines().iter().any(sum), "{:?}", turn.lines());
    server.stop();
}

#[test]
fn visits_without_pause_cost_few_lines_and_each_is_counted() {
    const VISITS: u64 = 3000;
    let turn = take_turn();
    let server = Running::start(Limits::default(), Echo);
    let began = Instant::now();
    for _ in 0..VISITS {
        exchange(&mut server.connect(), 1);
    }
    let totals = server.stop();
    let seconds = began.elapsed().as_secs() + 1;

    assert_eq!(totals.clients, VISITS);
    assert_eq!(turn.clients("connected"), VISITS);
    assert_eq!(turn.clients("disconnected"), VISITS);
    assert_eq!(turn.sum("received "), VISITS);
    assert_eq!(turn.sum("sent "), VISITS);
    let lines = turn.count("client ");
    assert!(
        lines <= 2 * (500 + 101 * seconds + 1),
        "{lines} lines in {seconds} s"
    );
}

/// Claims to hold as many MiB of an unfinished message as the client's first byte says.
struct Hoarder;

impl Service for Hoarder {
    fn serve(&self, client: &mut Client) -> Result<EndReason, BoxError> {
        let mut reporter = client.reporter();
        let mut mebibytes = [0];
        client.read_exact(&mut mebibytes)?;
        reporter.on_buffered(usize::from(mebibytes[0]) << 20);
        client.write_all(&mebibytes)?;
        client.read_exact(&mut mebibytes)?;
        Ok("a second byte came")
    }
}

#[test]
fn the_largest_unfinished_message_gives_way() {
    let turn = take_turn();
    let server = Running::start(Limits::default(), Hoarder);
    let hold = |mebibytes: u8| {
        let mut socket = server.connect();
        socket.write_all(&[mebibytes]).unwrap();
        socket.read_exact(&mut [0]).unwrap();
        socket
    };
    let small = hold(100);
    let mut large = hold(150);
    let next = hold(50);
    assert_eq!(large.read(&mut [0]).unwrap(), 0);
    // What ended is given back, so there is room again.
    drop((small, next));
    wait_until_empty(&server);
    drop(hold(200));
    server.stop();
    let reason = "its unfinished message was the largest";
    let lines = turn.lines();
    let gave_way: Vec<_> = lines.iter().filter(|line| line.contains(reason)).collect();
    assert_eq!(gave_way.len(), 1, "{lines:?}");
    assert!(gave_way[0].contains("(connection 2)"), "{gave_way:?}");
}

/// Logs a line for each byte, as a warning when the byte is `!`.
struct Talkative;

impl Service for Talkative {
    fn serve(&self, client: &mut Client) -> Result<EndReason, BoxError> {
        let reporter = client.reporter();
        let mut bytes = [0; 1024];
        loop {
            let count = client.read(&mut bytes)?;
            if count == 0 {
                return Ok("the client closed the connection");
            }
            for byte in &bytes[..count] {
                match byte {
                    b'!' => reporter.log(Level::Warn, "shouted", format_args!("shouted once")),
                    _ => reporter.log(Level::Info, "talked", format_args!("talked once")),
                }
            }
        }
    }
}

#[test]
fn lines_of_a_service_have_a_budget_and_each_is_counted() {
    const BYTES: usize = 40_000;
    for level in [LevelFilter::Info, LevelFilter::Warn] {
        let turn = take_turn();
        log::set_max_level(level);
        let server = Running::start(Limits::default(), Talkative);
        let began = Instant::now();
        let mut socket = server.connect();
        socket.write_all(&[b'.'; BYTES]).unwrap();
        socket.write_all(&[b'!'; BYTES]).unwrap();
        // A sum comes although the client does nothing more.
        while turn.sum("shouted: ") + turn.count("shouted once") < BYTES as u64 {
            assert!(began.elapsed() < TIME_LIMIT, "{:?}", turn.lines());
            thread::yield_now();
        }
        let seconds = began.elapsed().as_secs() + 1;
        drop(socket);
        server.stop();
        let lines = turn.count("talked") + turn.count("shouted");
        assert!(lines <= 500 + 102 * seconds, "{lines} in {seconds} s");
        let talked = match level {
            LevelFilter::Info => BYTES as u64,
            _ => 0,
        };
        let logged = turn.sum("talked: ") + turn.count("talked once");
        assert_eq!(logged, talked);
        assert_eq!(
            turn.sum("shouted: ") + turn.count("shouted once"),
            BYTES as u64
        );
    }
}
