//! The sockets: while joining one for each address, so that a closed port is reported at once; afterwards one for each
//! family, which takes datagrams from everywhere.

mod platform;

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::Duration;

use chat_link::MAX_DATAGRAM_BYTES;

use super::super::input::Input;

/// How often a receiving thread looks whether its socket is still wanted.
const RECEIVE_TIMEOUT: Duration = Duration::from_millis(500);

/// How often a free port is looked for that can be bound by its number.
const BIND_TRIES: usize = 8;

pub(super) struct Sockets {
    /// Where to send from, as the person wishes.
    source: Option<SocketAddr>,
    inputs: SyncSender<Input>,
    connected: Vec<Connected>,
    v4: Option<UdpSocket>,
    v6: Option<UdpSocket>,
    is_released: bool,
}

struct Connected {
    remote: SocketAddr,
    socket: UdpSocket,
    is_over: Arc<AtomicBool>,
}

impl Sockets {
    pub(super) fn new(source: Option<SocketAddr>, inputs: SyncSender<Input>) -> Self {
        Self {
            source,
            inputs,
            connected: Vec::new(),
            v4: None,
            v6: None,
            is_released: false,
        }
    }

    pub(super) fn is_released(&self) -> bool {
        self.is_released
    }

    /// Opens a socket for one address.
    pub(super) fn connect(&mut self, remote: SocketAddr) -> io::Result<()> {
        let socket = bind(self.source, remote)?;
        platform::connect(&socket, remote)?;
        let is_over = Arc::new(AtomicBool::new(false));
        receive(&socket, Some(remote), Arc::clone(&is_over), &self.inputs)?;
        self.connected.push(Connected {
            remote,
            socket,
            is_over,
        });
        Ok(())
    }

    /// Keeps the socket that reached the server, and lets it take datagrams from everywhere.
    pub(super) fn release(&mut self, remote: SocketAddr) {
        if self.is_released {
            return;
        }
        self.is_released = true;
        for connected in std::mem::take(&mut self.connected) {
            if connected.remote == remote && platform::disconnect(&connected.socket).is_ok() {
                // The receiving thread goes on with it.
                *self.of_family(remote) = Some(connected.socket);
                continue;
            }
            connected.is_over.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn send(&mut self, remote: SocketAddr, datagram: &[u8]) -> io::Result<()> {
        if !self.is_released {
            let connected = self.connected.iter().find(|one| one.remote == remote);
            let connected = connected.ok_or(ErrorKind::AddrNotAvailable)?;
            return platform::send(&connected.socket, datagram, remote);
        }
        if self.of_family(remote).is_none() {
            let socket = bind(self.source, remote)?;
            receive(&socket, None, Arc::default(), &self.inputs)?;
            *self.of_family(remote) = Some(socket);
        }
        match self.of_family(remote) {
            Some(socket) => socket.send_to(datagram, remote).map(drop),
            None => Err(ErrorKind::AddrNotAvailable.into()),
        }
    }
}

impl Sockets {
    fn of_family(&mut self, remote: SocketAddr) -> &mut Option<UdpSocket> {
        match remote {
            SocketAddr::V4(_) => &mut self.v4,
            SocketAddr::V6(_) => &mut self.v6,
        }
    }
}

/// A socket bound to a port by its number: one that the system chose while connecting would be
/// lost when the connection is dissolved.
fn bind(source: Option<SocketAddr>, remote: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = match remote {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let source = source.filter(|source| source.is_ipv4() == remote.is_ipv4());
    let mut wanted = source.unwrap_or(any);
    if wanted.port() != 0 {
        return UdpSocket::bind(wanted);
    }
    for _ in 0..BIND_TRIES {
        wanted.set_port(UdpSocket::bind(wanted)?.local_addr()?.port());
        match UdpSocket::bind(wanted) {
            // Another program was quicker.
            Err(error) if error.kind() == ErrorKind::AddrInUse => wanted.set_port(0),
            bound => return bound,
        }
    }
    wanted.set_port(0);
    UdpSocket::bind(wanted)
}

/// Hands on every datagram that comes, until the socket is not wanted any more.
fn receive(
    socket: &UdpSocket,
    remote: Option<SocketAddr>,
    is_over: Arc<AtomicBool>,
    inputs: &SyncSender<Input>,
) -> io::Result<()> {
    let (socket, inputs) = (socket.try_clone()?, inputs.clone());
    socket.set_read_timeout(Some(RECEIVE_TIMEOUT))?;
    let receiver = thread::Builder::new().name("receiver".into());
    receiver.spawn(move || {
        // One byte more than a datagram may have, to recognise those that are too long.
        let mut buffer = [0; MAX_DATAGRAM_BYTES + 1];
        while !is_over.load(Ordering::Relaxed) {
            let input = match (socket.recv_from(&mut buffer), remote) {
                (Ok((length, from)), _) => Input::Datagram {
                    from,
                    bytes: buffer[..length].to_vec(),
                },
                (Err(error), _) if is_waiting(&error) => continue,
                (Err(error), Some(address)) if is_refusal(&error) => {
                    Input::Refused { address, error }
                }
                // Some systems report here that an earlier datagram found no server.
                (Err(error), _) if is_refusal(&error) || is_passing(&error) => continue,
                (Err(error), _) => Input::SocketFailed(error),
            };
            let is_end = matches!(input, Input::SocketFailed(_));
            if inputs.send(input).is_err() || is_end {
                return;
            }
        }
    })?;
    Ok(())
}

fn is_waiting(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

fn is_refusal(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset
    )
}

fn is_passing(error: &io::Error) -> bool {
    /// A datagram was longer than the buffer, which only Windows calls an error.
    const WSAEMSGSIZE: i32 = 10_040;
    matches!(
        error.kind(),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown
    ) || cfg!(windows) && error.raw_os_error() == Some(WSAEMSGSIZE)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const TIME_LIMIT: Duration = Duration::from_secs(20);

    #[test]
    fn a_released_socket_keeps_its_port_and_hears_everybody() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        let (inputs, received) = mpsc::sync_channel(8);
        let mut sockets = Sockets::new(None, inputs);
        sockets.connect(address).unwrap();
        sockets.send(address, b"hello").unwrap();
        let (_, client) = server.recv_from(&mut [0; 16]).unwrap();
        sockets.release(address);
        stranger.send_to(b"from elsewhere", client).unwrap();
        let Input::Datagram { from, bytes } = received.recv_timeout(TIME_LIMIT).unwrap() else {
            panic!("another input")
        };
        assert_eq!(
            (from, &bytes[..]),
            (stranger.local_addr().unwrap(), &b"from elsewhere"[..])
        );
        sockets.send(address, b"again").unwrap();
        assert_eq!(server.recv_from(&mut [0; 16]).unwrap(), (5, client));
    }

    #[cfg_attr(windows, ignore = "Wine reports no closed UDP port")]
    #[test]
    fn a_closed_port_is_reported() {
        let address = UdpSocket::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let (inputs, received) = mpsc::sync_channel(8);
        let mut sockets = Sockets::new(None, inputs);
        sockets.connect(address).unwrap();
        sockets.send(address, b"hello").unwrap();
        let input = received.recv_timeout(TIME_LIMIT).unwrap();
        assert!(matches!(input, Input::Refused { address: refused, .. } if refused == address));
    }
}
