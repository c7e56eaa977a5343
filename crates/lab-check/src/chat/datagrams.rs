//! The socket of a member of the chat.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use cli::Reason;

use crate::connection::is_timeout;
use crate::failure::Excerpt;

/// A socket of the server's family, on any free port.
pub fn bind(server: SocketAddr) -> io::Result<UdpSocket> {
    let any: IpAddr = if server.is_ipv4() {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    };
    UdpSocket::bind((any, 0))
}

/// One datagram, if one arrives until `wake`.
pub fn receive(
    socket: &UdpSocket,
    received: &mut Excerpt,
    wake: Instant,
) -> Result<Option<Vec<u8>>, String> {
    let wait = wake
        .saturating_duration_since(Instant::now())
        .max(Duration::from_millis(1));
    socket
        .set_read_timeout(Some(wait))
        .map_err(|error| Reason(&error).to_string())?;
    let mut buffer = [0; 65_536];
    match socket.recv_from(&mut buffer) {
        Ok((count, _)) => {
            received.add(&buffer[..count]);
            Ok(Some(buffer[..count].to_vec()))
        }
        Err(error) if is_timeout(&error) || error.kind() == io::ErrorKind::Interrupted => Ok(None),
        // A refused port is reported by the next call on the socket; the checks' own time-outs deal with it.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(None),
        Err(error) => Err(format!("cannot receive: {}", Reason(&error))),
    }
}
