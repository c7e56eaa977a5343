//! Closing without a reset. A kernel that closes a socket with unread input answers the peer with a reset, which may
//! overtake and destroy replies that the peer has not read yet. So the server half-closes, then reads and discards for
//! a while.

use std::io::{self, Read};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// The most bytes that are discarded. A client that goes on sending more is not waiting for a reply.
const MAX_DISCARDED_BYTES: usize = 64 << 10;

/// How long the peer has to notice the half-close and close its own side.
const MAX_LINGER: Duration = Duration::from_secs(1);

/// Bounds the time of each read and write of a connection that is about to be closed.
pub(crate) fn limit_time(stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(MAX_LINGER))?;
    stream.set_write_timeout(Some(MAX_LINGER))
}

/// Half-closes, then discards input until the peer closes too, a limit is reached, or an error occurs.
// Not inlined, so that only threads which come here touch the stack pages of the buffer.
#[inline(never)]
pub(crate) fn close(mut stream: &TcpStream) {
    if stream.shutdown(Shutdown::Write).is_err() {
        return;
    }
    let deadline = Instant::now() + MAX_LINGER;
    let (mut discarded, mut buffer) = (0, [0; 4096]);
    while discarded < MAX_DISCARDED_BYTES {
        let time = deadline.saturating_duration_since(Instant::now());
        if time.is_zero() || stream.set_read_timeout(Some(time)).is_err() {
            return;
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(count) => discarded += count,
        }
    }
}
