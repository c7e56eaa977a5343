//! Whether a line is being edited: between the thread that edits, the one that prints, and the
//! one that ends it all.
//!
//! A message may go to the editor while it edits, and to the terminal when nobody edits any more.
//! In between, while a line is taken and the next prompt is not there yet, it has to wait, or it
//! would land in the middle of the line.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// There is no line until it opens.
    Closed,
    /// It opens once what is being printed is.
    Opening,
    /// Between two lines.
    Between,
    /// The editor is about to take the terminal over, or does so.
    Entering,
    /// It has, and shows the line.
    Editing,
    /// It never will again.
    Over,
}

#[derive(Debug)]
pub(super) struct Stage {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    act: Act,
    /// How often the line was painted.
    painted: u64,
}

/// How a message is to be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By the editor, above its line, which was painted so often.
    Above { painted: u64 },
    /// By nobody else; then [`Stage::printed`] is to be told.
    Directly,
}

impl Stage {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                act: Act::Closed,
                painted: 0,
            }),
            changed: Condvar::new(),
        }
    }

    /// Lets the editor begin once something more is printed.
    pub(super) fn open(&self) {
        let mut state = self.lock();
        if state.act == Act::Closed {
            state.act = Act::Opening;
        }
    }

    /// Something was printed directly, and nothing else is for now.
    pub(super) fn printed(&self) {
        let mut state = self.lock();
        if state.act == Act::Opening {
            state.act = Act::Between;
        }
        drop(state);
        self.changed.notify_all();
    }

    /// The editor begins with a line as soon as it may; never again when it is over.
    pub(super) fn enter(&self) -> bool {
        let closed = |state: &mut State| matches!(state.act, Act::Closed | Act::Opening);
        let state = self.changed.wait_while(self.lock(), closed);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        let may = state.act != Act::Over;
        if may {
            state.act = Act::Entering;
        }
        may
    }

    /// The editor has painted its line.
    pub(super) fn painted(&self) {
        let mut state = self.lock();
        state.painted += 1;
        if state.act == Act::Entering {
            state.act = Act::Editing;
        }
        drop(state);
        self.changed.notify_all();
    }

    /// The line is taken.
    pub(super) fn leave(&self) {
        let mut state = self.lock();
        if state.act != Act::Over {
            state.act = Act::Between;
        }
        drop(state);
        self.changed.notify_all();
    }

    /// The editor has given the terminal back for good.
    pub(super) fn end(&self) {
        self.lock().act = Act::Over;
        self.changed.notify_all();
    }

    /// Keeps the editor from beginning another line, after waiting so long at most for one it is
    /// beginning with: the terminal can be taken from it, and it will not take it back.
    /// Tells whether it had a line.
    pub(super) fn take_over(&self, patience: Duration) -> bool {
        let entering = |state: &mut State| state.act == Act::Entering;
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), patience, entering);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        let act = std::mem::replace(&mut state.act, Act::Over);
        drop(state);
        self.changed.notify_all();
        matches!(act, Act::Entering | Act::Editing)
    }

    /// Waits until something can be printed.
    pub(super) fn await_way(&self) -> Way {
        let neither = |state: &mut State| matches!(state.act, Act::Between | Act::Entering);
        let state = self.changed.wait_while(self.lock(), neither);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        match state.act {
            Act::Editing => Way::Above {
                painted: state.painted,
            },
            _ => Way::Directly,
        }
    }

    /// Waits until the line was painted more often, hence with the message above it; or until
    /// it is taken.
    pub(super) fn await_paint(&self, painted: u64, patience: Duration) {
        let same = |state: &mut State| state.painted == painted && state.act == Act::Editing;
        // Which of the three it was makes no difference.
        let _ = self.changed.wait_timeout_while(self.lock(), patience, same);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No panic can leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    fn opened() -> Stage {
        let stage = Stage::new();
        stage.open();
        stage.printed();
        stage
    }

    #[test]
    fn no_line_begins_before_it_opens_and_nothing_is_being_printed() {
        let stage = Arc::new(Stage::new());
        let (tell, told) = mpsc::channel();
        let editor = thread::spawn({
            let stage = Arc::clone(&stage);
            move || tell.send(stage.enter()).unwrap()
        });
        assert_eq!(stage.await_way(), Way::Directly);
        stage.printed();
        stage.open();
        assert_eq!(stage.await_way(), Way::Directly);
        assert!(told.recv_timeout(Duration::from_millis(20)).is_err());
        stage.printed();
        assert_eq!(told.recv(), Ok(true));
        editor.join().unwrap();
    }

    #[test]
    fn who_takes_over_before_it_opens_has_it() {
        let stage = Arc::new(Stage::new());
        assert!(
            !stage.take_over(Duration::from_secs(20)),
            "no line is there"
        );
        stage.open();
        assert!(!stage.enter());
    }

    #[test]
    fn a_message_waits_until_the_next_line_is_there() {
        let stage = Arc::new(opened());
        assert!(stage.enter());
        let (tell, told) = mpsc::channel();
        let printer = thread::spawn({
            let stage = Arc::clone(&stage);
            move || tell.send(stage.await_way()).unwrap()
        });
        assert!(told.recv_timeout(Duration::from_millis(20)).is_err());
        stage.painted();
        assert_eq!(told.recv().unwrap(), Way::Above { painted: 1 });
        printer.join().unwrap();
        stage.leave();
        stage.end();
        assert_eq!(stage.await_way(), Way::Directly);
        assert!(!stage.enter());
    }

    #[test]
    fn who_takes_over_waits_for_the_editor_to_have_the_terminal() {
        let stage = Arc::new(opened());
        assert!(stage.enter());
        let ender = thread::spawn({
            let stage = Arc::clone(&stage);
            move || stage.take_over(Duration::from_secs(20))
        });
        stage.painted();
        assert!(ender.join().unwrap());
        stage.leave();
        assert!(!stage.enter(), "not after it was taken over");
    }
}
