//! Counts what is outstanding, tracks how each direction ended, and decides when the dialogue is over.

use std::fmt;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use proto::RecvError;

use crate::Wire;
use crate::digest::Digest;
use crate::error::Error;
use crate::sent_bytes::SentBytes;

/// How long to wait for the server to close the connection once nothing is outstanding. After that the client closes
/// it, which is no error.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// The longest wait of a reply's log line for the line of its message. It takes microseconds, unless the machine is
/// busy or the server reads slowly.
const LOG_LINE_TIMEOUT: Duration = Duration::from_secs(1);

/// The state that sender and receiver share.
#[derive(Debug)]
pub(crate) struct Progress {
    wire: Wire,
    timeout: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// Messages or bytes that were sent and have not come back.
    outstanding: u64,
    sent_bytes: SentBytes,
    /// The number, from 1, of the message whose line has no end in the input.
    unterminated: Option<u64>,
    totals: Totals,
    /// The digests of everything that must come back, known once all of it is sent, and of what came back.
    expected: Option<Digest>,
    received_digest: Digest,
    /// When something last moved.
    last_progress: Instant,
    /// Received messages or bytes are being printed.
    printing: bool,
    /// A write is under way and not logged yet.
    sending_now: bool,
    /// The write under way is all that is outstanding, so any reply answers it.
    only_outstanding: bool,
    sending: Side<Error>,
    receiving: Side<RecvError>,
    /// The output cannot be written. This ends the dialogue whatever the other fields say.
    stopped: Option<Error>,
}

/// One direction of the dialogue.
#[derive(Debug)]
enum Side<E> {
    Open,
    /// The input is at its end, or the server closed the connection.
    Ended,
    Failed(E),
}

/// The bytes of a dialogue, for the last service message.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Bytes sent, headers included.
    pub bytes_sent: u64,
    /// Bytes received, headers included.
    pub bytes_received: u64,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "sent {} bytes, received {} bytes",
            self.bytes_sent, self.bytes_received
        )
    }
}

impl State {
    /// Returns how sending ended, once nothing is outstanding.
    fn take_sending(&mut self) -> Result<(), Error> {
        match std::mem::replace(&mut self.sending, Side::Ended) {
            Side::Failed(error) => Err(error),
            Side::Open | Side::Ended => Ok(()),
        }
    }
}

/// What a check found: whether the dialogue is over.
enum Status {
    Over(Result<(), Error>),
    OpenUntil(Instant),
}

impl Progress {
    pub(crate) fn new(wire: Wire, timeout: Duration) -> Self {
        let state = State {
            outstanding: 0,
            sent_bytes: SentBytes::default(),
            unterminated: None,
            totals: Totals::default(),
            expected: None,
            received_digest: Digest::default(),
            last_progress: Instant::now(),
            printing: false,
            sending_now: false,
            only_outstanding: false,
            sending: Side::Open,
            receiving: Side::Open,
            stopped: None,
        };
        Self {
            wire,
            timeout,
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// Call this before a write. `amount` is how much must come back for it: these `bytes`.
    pub(crate) fn expect(&self, amount: u64, bytes: &[u8]) {
        let mut state = self.lock();
        state.sending_now = true;
        state.only_outstanding = state.outstanding == 0;
        state.outstanding += amount;
        state.sent_bytes.push(bytes);
        state.last_progress = Instant::now();
    }

    /// Call this after a write is logged; with 0 if it failed.
    pub(crate) fn sent(&self, bytes: usize) {
        let mut state = self.lock();
        state.totals.bytes_sent += bytes as u64;
        state.last_progress = Instant::now();
        state.sending_now = false;
        self.changed.notify_all();
    }

    /// Call this after a read, before it is logged and printed. The time-out does not run while replies are printed:
    /// a slow reader of the output is not the server's fault.
    ///
    /// A reply may arrive before the log line of its message is written. If nothing else is outstanding, this waits for
    /// that line, so that a person reads both in order. While messages stream it does not wait.
    pub(crate) fn received(&self, bytes: usize, is_printed: bool) {
        let is_waiting = |state: &mut State| state.sending_now && state.only_outstanding;
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), LOG_LINE_TIMEOUT, is_waiting);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.totals.bytes_received += bytes as u64;
        state.last_progress = Instant::now();
        state.printing |= is_printed;
    }

    /// Call this after `amount` messages or bytes are printed, which came as these `bytes`. `digest` is that of
    /// everything received so far. Unasked messages do not count. Returns how much is still outstanding.
    pub(crate) fn complete(&self, amount: u64, bytes: &[u8], digest: Digest) -> u64 {
        let mut state = self.lock();
        state.sent_bytes.compare(bytes);
        state.received_digest = digest;
        state.outstanding = state.outstanding.saturating_sub(amount);
        state.last_progress = Instant::now();
        state.printing = false;
        if state.outstanding == 0 {
            self.changed.notify_all();
        }
        state.outstanding
    }

    /// Notes that the last line of the input, which is message number `message`, has no line end.
    pub(crate) fn note_unterminated(&self, message: u64) {
        self.lock().unterminated = Some(message);
    }

    pub(crate) fn unterminated(&self) -> Option<u64> {
        self.lock().unterminated
    }

    /// Ends sending: the input is at its end, or failed. `digest` is that of everything that must come back.
    pub(crate) fn end_sending(&self, end: Result<(), Error>, digest: Digest) {
        let mut state = self.lock();
        state.expected = Some(digest);
        state.sending = end.map_or_else(Side::Failed, |()| Side::Ended);
        state.last_progress = Instant::now();
        self.changed.notify_all();
    }

    /// Ends receiving.
    pub(crate) fn end_receiving(&self, end: Result<(), RecvError>) {
        self.lock().receiving = end.map_or_else(Side::Failed, |()| Side::Ended);
        self.changed.notify_all();
    }

    pub(crate) fn stop(&self, error: Error) {
        self.lock().stopped.get_or_insert(error);
        self.changed.notify_all();
    }

    /// The bytes sent and received so far.
    pub(crate) fn totals(&self) -> Totals {
        self.lock().totals
    }

    /// Waits until the dialogue is over.
    ///
    /// # Errors
    ///
    /// Why the dialogue failed.
    pub(crate) fn wait(&self) -> Result<(), Error> {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            state = match self.check(&mut state, now) {
                Status::Over(end) => return end,
                Status::OpenUntil(deadline) => {
                    let time = deadline.saturating_duration_since(now);
                    let waited = self.changed.wait_timeout(state, time);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// A reply that is not what was sent explains how the dialogue ended better than a broken connection.
    fn check(&self, state: &mut State, now: Instant) -> Status {
        let is_stopped = state.stopped.is_some();
        let status = self.check_sides(state, now);
        let is_wrong = match &status {
            Status::OpenUntil(_) => false,
            Status::Over(Ok(())) => state.expected != Some(state.received_digest),
            Status::Over(Err(_)) => state.sent_bytes.differ() && !is_stopped,
        };
        match is_wrong {
            true => Status::Over(Err(Error::WrongReply)),
            false => status,
        }
    }

    fn check_sides(&self, state: &mut State, now: Instant) -> Status {
        if let Some(error) = state.stopped.take() {
            return Status::Over(Err(error));
        }
        let log_deadline = state.last_progress + LOG_LINE_TIMEOUT;
        if state.sending_now && now < log_deadline {
            return Status::OpenUntil(log_deadline);
        }
        let outstanding = (state.outstanding > 0).then(|| self.wire.amount(state.outstanding));
        match std::mem::replace(&mut state.receiving, Side::Open) {
            Side::Open => {}
            Side::Ended => return Status::Over(self.server_gone(state, outstanding, None)),
            Side::Failed(RecvError::Io(cause)) => {
                return Status::Over(self.server_gone(state, outstanding, Some(cause)));
            }
            // A reply that is cut off means that the server is gone; an unasked one that is cut off is invalid.
            Side::Failed(
                cause @ (RecvError::CutOffHeader { .. } | RecvError::CutOffPayload { .. }),
            ) if outstanding.is_some() => {
                let cause = io::Error::new(io::ErrorKind::UnexpectedEof, cause);
                return Status::Over(self.server_gone(state, outstanding, Some(cause)));
            }
            Side::Failed(cause) => return Status::Over(Err(Error::InvalidReply { cause })),
        }
        if state.printing {
            return self.check_later(now);
        }
        let wait = match (&state.sending, &outstanding) {
            (_, Some(_)) => self.timeout,
            // The time-out does not run while the input has no next line.
            (Side::Open, None) => return self.check_later(now),
            (Side::Ended | Side::Failed(_), None) => CLOSE_GRACE,
        };
        let deadline = state.last_progress + wait;
        if now < deadline {
            return Status::OpenUntil(deadline);
        }
        Status::Over(match outstanding {
            Some(outstanding) => Err(Error::TimedOut {
                outstanding,
                seconds: self.timeout.as_secs_f64(),
            }),
            None => state.take_sending(),
        })
    }

    /// The result when the server is gone: success if sending ended and nothing is outstanding.
    fn server_gone(
        &self,
        state: &mut State,
        outstanding: Option<String>,
        cause: Option<io::Error>,
    ) -> Result<(), Error> {
        match (&state.sending, outstanding) {
            (Side::Ended | Side::Failed(_), None) => state.take_sending(),
            (_, outstanding) => Err(Error::ServerGone {
                outstanding,
                may_speak_frames: self.wire == Wire::Raw
                    && cause.is_none()
                    && state.totals.bytes_received == 0,
                cause,
            }),
        }
    }

    /// Nothing can time out now. A write that begins after this cannot time out before the next check.
    fn check_later(&self, now: Instant) -> Status {
        Status::OpenUntil(now + self.timeout)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
