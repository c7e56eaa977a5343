//! Unix.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use line_editor::is_in_foreground;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;
use signal_hook::iterator::Signals;
use socket2::Socket;

use super::Signal;

/// "Too many open files" in this process (EMFILE); std has no kind for it.
pub(crate) fn is_out_of_descriptors(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::MFILE.raw_os_error())
}

/// Raises the soft limit of open files to the hard one and returns it.
pub(crate) fn raise_descriptor_limit() -> io::Result<Option<u64>> {
    rlimit::increase_nofile_limit(u64::MAX).map(Some)
}

/// Lets a restarted server have its port although connections of its former process linger in TIME_WAIT.
pub(crate) fn allow_restart(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_address(true)
}

/// Calls `react` in a thread of its own at each SIGINT, SIGTERM and SIGHUP. A second SIGINT or SIGTERM ends the process
/// at once.
pub(crate) fn watch_signals(mut react: impl FnMut(Signal) + Send + 'static) -> io::Result<()> {
    let stopping = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order the signal that sets the flag does not find it set.
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stopping))?;
        flag::register(signal, Arc::clone(&stopping))?;
    }
    let was_ignored = hangup_is_ignored();
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let thread = thread::Builder::new().name("signals".into());
    thread.spawn(move || {
        for signal in signals.forever() {
            react(match signal {
                SIGHUP => Signal::Hangup { was_ignored },
                _ => Signal::Stop {
                    exit_status: 128 + signal,
                },
            });
        }
    })?;
    Ok(())
}

/// Whether the program was started with `nohup`. Only Linux shows it; elsewhere the answer is no.
fn hangup_is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (SIGHUP - 1)) != 0)
}

/// A write in append mode puts all its bytes at the end of the file, in one piece (POSIX).
pub(crate) const APPENDS_ARE_WHOLE: bool = true;

/// Opens or creates a file to append to. Only its owner may read what is created.
///
/// # Errors
///
/// Besides the system's: nobody reads the named pipe at `path`. Opening it would wait for a reader.
pub(crate) fn append_to(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.append(true).create(true).mode(0o600);
    let is_pipe = fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo());
    // Held open until the pipe is open for good: the reader must not see its end in between.
    let _probe = is_pipe.then(|| open_pipe(path)).transpose()?;
    options.open(path)
}

/// Opens a named pipe without waiting for a reader.
fn open_pipe(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    options.write(true).custom_flags(nonblocking);
    options
        .open(path)
        .map_err(|error| match Errno::from_io_error(&error) {
            Some(Errno::NXIO) => io::Error::other("it is a named pipe that nobody reads"),
            _ => error,
        })
}

/// Takes the file from other users. Returns its mode if they could read or write it before.
pub(crate) fn make_private(file: &File) -> io::Result<Option<u32>> {
    let mode = file.metadata()?.mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(None);
    }
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(Some(mode))
}

/// Whether two open files are one.
pub(crate) fn is_same_file(a: &File, b: &File) -> io::Result<bool> {
    let (a, b) = (a.metadata()?, b.metadata()?);
    Ok((a.dev(), a.ino()) == (b.dev(), b.ino()))
}

/// Makes a write past the file-size limit fail with EFBIG, where SIGXFSZ would end the process. Without effect if it
/// fails.
pub(crate) fn survive_file_size_limit() {
    // A handler is enough. Nobody reads the flag.
    let _ = flag::register(SIGXFSZ, Arc::default());
}

/// Waits up to `timeout` until stdin, a terminal, has a line; true if it has. Reading then does not block, and does not
/// stop a job that went to the background in the meantime.
pub(crate) fn wait_for_line(timeout: Duration) -> io::Result<bool> {
    if !is_in_foreground() {
        thread::sleep(timeout);
        return Ok(false);
    }
    let stdin = io::stdin();
    let mut polled = [PollFd::new(&stdin, PollFlags::IN)];
    let timeout = Timespec::try_from(timeout).map_err(io::Error::other)?;
    match poll(&mut polled, Some(&timeout)) {
        Ok(0) | Err(Errno::INTR) => Ok(false),
        Ok(_) => Ok(is_in_foreground()),
        Err(error) => Err(error.into()),
    }
}
