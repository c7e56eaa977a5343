//! What differs between operating systems: how a socket learns that the port it writes to is closed.

use std::io;
use std::net::{SocketAddr, UdpSocket};

/// Unix: only a connected socket learns that. It takes no datagrams from elsewhere.
#[cfg(unix)]
pub(super) fn connect(socket: &UdpSocket, remote: SocketAddr) -> io::Result<()> {
    socket.connect(remote)
}

/// Sends over a socket that is connected; macOS wants no address then.
#[cfg(unix)]
pub(super) fn send(socket: &UdpSocket, datagram: &[u8], _: SocketAddr) -> io::Result<()> {
    socket.send(datagram).map(drop)
}

/// Lets a connected socket take datagrams from everywhere.
#[cfg(unix)]
pub(super) fn disconnect(socket: &UdpSocket) -> io::Result<()> {
    Ok(rustix::net::connect_unspec(socket)?)
}

/// Windows: every socket learns that, and no safe call dissolves a connection, so none is made. A new socket instead
/// would have another port, and the server keeps a plaintext session to the port that it began with.
#[cfg(windows)]
pub(super) fn connect(_: &UdpSocket, _: SocketAddr) -> io::Result<()> {
    Ok(())
}

#[cfg(windows)]
pub(super) fn send(socket: &UdpSocket, datagram: &[u8], remote: SocketAddr) -> io::Result<()> {
    socket.send_to(datagram, remote).map(drop)
}

#[cfg(windows)]
pub(super) fn disconnect(_: &UdpSocket) -> io::Result<()> {
    Ok(())
}
