//! What differs between operating systems: how a thread that is blocked in a read notices that its connection ends.

use std::io;
use std::net::TcpStream;
use std::time::Duration;

/// Unix: shutting a socket down wakes the reads that block on it, so a read may block for any time.
#[cfg(unix)]
pub(crate) fn prepare(_: &TcpStream) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
pub(crate) fn wait_until_readable(_: &TcpStream, _: impl Fn() -> bool) {}

/// Unix: the kernel ends a read that takes longer.
#[cfg(unix)]
pub(crate) fn set_read_timeout(stream: &TcpStream, timeout: Option<Duration>) -> io::Result<()> {
    stream.set_read_timeout(timeout)
}

/// How long a read may block on Windows before the thread checks again whether the connection has ended.
#[cfg(not(unix))]
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Windows: shutting a socket down wakes no blocked read (rust-lang/rust#121594), so reads get a short time-out. It
/// wakes no blocked write either: a stop abandons the thread of a client that reads nothing.
#[cfg(not(unix))]
pub(crate) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(POLL_INTERVAL))
}

/// Windows: the wait before each read ends it.
#[cfg(not(unix))]
pub(crate) fn set_read_timeout(_: &TcpStream, _: Option<Duration>) -> io::Result<()> {
    Ok(())
}

/// Waits until a read does not block, or `has_ended`. It peeks, because a read that times out may lose bytes on
/// Windows.
#[cfg(not(unix))]
pub(crate) fn wait_until_readable(stream: &TcpStream, has_ended: impl Fn() -> bool) {
    while !has_ended() {
        match stream.peek(&mut [0]) {
            Err(error) if is_timeout(&error) => {}
            _ => return,
        }
    }
}

/// Whether a socket's time-out is over. Systems report it as either of two kinds.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}
