//! Measures an echo server: each connection keeps messages in flight, and every byte that comes back is compared with
//! what was sent. This crate has no flags and prints nothing.

mod connection;
mod error;
mod histogram;
mod message_stream;
mod report;

use std::net::TcpStream;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use tls::MaybeTls;

use connection::{Connection, Progress};

pub use error::BenchError;
pub use report::Report;

/// How often progress is reported.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// The protocol of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Each message is a frame.
    Framed,
    /// Messages are bytes without boundaries (RFC 862).
    Raw,
}

/// The load of a measurement.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// The protocol to speak.
    pub wire: Wire,
    /// Bytes of a message without its header, at least 1.
    pub size: usize,
    /// Messages in flight on each connection, at least 1.
    pub window: usize,
    /// How long to send messages. After that the connections wait for the replies that are still outstanding.
    pub duration: Duration,
    /// How long a reply may take.
    pub timeout: Duration,
}

/// Loads the server at the other end of `streams`, all of them at once. Several times a second it calls `on_progress`
/// with the time so far and the number of replies.
///
/// # Errors
///
/// The first fault of any connection: it broke, or a reply is not what was sent.
pub fn bench(
    streams: Vec<MaybeTls<TcpStream>>,
    load: Load,
    mut on_progress: impl FnMut(Duration, u64),
) -> Result<Report, BenchError> {
    let connections = streams.len();
    let progress = Arc::new(Progress::default());
    let start = Arc::new(Barrier::new(connections + 1));
    let (sender, results) = mpsc::channel();
    for stream in streams {
        let (progress, start, sender) = (Arc::clone(&progress), Arc::clone(&start), sender.clone());
        let thread = thread::Builder::new()
            .name("connection".into())
            .spawn(move || {
                start.wait();
                // The receiver is gone if another connection has failed.
                let _ = sender.send(Connection::measure(stream, load, &progress));
            });
        thread.map_err(BenchError::Thread)?;
    }
    drop(sender);

    start.wait();
    let began = Instant::now();
    let mut report = Report::new(load, connections);
    let mut finished = began;
    loop {
        match results.recv_timeout(PROGRESS_EVERY) {
            Ok(measured) => {
                let measured = measured?;
                report.add(&measured.times);
                finished = finished.max(measured.finished);
            }
            Err(RecvTimeoutError::Timeout) => on_progress(began.elapsed(), progress.replies()),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    report.finish(finished - began);
    Ok(report)
}
