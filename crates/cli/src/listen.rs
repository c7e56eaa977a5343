//! From an endpoint to a bound socket, past ports that are in use. It accepts no connections.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};

use log::warn;
use socket2::{Domain, Socket, Type};

use crate::endpoint::Endpoint;
use crate::platform;
use crate::program::Program;
use crate::resolve::ResolveError;
use proto::Reason;

/// How many ports after one in use are tried before any free one is taken.
const PORTS_TO_TRY: u16 = 20;
/// Thousands of clients may connect at once before the server accepts the first. The system may lower it
/// (`net.core.somaxconn`).
const BACKLOG: i32 = 4096;

/// Listens for TCP clients at the endpoint's first address.
///
/// When the port is in use and not `strict`, tries the next 20 ports, then any free one, and logs a warning.
/// Listening on `::` accepts IPv4 clients, too.
///
/// # Errors
///
/// When the host has no address, or the system refuses for another reason than a port in use.
pub fn listen(endpoint: &Endpoint, strict: bool) -> Result<TcpListener, ListenError> {
    bind(endpoint, strict, |address| {
        let socket = socket_for(address, Type::STREAM)?;
        platform::allow_restart(&socket)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    })
}

/// Binds a UDP socket to the endpoint's first address, past ports in use like [`listen`].
///
/// # Errors
///
/// As [`listen`].
pub fn bind_udp(endpoint: &Endpoint, strict: bool) -> Result<UdpSocket, ListenError> {
    bind(endpoint, strict, |address| {
        let socket = socket_for(address, Type::DGRAM)?;
        socket.bind(&address.into())?;
        Ok(socket.into())
    })
}

/// Writes the only line of a server's stdout: it accepts clients. A failure is ignored: stdout may be closed.
pub fn announce(program: &Program, address: SocketAddr) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{} listening on {address}", program.name);
    let _ = stdout.flush();
}

fn bind<T>(
    endpoint: &Endpoint,
    strict: bool,
    mut bind: impl FnMut(SocketAddr) -> io::Result<T>,
) -> Result<T, ListenError> {
    let mut address = endpoint.addresses().map_err(ListenError::Resolve)?[0];
    let try_port = |port| {
        address.set_port(port);
        bind(address)
    };
    let mut last_taken = None;
    let on_taken = |port| last_taken = Some(port);
    let bound = try_ports(endpoint.port, strict, try_port, on_taken);
    if let (Ok(_), Some(last)) = (&bound, last_taken) {
        warn!("{}", taken_ports(endpoint.port, last, address.port()));
    }
    bound.map_err(|source| ListenError::Bind { address, source })
}

/// `port 9090 is taken, using 9091`
fn taken_ports(first: u16, last: u16, used: u16) -> String {
    let taken = match first == last {
        true => format!("port {first} is taken"),
        false => format!("ports {first} to {last} are taken"),
    };
    match used {
        0 => format!("{taken}, using a free port that the system chooses"),
        _ => format!("{taken}, using {used}"),
    }
}

fn socket_for(address: SocketAddr, kind: Type) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, None)?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        // The default differs between systems, and on Linux by the administrator's choice (bindv6only).
        socket.set_only_v6(false)?;
    }
    Ok(socket)
}

/// Tries `first`, the ports after it, then 0, as long as each is in use. Calls `on_taken` with each port in use.
fn try_ports<T>(
    first: u16,
    strict: bool,
    mut try_port: impl FnMut(u16) -> io::Result<T>,
    mut on_taken: impl FnMut(u16),
) -> io::Result<T> {
    let last = if strict {
        first
    } else {
        first.saturating_add(PORTS_TO_TRY)
    };
    let mut port = first;
    loop {
        match try_port(port) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && port != 0 && !strict => {
                on_taken(port);
                port = if port < last { port + 1 } else { 0 };
            }
            done => return done,
        }
    }
}

/// Why a server cannot listen.
#[derive(Debug)]
pub enum ListenError {
    /// The host has no address.
    Resolve(ResolveError),
    /// The system refuses the address.
    Bind {
        /// The last one tried.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
}

impl Display for ListenError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (address, source) = match self {
            Self::Resolve(error) => return error.fmt(f),
            Self::Bind { address, source } => (address, source),
        };
        let next = match source.kind() {
            ErrorKind::AddrInUse => "stop the program that has it, or choose another --port",
            ErrorKind::PermissionDenied if (1..1024).contains(&address.port()) => {
                "ports below 1024 are for administrators: choose a higher --port"
            }
            ErrorKind::PermissionDenied => {
                "the system forbids it; choose another --port, or look at the rules of this machine"
            }
            ErrorKind::AddrNotAvailable => {
                "give an address of this machine as --host, or 0.0.0.0 for all"
            }
            _ => "check --host and --port",
        };
        write!(f, "cannot listen on {address}: {}; {next}", Reason(source))
    }
}

impl Error for ListenError {}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::time::Duration;

    use super::*;

    fn local(port: u16) -> Endpoint {
        Endpoint {
            host: "127.0.0.1".into(),
            port,
        }
    }

    fn ports_tried(
        first: u16,
        strict: bool,
        taken: impl Fn(u16) -> bool,
    ) -> (Option<u16>, Vec<u16>) {
        let mut ports_taken = Vec::new();
        let try_port = |port| match taken(port) {
            true => Err(ErrorKind::AddrInUse.into()),
            false => Ok(port),
        };
        let port = try_ports(first, strict, try_port, |port| ports_taken.push(port)).ok();
        (port, ports_taken)
    }

    #[test]
    fn twenty_ports_are_tried_then_any() {
        assert_eq!(ports_tried(9090, false, |_| false), (Some(9090), vec![]));
        assert_eq!(
            ports_tried(9090, false, |port| port < 9092 && port > 0),
            (Some(9092), vec![9090, 9091])
        );
        let (port, ports_taken) = ports_tried(9090, false, |port| port > 0);
        assert_eq!(port, Some(0));
        assert_eq!(ports_taken, (9090..=9110).collect::<Vec<_>>());
        assert_eq!(
            ports_tried(65534, false, |port| port > 0),
            (Some(0), vec![65534, 65535])
        );
    }

    #[test]
    fn trying_ends_where_it_must() {
        assert_eq!(ports_tried(9090, true, |_| true), (None, vec![]));
        assert_eq!(ports_tried(0, false, |_| true), (None, vec![]));
        assert_eq!(ports_tried(65535, false, |_| true), (None, vec![65535]));
        let denied = |_| Err::<(), _>(ErrorKind::PermissionDenied.into());
        let error = try_ports(80, false, denied, |_| panic!("tried another port")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    }

    #[test]
    fn one_line_says_which_ports_are_taken() {
        for (first, last, used, line) in [
            (9090, 9090, 9091, "port 9090 is taken, using 9091"),
            (9090, 9092, 9093, "ports 9090 to 9092 are taken, using 9093"),
            (
                9090,
                9110,
                0,
                "ports 9090 to 9110 are taken, using a free port that the system chooses",
            ),
        ] {
            assert_eq!(taken_ports(first, last, used), line);
        }
    }

    #[test]
    fn three_listeners_with_one_port_get_different_ones() {
        let first = listen(&local(0), false).unwrap();
        let wish = first.local_addr().unwrap().port();
        let second = listen(&local(wish), false).unwrap();
        let third = listen(&local(wish), false).unwrap();
        let mut ports =
            [&first, &second, &third].map(|listener| listener.local_addr().unwrap().port());
        ports.sort();
        assert!(ports[0] != ports[1] && ports[1] != ports[2], "{ports:?}");

        let error = listen(&local(wish), true).unwrap_err().to_string();
        let (start, end) = (
            format!("cannot listen on 127.0.0.1:{wish}: "),
            "; stop the program that has it, or choose another --port",
        );
        assert!(error.starts_with(&start) && error.ends_with(end), "{error}");
    }

    #[test]
    fn many_connections_wait_to_be_accepted() {
        let listener = listen(&local(0), true).unwrap();
        let there = listener.local_addr().unwrap();
        let timeout = Duration::from_secs(10);
        let waiting: Result<Vec<_>, _> = (0..100)
            .map(|_| TcpStream::connect_timeout(&there, timeout))
            .collect();
        assert_eq!(waiting.unwrap().len(), 100);
    }

    #[test]
    fn udp_tries_ports_too() {
        let first = bind_udp(&local(0), true).unwrap();
        let wish = first.local_addr().unwrap().port();
        let second = bind_udp(&local(wish), false).unwrap();
        assert_ne!(second.local_addr().unwrap().port(), wish);
        assert!(bind_udp(&local(wish), true).is_err());
    }

    #[test]
    fn all_addresses_means_ipv4_too() {
        let all = Endpoint {
            host: "::".into(),
            port: 0,
        };
        let listener = listen(&all, true).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());

        let server = bind_udp(&all, true).unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        client.send_to(b"x", ("127.0.0.1", port)).unwrap();
        server
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        assert_eq!(server.recv_from(&mut [0; 9]).unwrap().0, 1);
    }

    #[test]
    fn administrators_are_named_for_low_ports_alone() {
        let denied = |port| {
            let error = ListenError::Bind {
                address: SocketAddr::from(([127, 0, 0, 1], port)),
                source: ErrorKind::PermissionDenied.into(),
            };
            error.to_string().contains("administrators")
        };
        assert_eq!(
            [80, 1023, 1024, 9090].map(denied),
            [true, true, false, false]
        );
    }

    #[test]
    fn a_foreign_address_is_explained() {
        let elsewhere = Endpoint {
            host: "192.0.2.1".into(),
            port: 0,
        };
        let error = listen(&elsewhere, false).unwrap_err().to_string();
        assert!(error.contains("give an address of this machine"), "{error}");
    }
}
