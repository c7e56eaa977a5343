//! Datagrams together with the address of this machine that they came to, and that their answers leave from. A socket
//! that listens on all addresses needs both: a client takes no answer from an address that it did not write to.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};

use chat_link::Path;
use log::{debug, warn};
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};

/// A socket, with packet information (`IP_PKTINFO`) where the system offers it.
pub(super) struct DatagramSocket<'a> {
    socket: &'a UdpSocket,
    packet_info: Option<UdpSocketState>,
    /// Whether the socket has several addresses, so that answers must name theirs.
    is_wildcard: bool,
}

/// What one read brought: datagrams of one sender, one after the other in the buffer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Received {
    /// The bytes of all of them.
    pub(super) length: usize,
    /// The bytes of each but the last, which may be shorter.
    pub(super) stride: usize,
    pub(super) path: Path,
}

impl<'a> DatagramSocket<'a> {
    /// Sets the socket up. Without packet information it works too, and the log says what is lost. On Windows,
    /// quinn-udp asks IPv4 sockets for `IPV6_V6ONLY` too, which Microsoft documents for IPv6 sockets alone. A provider
    /// of sockets may refuse that (Wine does), or packet information itself.
    pub(super) fn new(socket: &'a UdpSocket) -> io::Result<Self> {
        let address = socket.local_addr()?;
        let is_wildcard = address.ip().is_unspecified();
        let packet_info = match UdpSocketState::new(socket.into()) {
            Ok(state) => Some(state),
            Err(error) => {
                report_missing(address, &error);
                None
            }
        };
        Ok(Self {
            socket,
            packet_info,
            is_wildcard,
        })
    }

    pub(super) fn receive(&self, buffer: &mut [u8]) -> io::Result<Received> {
        let Some(state) = &self.packet_info else {
            let (length, remote) = self.socket.recv_from(buffer)?;
            return Ok(Received {
                length,
                stride: length,
                path: Path::to(without_flow(remote)),
            });
        };
        let mut meta = [RecvMeta::default()];
        state.recv(
            self.socket.into(),
            &mut [IoSliceMut::new(buffer)],
            &mut meta,
        )?;
        let [meta] = meta;
        Ok(Received {
            length: meta.len,
            stride: meta.stride,
            path: Path {
                remote: without_flow(meta.addr),
                local: meta.dst_ip.filter(|_| self.is_wildcard),
            },
        })
    }

    pub(super) fn send(&self, datagram: &[u8], path: Path) -> io::Result<()> {
        let Some(state) = &self.packet_info else {
            return self.socket.send_to(datagram, path.remote).map(drop);
        };
        let transmit = Transmit {
            destination: path.remote,
            ecn: None,
            contents: datagram,
            segment_size: None,
            src_ip: path.local,
        };
        state.try_send(self.socket.into(), &transmit)
    }
}

/// A socket with one address loses nothing: all its answers leave from there.
fn report_missing(address: SocketAddr, error: &io::Error) {
    if address.ip().is_unspecified() {
        warn!(
            "the system does not report which address a datagram came to ({error}): answers leave from an address \
             that it chooses, and clients that wrote to another one cannot join; --host with one address avoids that"
        );
    } else {
        debug!("no packet information, which a socket with one address does without: {error}");
    }
}

/// The flow label of IPv6 may change from packet to packet, and is no part of an address.
fn without_flow(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(mut address) => {
            address.set_flowinfo(0);
            address.into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddrV6;
    use std::time::Duration;

    use super::*;

    const TIME_LIMIT: Duration = Duration::from_secs(20);

    /// A server's socket, the address that clients use, and a client.
    fn bound(to: &str) -> (UdpSocket, SocketAddr, UdpSocket) {
        let server = UdpSocket::bind(to).unwrap();
        let address = SocketAddr::new([127, 0, 0, 1].into(), server.local_addr().unwrap().port());
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.connect(address).unwrap();
        (server, address, client)
    }

    fn exchange(socket: &DatagramSocket<'_>, client: &UdpSocket) -> Path {
        // quinn-udp made it non-blocking.
        socket.socket.set_nonblocking(false).unwrap();
        socket.socket.set_read_timeout(Some(TIME_LIMIT)).unwrap();
        client.set_read_timeout(Some(TIME_LIMIT)).unwrap();
        client.send(b"hello").unwrap();
        let mut buffer = [0; 64];
        let received = socket.receive(&mut buffer).unwrap();
        assert_eq!((received.length, received.stride), (5, 5));
        assert_eq!(&buffer[..received.length], b"hello");
        assert_eq!(received.path.remote, client.local_addr().unwrap());
        socket.send(b"welcome", received.path).unwrap();
        let length = client.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"welcome");
        received.path
    }

    #[test]
    fn a_wildcard_socket_answers_from_the_address_that_was_written_to() {
        let (server, address, client) = bound("0.0.0.0:0");
        let socket = DatagramSocket::new(&server).unwrap();
        let has_packet_info = socket.packet_info.is_some();
        assert!(has_packet_info || cfg!(windows));
        let path = exchange(&socket, &client);
        assert_eq!(path.local, has_packet_info.then_some(address.ip()));
    }

    #[test]
    fn a_socket_with_one_address_need_not_name_it() {
        let (server, _, client) = bound("127.0.0.1:0");
        let path = exchange(&DatagramSocket::new(&server).unwrap(), &client);
        assert_eq!(path.local, None);
    }

    #[test]
    fn without_packet_information_the_system_chooses_the_address() {
        for address in ["0.0.0.0:0", "127.0.0.1:0"] {
            let (server, _, client) = bound(address);
            let socket = DatagramSocket {
                socket: &server,
                packet_info: None,
                is_wildcard: server.local_addr().unwrap().ip().is_unspecified(),
            };
            assert_eq!(exchange(&socket, &client).local, None);
        }
    }

    #[test]
    fn a_flow_label_is_no_part_of_an_address() {
        let flowing = SocketAddrV6::new([1, 2, 3, 4, 5, 6, 7, 8].into(), 9, 10, 11);
        assert_eq!(
            without_flow(flowing.into()),
            SocketAddrV6::new(*flowing.ip(), 9, 0, 11).into()
        );
    }
}
