//! Windows.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use socket2::Socket;
use winapi_util::file::{Information, information};

use super::Signal;

/// WSAEMFILE: too many open sockets.
const WSAEMFILE: i32 = 10024;

/// "Too many open sockets" in this process; std has no kind for it.
pub(crate) fn is_out_of_descriptors(error: &io::Error) -> bool {
    error.raw_os_error() == Some(WSAEMFILE)
}

/// Windows has no such limit.
pub(crate) fn raise_descriptor_limit() -> io::Result<Option<u64>> {
    Ok(None)
}

/// Does nothing: a restarted server gets its port in any case, and SO_REUSEADDR would let two servers share one.
pub(crate) fn allow_restart(_: &Socket) -> io::Result<()> {
    Ok(())
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

/// Opens or creates a file to append to. The folder's access control list decides who may read it.
pub(crate) fn append_to(path: &Path) -> io::Result<File> {
    File::options().append(true).create(true).open(path)
}

/// Does nothing: the folder's access control list decides who may read the file.
pub(crate) fn make_private(_: &File) -> io::Result<Option<u32>> {
    Ok(None)
}

/// Whether two open files are one.
pub(crate) fn is_same_file(a: &File, b: &File) -> io::Result<bool> {
    let (a, b) = (information(a)?, information(b)?);
    let identity = |file: &Information| (file.volume_serial_number(), file.file_index());
    Ok(identity(&a) == identity(&b))
}

/// Windows has no signal for it.
pub(crate) fn survive_file_size_limit() {}

/// True at once: on Windows a blocked read does no harm.
pub(crate) fn wait_for_line(_: Duration) -> io::Result<bool> {
    Ok(true)
}
