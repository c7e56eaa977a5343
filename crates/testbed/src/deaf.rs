//! A client that asks and does not listen.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

/// A peer that has taken nothing for so long takes nothing more.
const PATIENCE: Duration = Duration::from_secs(1);

/// Writes `request` again and again, and reads nothing, until the peer takes no more. Gives how many it took in whole.
#[track_caller]
pub fn ask_in_vain(mut socket: &TcpStream, request: &[u8]) -> usize {
    let requests = request.repeat(1_000);
    let timeout = socket.set_write_timeout(Some(PATIENCE));
    timeout.expect("an open socket has a time-out");
    let mut asked = 0;
    // A part of a request may be left over from the write before.
    while let Ok(count) = socket.write(&requests[asked % request.len()..]) {
        asked += count;
    }
    asked / request.len()
}
