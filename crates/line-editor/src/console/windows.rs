//! Windows.

use std::io;
use std::thread;
use std::time::Duration;

use winapi_util::HandleRef;
use winapi_util::console::{mode, screen_buffer_info, set_mode};

use super::TerminalEvent;

/// How often the width is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

const ENABLE_PROCESSED_INPUT: u32 = 0x1;
const ENABLE_LINE_INPUT: u32 = 0x2;
const ENABLE_ECHO_INPUT: u32 = 0x4;
const ENABLE_VIRTUAL_TERMINAL_INPUT: u32 = 0x200;
const ENABLE_PROCESSED_OUTPUT: u32 = 0x1;
const ENABLE_VIRTUAL_TERMINAL_PROCESSING: u32 = 0x4;

/// The modes of the console's input and, if stdout is a console, of its output.
#[derive(Clone, Debug)]
pub struct TerminalMode {
    input: u32,
    output: Option<u32>,
}

impl TerminalMode {
    /// The mode of the console on stdin.
    ///
    /// # Errors
    ///
    /// When stdin is not a console.
    pub fn of_stdin() -> io::Result<Self> {
        Ok(Self {
            input: mode(HandleRef::stdin())?,
            output: mode(HandleRef::stdout()).ok(),
        })
    }

    /// Gives the console this mode.
    ///
    /// # Errors
    ///
    /// When the console is gone, or does not know the mode.
    pub fn apply(&self) -> io::Result<()> {
        if let Some(output) = self.output {
            set_mode(HandleRef::stdout(), output)?;
        }
        set_mode(HandleRef::stdin(), self.input)
    }

    /// Whether the console shows what is typed.
    pub fn echoes(&self) -> bool {
        self.input & ENABLE_ECHO_INPUT != 0
    }

    /// The same mode without echo.
    pub fn without_echo(&self) -> Self {
        Self {
            input: self.input & !ENABLE_ECHO_INPUT,
            output: self.output,
        }
    }

    /// Keys come one by one, without echo, as the escape sequences that Unix terminals send. Ctrl-C still ends the
    /// program.
    pub fn keys(&self) -> Self {
        let lines = ENABLE_LINE_INPUT | ENABLE_ECHO_INPUT;
        let sequences = ENABLE_PROCESSED_OUTPUT | ENABLE_VIRTUAL_TERMINAL_PROCESSING;
        Self {
            input: self.input & !lines | ENABLE_VIRTUAL_TERMINAL_INPUT,
            output: self.output.map(|output| output | sequences),
        }
    }

    /// Keys come one by one, without echo and without effect.
    pub fn raw(&self) -> Self {
        let keys = self.keys();
        Self {
            input: keys.input & !ENABLE_PROCESSED_INPUT,
            output: keys.output,
        }
    }
}

pub(super) fn columns() -> Option<usize> {
    let info = screen_buffer_info(HandleRef::stdout()).ok()?;
    usize::try_from(info.size().0).ok()
}

/// There are no background jobs.
pub fn is_in_foreground() -> bool {
    true
}

/// There are no jobs to stop.
///
/// # Errors
///
/// Always.
pub fn suspend() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// False: a console gives the bytes of a key together, so nothing follows an incomplete one. Without a limit it is
/// true: reads from a console wait by themselves.
pub(crate) fn wait_for_input(limit: Option<Duration>) -> io::Result<bool> {
    Ok(limit.is_none())
}

/// There is no signal for a change of size, so a thread looks at the width.
pub(super) fn watch(_: bool, react: impl Fn(TerminalEvent) + Send + 'static) -> io::Result<()> {
    let thread = thread::Builder::new().name("terminal".into());
    thread.spawn(move || {
        let mut last = columns();
        loop {
            thread::sleep(LOOK_INTERVAL);
            let now = columns();
            if std::mem::replace(&mut last, now) != now {
                react(TerminalEvent::Resized);
            }
        }
    })?;
    Ok(())
}
