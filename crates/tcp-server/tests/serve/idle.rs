//! Clients that say nothing, read nothing, or do either slowly.

use std::io::{ErrorKind, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use proto::Observer;
use tcp_server::{BoxError, Client, EndReason, Limits, Service};

use crate::line_echo::{LineEcho, idle_after};
use crate::running::{Running, TIME_LIMIT};

#[test]
fn a_silent_client_is_disconnected() {
    let server = Running::start(idle_after(150), LineEcho);
    assert_eq!(server.connect().read(&mut [0]).unwrap(), 0);
    server.stop();
}

/// Reads everything and writes nothing, so that writes never restart the idle time.
struct Sink;

impl Service for Sink {
    fn serve(&self, client: &mut Client) -> Result<EndReason, BoxError> {
        let mut reporter = client.reporter();
        let mut portion = [0; 1024];
        loop {
            let count = client.read(&mut portion)?;
            if count == 0 {
                return Ok("the client closed the connection");
            }
            reporter.on_received(count, 0);
        }
    }
}

#[test]
fn bytes_without_a_whole_message_do_not_keep_a_client() {
    let server = Running::start(idle_after(400), Sink);
    let mut socket = server.connect();
    let began = Instant::now();
    // A byte every 50 ms, which a time-out of the socket alone would take for life.
    socket
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    let end = loop {
        if let Err(error) = socket.write_all(b".") {
            break Err(error);
        }
        match socket.read(&mut [0]) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                assert!(began.elapsed() < TIME_LIMIT)
            }
            end => break end,
        }
    };
    assert!(
        began.elapsed() >= Duration::from_millis(390),
        "{end:?} after {:?}",
        began.elapsed()
    );
    server.stop();
}

/// Owes a client more than the buffers of both kernels hold.
pub struct Flood;

impl Service for Flood {
    fn serve(&self, client: &mut Client) -> Result<EndReason, BoxError> {
        let block = vec![7; 1 << 16];
        for _ in 0..512 {
            client.write_all(&block)?;
        }
        Ok("everything was sent")
    }
}

#[test]
fn a_client_that_reads_nothing_is_disconnected() {
    let limits = Limits {
        max_clients: 1,
        ..idle_after(300)
    };
    let server = Running::start(limits, Flood);
    let mut deaf = server.connect();
    // The only place is free again once the server gave up on the first client.
    let mut next = server.connect();
    next.read_exact(&mut [0; 1]).unwrap();
    let mut received = vec![];
    let _reset = deaf.read_to_end(&mut received);
    assert!(received.len() < 512 << 16);
    server.stop();
}

#[test]
fn a_slow_reader_is_kept_while_it_makes_progress() {
    let server = Running::start(idle_after(500), Flood);
    let mut socket = server.connect();
    let mut block = vec![0; 1 << 18];
    let mut received = 0;
    let began = Instant::now();
    loop {
        match socket.read(&mut block).unwrap() {
            0 => break,
            count => received += count,
        }
        // Slower than the idle time in all, faster than it at every step. Time is what is tested.
        if began.elapsed() < Duration::from_millis(1500) {
            thread::park_timeout(Duration::from_millis(50));
        }
    }
    assert_eq!(received, 512 << 16);
    server.stop();
}
