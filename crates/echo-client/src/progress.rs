//! What the server owes, what each side has come to, and what follows from it.

use std::fmt;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use proto::RecvError;

use crate::Wire;
use crate::digest::Digest;
use crate::error::Error;

/// How long the server may take to close the connection when nothing is owed any more. After that
/// it need not: all was said.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// How long a reply waits at most until its message is told. That takes microseconds, unless the
/// machine is busy, or the server keeps what is sent from leaving.
const OVERTAKING: Duration = Duration::from_secs(1);

/// The book that sender and receiver share.
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
    owed: u64,
    /// The message, counted from 1, whose line has no end in the input.
    unended: Option<u64>,
    totals: Totals,
    /// Of what is to come back, once all of it was sent, and of what came back.
    expected: Option<Digest>,
    came: Digest,
    /// When something last moved.
    last_progress: Instant,
    /// What came is on its way to the output.
    printing: bool,
    /// Something is being sent, and nobody has told so yet.
    sending_now: bool,
    /// What is being sent is all that is owed, so that a reply can only be the reply to it.
    owed_alone: bool,
    sending: Side<Error>,
    receiving: Side<RecvError>,
    /// The output cannot be written, which ends it whatever else there is.
    stopped: Option<Error>,
}

/// One direction of the conversation.
#[derive(Debug)]
enum Side<E> {
    Open,
    /// At its end: the input was, or the server closed the connection.
    Ended,
    Failed(E),
}

/// What passed, for the last service message.
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
    /// How sending ended, when nothing more is owed.
    fn take_sending(&mut self) -> Result<(), Error> {
        match std::mem::replace(&mut self.sending, Side::Ended) {
            Side::Failed(error) => Err(error),
            Side::Open | Side::Ended => Ok(()),
        }
    }
}

/// What a look at the book says.
enum Finding {
    Over(Result<(), Error>),
    OpenUntil(Instant),
}

impl Progress {
    pub(crate) fn new(wire: Wire, timeout: Duration) -> Self {
        let state = State {
            owed: 0,
            unended: None,
            totals: Totals::default(),
            expected: None,
            came: Digest::default(),
            last_progress: Instant::now(),
            printing: false,
            sending_now: false,
            owed_alone: false,
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

    /// Something is about to be sent, for which this much will be owed.
    pub(crate) fn expect(&self, amount: u64) {
        let mut state = self.lock();
        state.sending_now = true;
        state.owed_alone = state.owed == 0;
        state.owed += amount;
        state.last_progress = Instant::now();
    }

    /// This many bytes have gone, and that was told; or none, if they could not go.
    pub(crate) fn sent(&self, bytes: usize) {
        let mut state = self.lock();
        state.totals.bytes_sent += bytes as u64;
        state.last_progress = Instant::now();
        state.sending_now = false;
        self.changed.notify_all();
    }

    /// This many bytes came and are about to be told and printed. However long printing takes is
    /// nobody's fault but the reader's of the output, so the time-out does not run.
    ///
    /// The answer to a message may be faster than the word that it was sent. So that a person reads
    /// of the two in order, this waits a moment for that word; in a stream it never does.
    pub(crate) fn received(&self, bytes: usize, is_printed: bool) {
        let untold = |state: &mut State| state.sending_now && state.owed_alone;
        let told = self
            .changed
            .wait_timeout_while(self.lock(), OVERTAKING, untold);
        let mut state = told.unwrap_or_else(PoisonError::into_inner).0;
        state.totals.bytes_received += bytes as u64;
        state.last_progress = Instant::now();
        state.printing |= is_printed;
    }

    /// What came is printed, and this much of what was owed with it; `digest` is that of all that
    /// came so far. What the server says unasked pays for nothing. Tells what is still owed.
    pub(crate) fn complete(&self, amount: u64, digest: Digest) -> u64 {
        let mut state = self.lock();
        state.came = digest;
        state.owed = state.owed.saturating_sub(amount);
        state.last_progress = Instant::now();
        state.printing = false;
        if state.owed == 0 {
            self.changed.notify_all();
        }
        state.owed
    }

    /// The message of this number is the last line of the input, and that line has no end.
    pub(crate) fn note_unended(&self, message: u64) {
        self.lock().unended = Some(message);
    }

    pub(crate) fn unended(&self) -> Option<u64> {
        self.lock().unended
    }

    /// Nothing more will be sent: the input is at its end, or failed. `digest` is that of all that is to come back.
    pub(crate) fn end_sending(&self, end: Result<(), Error>, digest: Digest) {
        let mut state = self.lock();
        state.expected = Some(digest);
        state.sending = end.map_or_else(Side::Failed, |()| Side::Ended);
        state.last_progress = Instant::now();
        self.changed.notify_all();
    }

    /// Nothing more will come.
    pub(crate) fn end_receiving(&self, end: Result<(), RecvError>) {
        self.lock().receiving = end.map_or_else(Side::Failed, |()| Side::Ended);
        self.changed.notify_all();
    }

    pub(crate) fn stop(&self, error: Error) {
        self.lock().stopped.get_or_insert(error);
        self.changed.notify_all();
    }

    /// What passed so far.
    pub(crate) fn totals(&self) -> Totals {
        self.lock().totals
    }

    /// Whether what came back is what was sent, all of it.
    pub(crate) fn is_echo(&self) -> bool {
        let state = self.lock();
        state.expected == Some(state.came)
    }

    /// Waits until it is over.
    ///
    /// # Errors
    ///
    /// Whatever kept the conversation from its end.
    pub(crate) fn wait(&self) -> Result<(), Error> {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            state = match self.look(&mut state, now) {
                Finding::Over(end) => return end,
                Finding::OpenUntil(deadline) => {
                    let time = deadline.saturating_duration_since(now);
                    let waited = self.changed.wait_timeout(state, time);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn look(&self, state: &mut State, now: Instant) -> Finding {
        if let Some(error) = state.stopped.take() {
            return Finding::Over(Err(error));
        }
        let told = state.last_progress + OVERTAKING;
        if state.sending_now && now < told {
            return Finding::OpenUntil(told);
        }
        let owed = (state.owed > 0).then(|| self.wire.amount(state.owed));
        match std::mem::replace(&mut state.receiving, Side::Open) {
            Side::Open => {}
            Side::Ended => return Finding::Over(self.server_gone(state, owed, None)),
            Side::Failed(RecvError::Io(cause)) => {
                return Finding::Over(self.server_gone(state, owed, Some(cause)));
            }
            // What was cut off is the server's end too, unless nobody asked for it.
            Side::Failed(
                cause @ (RecvError::CutOffHeader { .. } | RecvError::CutOffPayload { .. }),
            ) if owed.is_some() => {
                let cause = io::Error::new(io::ErrorKind::UnexpectedEof, cause);
                return Finding::Over(self.server_gone(state, owed, Some(cause)));
            }
            Side::Failed(cause) => return Finding::Over(Err(Error::InvalidReply { cause })),
        }
        if state.printing {
            return self.look_again(now);
        }
        let wait = match (&state.sending, &owed) {
            (_, Some(_)) => self.timeout,
            // Nothing is owed while somebody thinks of what to say next.
            (Side::Open, None) => return self.look_again(now),
            (Side::Ended | Side::Failed(_), None) => CLOSE_GRACE,
        };
        let deadline = state.last_progress + wait;
        if now < deadline {
            return Finding::OpenUntil(deadline);
        }
        Finding::Over(match owed {
            Some(owed) => Err(Error::TimedOut {
                owed,
                seconds: self.timeout.as_secs_f64(),
            }),
            None => state.take_sending(),
        })
    }

    /// The server is gone; whether that is as it should be.
    fn server_gone(
        &self,
        state: &mut State,
        owed: Option<String>,
        cause: Option<io::Error>,
    ) -> Result<(), Error> {
        match (&state.sending, owed) {
            (Side::Ended | Side::Failed(_), None) => state.take_sending(),
            (_, owed) => Err(Error::ServerGone {
                owed,
                may_speak_frames: self.wire == Wire::Raw
                    && cause.is_none()
                    && state.totals.bytes_received == 0,
                cause,
            }),
        }
    }

    /// Nothing can time out now. What begins meanwhile is noticed at the next look, which is soon
    /// enough: it cannot time out before that.
    fn look_again(&self, now: Instant) -> Finding {
        Finding::OpenUntil(now + self.timeout)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
