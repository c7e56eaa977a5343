//! A client that sends requests and never reads the replies.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

/// A peer that has read nothing for this long is taken as blocked.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// Writes `request` again and again, and reads nothing, until the peer reads no more. Returns how many whole requests
/// it took.
#[track_caller]
pub fn write_until_blocked(mut socket: &TcpStream, request: &[u8]) -> usize {
    let requests = request.repeat(1_000);
    let timeout = socket.set_write_timeout(Some(WRITE_TIMEOUT));
    timeout.expect("an open socket has a time-out");
    let mut written = 0;
    // The previous write may have ended within a request.
    while let Ok(count) = socket.write(&requests[written % request.len()..]) {
        written += count;
    }
    written / request.len()
}
