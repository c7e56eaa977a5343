//! Measuring an echo server: connections that keep messages in flight, and what came of it.
//! Every byte that comes back is compared with what was sent.

mod error;
mod histogram;
mod lane;
mod report;
mod traffic;

use std::net::TcpStream;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use crate::Wire;
use lane::{Lane, Progress};

pub use error::BenchError;
pub use report::Report;

/// How often progress is told.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// What is done, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// What the server speaks.
    pub wire: Wire,
    /// Bytes of a message without its header, at least 1.
    pub size: usize,
    /// Messages in flight on each connection, at least 1.
    pub window: usize,
    /// How long messages are sent; replies to them are waited for after that.
    pub duration: Duration,
    /// How long a reply may take.
    pub timeout: Duration,
}

/// Loads the server at the other end of `sockets`, all of them at once. `told` hears several times
/// a second how long it has gone on and how many replies came.
///
/// # Errors
///
/// The first fault of any connection: it broke, or a reply is not what was sent.
pub fn bench(
    sockets: Vec<TcpStream>,
    load: Load,
    mut told: impl FnMut(Duration, u64),
) -> Result<Report, BenchError> {
    let connections = sockets.len();
    let progress = Arc::new(Progress::default());
    let start = Arc::new(Barrier::new(connections + 1));
    let (sender, results) = mpsc::channel();
    for socket in sockets {
        let (progress, start, sender) = (Arc::clone(&progress), Arc::clone(&start), sender.clone());
        let thread = thread::Builder::new()
            .name("connection".into())
            .spawn(move || {
                start.wait();
                // Nobody listens any more when another connection has failed.
                let _ = sender.send(Lane::open(socket, load, &progress).and_then(Lane::run));
            });
        thread.map_err(BenchError::Thread)?;
    }
    drop(sender);

    start.wait();
    let began = Instant::now();
    let mut report = Report::new(load, connections);
    loop {
        match results.recv_timeout(PROGRESS_EVERY) {
            Ok(lane) => report.add(&lane?),
            Err(RecvTimeoutError::Timeout) => told(began.elapsed(), progress.replies()),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    report.finish(began.elapsed());
    Ok(report)
}
