//! What the thread that owns the screen waits for: messages to print, keys, changes of the
//! terminal.
//!
//! A terminal that has stopped stops that thread alone. Messages past the limit are then dropped
//! and counted; the thread that reads keys waits for room.

use std::collections::VecDeque;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::format::Message;

/// How many messages may wait.
const MAX_MESSAGES: usize = 1_024;

/// How many bytes of keys may wait.
const MAX_KEY_BYTES: usize = 64 << 10;

#[derive(Debug, Default)]
pub(super) struct Events {
    pending: Mutex<Pending>,
    changed: Condvar,
}

/// All that has happened since the last look.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) messages: VecDeque<Message>,
    /// How many messages were dropped after these.
    pub(super) dropped: usize,
    pub(super) keys: Vec<u8>,
    /// Why no more keys come.
    pub(super) keys_ended: Option<io::Result<()>>,
    /// The terminal may have another size.
    pub(super) resized: bool,
    /// The process was stopped and goes on.
    pub(super) resumed: bool,
    /// A question to be answered with yes or no.
    pub(super) question: Option<String>,
    /// The prompt from now on; `None` in it for the usual one.
    pub(super) prompt: Option<Option<String>>,
    /// The screen is to be cleared.
    pub(super) cleared: bool,
    /// The conversation is over: print what there is and end.
    pub(super) closed: bool,
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.messages.is_empty()
            && self.keys.is_empty()
            && self.keys_ended.is_none()
            && self.question.is_none()
            && self.prompt.is_none()
            && !(self.resized || self.resumed || self.cleared || self.closed)
    }
}

impl Events {
    /// Adds a message, or counts it as dropped.
    pub(super) fn offer(&self, message: Message) {
        self.change(|pending| {
            if pending.messages.len() < MAX_MESSAGES && pending.dropped == 0 {
                pending.messages.push_back(message);
            } else {
                pending.dropped += 1;
            }
        });
    }

    /// Adds keys, once there is room for more.
    pub(super) fn push_keys(&self, bytes: &[u8]) {
        let is_full = |pending: &mut Pending| pending.keys.len() >= MAX_KEY_BYTES;
        let pending = self.changed.wait_while(self.lock(), is_full);
        let mut pending = pending.unwrap_or_else(PoisonError::into_inner);
        pending.keys.extend_from_slice(bytes);
        drop(pending);
        self.changed.notify_all();
    }

    pub(super) fn end_keys(&self, end: io::Result<()>) {
        self.change(|pending| pending.keys_ended = Some(end));
    }

    pub(super) fn resize(&self) {
        self.change(|pending| pending.resized = true);
    }

    pub(super) fn resume(&self) {
        self.change(|pending| pending.resumed = true);
    }

    /// Asks a question, after the messages so far.
    pub(super) fn ask(&self, prompt: &str) {
        self.change(|pending| pending.question = Some(prompt.to_owned()));
    }

    /// Puts another prompt before the line, or the usual one again.
    pub(super) fn set_prompt(&self, prompt: Option<String>) {
        self.change(|pending| pending.prompt = Some(prompt));
    }

    pub(super) fn clear(&self) {
        self.change(|pending| pending.cleared = true);
    }

    pub(super) fn close(&self) {
        self.change(|pending| pending.closed = true);
    }

    /// Waits for something, and takes all there is; nothing if the time is over.
    pub(super) fn take(&self, limit: Option<Duration>) -> Pending {
        let is_empty = |pending: &mut Pending| pending.is_empty();
        let pending = self.lock();
        let mut pending = match limit {
            None => self
                .changed
                .wait_while(pending, is_empty)
                .unwrap_or_else(PoisonError::into_inner),
            Some(limit) => {
                let waited = self.changed.wait_timeout_while(pending, limit, is_empty);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        let taken = std::mem::take(&mut *pending);
        pending.closed = taken.closed;
        drop(pending);
        self.changed.notify_all();
        taken
    }

    /// Waits until the process goes on after a stop, at most for `limit`.
    pub(super) fn await_resumption(&self, limit: Duration) {
        let is_stopped = |pending: &mut Pending| !pending.resumed && !pending.closed;
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), limit, is_stopped);
        waited.unwrap_or_else(PoisonError::into_inner).0.resumed = false;
    }

    fn change(&self, change: impl FnOnce(&mut Pending)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        // Each change is complete in one step.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_counted_and_the_end_stays() {
        let events = Events::default();
        for number in 0..MAX_MESSAGES + 3 {
            events.offer(Message::plain("", &number.to_string()));
        }
        let pending = events.take(None);
        assert_eq!((pending.messages.len(), pending.dropped), (MAX_MESSAGES, 3));
        assert!(events.take(Some(Duration::ZERO)).is_empty());
        events.close();
        assert!(events.take(None).closed && events.take(None).closed);
    }

    #[test]
    fn who_pastes_faster_than_the_screen_draws_waits() {
        let events = std::sync::Arc::new(Events::default());
        events.push_keys(&[b'x'; MAX_KEY_BYTES]);
        let pasting = std::thread::spawn({
            let events = std::sync::Arc::clone(&events);
            move || events.push_keys(b"y")
        });
        assert_eq!(events.take(None).keys.len(), MAX_KEY_BYTES);
        assert_eq!(events.take(None).keys, b"y");
        pasting.join().unwrap();
    }
}
