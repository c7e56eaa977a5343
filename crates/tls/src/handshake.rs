//! A handshake within a time limit, over any stream.

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use rustls::Connection;

use crate::error::TlsError;

/// How long a handshake may take. A round trip around the world and a slow machine need less than two seconds. A
/// slower peer only holds a thread.
pub const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// Makes the handshake. `set_read_timeout` bounds the next read of the stream, so that a peer that sends a byte now and
/// then cannot stretch the limit; it is called with `None` at the end.
pub(crate) fn complete<S: Read + Write>(
    connection: &mut Connection,
    socket: &mut S,
    limit: Duration,
    mut set_read_timeout: impl FnMut(&mut S, Option<Duration>) -> io::Result<()>,
) -> Result<(), TlsError> {
    let deadline = Instant::now() + limit;
    while connection.is_handshaking() {
        flush(connection, socket).map_err(TlsError::Io)?;
        if !connection.is_handshaking() {
            break;
        }
        let rest = deadline.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            return Err(TlsError::TimedOut { limit });
        }
        set_read_timeout(socket, Some(rest)).map_err(TlsError::Io)?;
        match connection.read_tls(socket) {
            Ok(0) => return Err(TlsError::Closed),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            // Both kinds mean a time-out, depending on the platform.
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Err(match Instant::now() >= deadline {
                    true => TlsError::TimedOut { limit },
                    false => TlsError::Io(error),
                });
            }
            Err(error) => return Err(TlsError::Io(error)),
        }
        if let Err(error) = connection.process_new_packets() {
            // An alert that says why, if the peer still listens.
            let _ = flush(connection, socket);
            return Err(error.into());
        }
    }
    flush(connection, socket)
        .and_then(|()| set_read_timeout(socket, None))
        .map_err(TlsError::Io)
}

/// Sends all records that wait.
pub(crate) fn flush(connection: &mut Connection, socket: &mut impl Write) -> io::Result<()> {
    while connection.wants_write() {
        match connection.write_tls(socket) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    socket.flush()
}
