//! Lines between the conversation and the thread that prints them, so that a
//! reader that has stopped holds up printing alone.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many lines may wait.
pub(super) const MAX_LINES: usize = 1_024;

#[derive(Debug, Default)]
pub(super) struct Backlog {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<String>,
    closed: bool,
}

/// The lines that were waiting.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batch {
    /// Lines with their ends, one after the other.
    pub(super) text: String,
    /// Whether there was no room for more.
    pub(super) was_full: bool,
}

impl Backlog {
    /// Adds a line, which must have its end, whether or not there is room.
    pub(super) fn push(&self, line: String) {
        self.lock().lines.push_back(line);
        self.changed.notify_all();
    }

    pub(super) fn has_room(&self) -> bool {
        self.lock().lines.len() < MAX_LINES
    }

    /// Waits for lines and takes all; `None` once it is closed and empty.
    pub(super) fn take(&self) -> Option<Batch> {
        let waits = |state: &mut State| state.lines.is_empty() && !state.closed;
        let state = self.changed.wait_while(self.lock(), waits);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        let was_full = state.lines.len() >= MAX_LINES;
        let lines = std::mem::take(&mut state.lines);
        drop(state);
        (!lines.is_empty()).then(|| Batch {
            text: lines.into_iter().collect(),
            was_full,
        })
    }

    /// No line follows.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No panic can leave the lines in disorder.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_waiting_lines_are_taken_at_once() {
        let backlog = Backlog::default();
        for number in 0..MAX_LINES {
            backlog.push(format!("{number}\n"));
        }
        assert!(!backlog.has_room());
        let batch = backlog.take().unwrap();
        assert_eq!(batch.text.lines().count(), MAX_LINES);
        assert!(batch.was_full && backlog.has_room());
        backlog.push("more\n".into());
        backlog.close();
        let (text, was_full) = ("more\n".to_owned(), false);
        assert_eq!(backlog.take(), Some(Batch { text, was_full }));
        assert_eq!(backlog.take(), None);
    }
}
