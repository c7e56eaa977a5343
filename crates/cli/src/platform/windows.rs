//! Windows.

use std::fs::{File, OpenOptions};
use std::io;
use std::process;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use socket2::Socket;
use winapi_util::HandleRef;
use winapi_util::console::{mode, set_mode};
use winapi_util::file::{Information, information};

use super::{QuestionSignal, Signal};

/// WSAEMFILE: too many open sockets.
const WSAEMFILE: i32 = 10024;

/// "Too many open sockets" in this process; std has no kind for it.
pub(crate) fn is_out_of_descriptors(error: &io::Error) -> bool {
    error.raw_os_error() == Some(WSAEMFILE)
}

/// Windows has no such limit.
pub(crate) fn raise_descriptor_limit() -> io::Result<u64> {
    Ok(u64::MAX)
}

/// Does nothing: a restarted server gets its port in any case, and SO_REUSEADDR would let two servers share one.
pub(crate) fn allow_restart(_: &Socket) -> io::Result<()> {
    Ok(())
}

/// There are no background jobs.
pub(crate) fn is_in_foreground() -> bool {
    true
}

/// The status of a program that Ctrl-C ends, as on Unix.
const INTERRUPTED: i32 = 130;

/// Calls `react` in a thread of its own at the first Ctrl-C, Ctrl-Break or closing of the console. A second one ends
/// the process at once.
pub(crate) fn watch_signals(mut react: impl FnMut(Signal) + Send + 'static) -> io::Result<()> {
    let (send, receive) = mpsc::channel();
    let thread = thread::Builder::new().name("signals".into());
    thread.spawn(move || {
        if receive.recv().is_ok() {
            react(Signal::Stop {
                exit_status: INTERRUPTED,
            });
        }
    })?;
    let mut is_stopping = false;
    ctrlc::set_handler(move || {
        if is_stopping {
            process::exit(INTERRUPTED);
        }
        is_stopping = true;
        let _ = send.send(());
    })
    .map_err(io::Error::other)
}

/// Wine appends in two steps, so writers take turns by a lock.
pub(crate) const APPENDS_ARE_WHOLE: bool = false;

/// Does nothing: the folder's access control list decides who may read a file.
pub(crate) fn make_private(_: &mut OpenOptions) {}

/// Whether two open files are one.
pub(crate) fn is_same_file(a: &File, b: &File) -> io::Result<bool> {
    let (a, b) = (information(a)?, information(b)?);
    let identity = |file: &Information| (file.volume_serial_number(), file.file_index());
    Ok(identity(&a) == identity(&b))
}

/// Windows has no signal for it.
pub(crate) fn survive_file_size_limit() {}

/// Windows has no such signals.
pub(crate) fn watch_question_signals(
    _: impl Fn(QuestionSignal) + Send + 'static,
) -> io::Result<()> {
    Ok(())
}

/// ENABLE_ECHO_INPUT of a console's input mode.
const ECHO_INPUT: u32 = 4;

/// How a console treats what is typed.
#[derive(Clone, Debug)]
pub struct TerminalMode(u32);

impl TerminalMode {
    /// The mode of the console on stdin.
    ///
    /// # Errors
    /// When stdin is not a console.
    pub fn of_stdin() -> io::Result<Self> {
        mode(HandleRef::stdin()).map(Self)
    }

    /// Gives the console on stdin this mode.
    ///
    /// # Errors
    /// When the console is gone.
    pub fn apply(&self) -> io::Result<()> {
        set_mode(HandleRef::stdin(), self.0)
    }

    /// The same mode without echo.
    pub fn without_echo(&self) -> Self {
        Self(self.0 & !ECHO_INPUT)
    }

    /// Whether the console shows what is typed.
    pub fn echoes(&self) -> bool {
        self.0 & ECHO_INPUT != 0
    }
}

/// True at once: a blocked read harms nobody here.
pub(crate) fn wait_for_line(_: Duration) -> io::Result<bool> {
    Ok(true)
}
