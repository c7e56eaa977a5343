//! Closing without a reset. A kernel that closes a socket with unread input answers the peer with
//! a reset, which may overtake and destroy what the peer was still owed; so the server half-closes
//! and reads a while longer.

use std::io::Read;
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// What is read and discarded at most: a whole send buffer of a client that just would not stop
/// is more, but that client is not waiting for anything.
const MOST_DISCARDED: usize = 64 << 10;

/// How long the peer has to notice the half-close and close its own side.
const MOST_WAITED: Duration = Duration::from_secs(1);

/// Half-closes, then discards what comes until the peer closes too, a limit, or a fault.
// Not inlined, so that only threads which come here touch the pages of the stack that `bin` lies in.
#[inline(never)]
pub(crate) fn close(mut stream: &TcpStream) {
    if stream.shutdown(Shutdown::Write).is_err() {
        return;
    }
    let deadline = Instant::now() + MOST_WAITED;
    let (mut discarded, mut bin) = (0, [0; 4096]);
    while discarded < MOST_DISCARDED {
        let time = deadline.saturating_duration_since(Instant::now());
        if time.is_zero() || stream.set_read_timeout(Some(time)).is_err() {
            return;
        }
        match stream.read(&mut bin) {
            Ok(0) | Err(_) => return,
            Ok(count) => discarded += count,
        }
    }
}
