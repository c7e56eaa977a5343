//! A two-way pipe in memory, with time limits, short reads and counters.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Bytes in one direction. `None` stands for the end.
#[derive(Debug, Default)]
struct Direction {
    state: Mutex<(VecDeque<u8>, bool)>,
    changed: Condvar,
}

/// One end of a pipe. Dropped, it ends both directions.
#[derive(Debug)]
pub(super) struct Pipe {
    incoming: Arc<Direction>,
    outgoing: Arc<Direction>,
    portion: usize,
    timeout: Option<Duration>,
    pub(super) reads: usize,
    pub(super) writes: usize,
}

/// Two ends. No read gives more than `portion` bytes.
pub(super) fn pipe(portion: usize) -> (Pipe, Pipe) {
    let (one, other) = (Arc::default(), Arc::default());
    let end = |incoming: &Arc<Direction>, outgoing: &Arc<Direction>| Pipe {
        incoming: Arc::clone(incoming),
        outgoing: Arc::clone(outgoing),
        portion,
        timeout: None,
        reads: 0,
        writes: 0,
    };
    (end(&one, &other), end(&other, &one))
}

impl Pipe {
    pub(super) fn set_read_timeout(&mut self, timeout: Option<Duration>) {
        self.timeout = timeout;
    }

    /// Changes the bytes that the other end has sent and that were not read yet.
    pub(super) fn tamper(&mut self, change: impl FnOnce(&mut VecDeque<u8>)) {
        change(&mut self.incoming.state.lock().unwrap().0);
    }
}

impl Read for Pipe {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        let deadline = self.timeout.map(|timeout| Instant::now() + timeout);
        let mut state = self.incoming.state.lock().unwrap();
        while state.0.is_empty() && !state.1 {
            state =
                match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                    None => self.incoming.changed.wait(state).unwrap(),
                    Some(Duration::ZERO) => return Err(ErrorKind::WouldBlock.into()),
                    Some(rest) => self.incoming.changed.wait_timeout(state, rest).unwrap().0,
                };
        }
        let count = room.len().min(self.portion).min(state.0.len());
        room[..count]
            .iter_mut()
            .for_each(|byte| *byte = state.0.pop_front().unwrap());
        Ok(count)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writes += 1;
        let mut state = self.outgoing.state.lock().unwrap();
        if state.1 {
            return Err(ErrorKind::BrokenPipe.into());
        }
        state.0.extend(bytes);
        self.outgoing.changed.notify_all();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        for direction in [&self.incoming, &self.outgoing] {
            direction.state.lock().unwrap().1 = true;
            direction.changed.notify_all();
        }
    }
}
