//! From an endpoint to a TCP connection, within a time limit. It sends nothing.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use clap::Args;
use log::info;
use socket2::{Domain, Socket, Type};

use crate::endpoint::{ClientFlags, Endpoint};
use crate::platform::is_out_of_descriptors;
use crate::resolve::ResolveError;
use proto::Reason;

/// Flags of every TCP client.
#[derive(Args, Clone, Debug)]
pub struct TcpClientFlags {
    /// Flags of every client.
    #[command(flatten)]
    pub client: ClientFlags,

    /// The longest wait for name look-up, connection and replies
    #[arg(
        long = "timeout",
        value_name = "SECONDS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    timeout_seconds: u32,

    /// No service messages
    #[arg(short, long)]
    pub quiet: bool,
}

impl TcpClientFlags {
    /// The longest wait for name look-up and connection together, and for each reply.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds.into())
    }

    /// Connects from the address that `--bind` gives, within the time that `--timeout` gives, and logs the addresses.
    /// See [`connect`].
    ///
    /// # Errors
    ///
    /// As [`connect`].
    pub fn connect(&self, endpoint: &Endpoint) -> Result<TcpStream, ConnectError> {
        let socket = connect(endpoint, self.client.bind, self.timeout())?;
        match log_connected(&socket) {
            Ok(()) => Ok(socket),
            // The connection broke at once.
            Err(error) => Err(ConnectError::Connect {
                endpoint: endpoint.clone(),
                error,
            }),
        }
    }
}

/// Logs the addresses of a connection.
///
/// # Errors
///
/// When it is broken already.
pub fn log_connected(socket: &TcpStream) -> io::Result<()> {
    let (peer, local) = (socket.peer_addr()?, socket.local_addr()?);
    info!("connected to {peer} from {local}");
    Ok(())
}

/// Connects to the first of the endpoint's addresses that answers, and sets TCP_NODELAY. `timeout` bounds the look-up
/// of the name and all attempts together. The connection starts from `source`, if it is given.
///
/// # Errors
///
/// When the host has no address, or none answers.
pub fn connect(
    endpoint: &Endpoint,
    source: Option<SocketAddr>,
    timeout: Duration,
) -> Result<TcpStream, ConnectError> {
    let deadline = Instant::now() + timeout;
    let addresses = endpoint
        .addresses_within(timeout)
        .map_err(ConnectError::Resolve)?;
    connect_to_any(&addresses, source, deadline).map_err(|error| {
        let endpoint = endpoint.clone();
        match (error.kind(), source) {
            (ErrorKind::AddrNotAvailable, Some(source)) => ConnectError::Source { source, error },
            _ => ConnectError::Connect { endpoint, error },
        }
    })
}

fn connect_to_any(
    addresses: &[SocketAddr],
    source: Option<SocketAddr>,
    deadline: Instant,
) -> io::Result<TcpStream> {
    let is_reachable = |address: &&SocketAddr| {
        source.is_none_or(|source: SocketAddr| source.is_ipv4() == address.is_ipv4())
    };
    let reachable: Vec<_> = addresses.iter().filter(is_reachable).collect();
    let mut failure = match reachable.is_empty() {
        true => io::Error::other("it has no address of the family of --bind"),
        false => ErrorKind::TimedOut.into(),
    };
    for (tried, address) in reachable.iter().enumerate() {
        // An address that does not answer must leave time for the others.
        let rest = (reachable.len() - tried) as u32;
        let share = deadline.saturating_duration_since(Instant::now()) / rest;
        if share.is_zero() {
            break;
        }
        match connect_to(**address, source, share) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn connect_to(
    address: SocketAddr,
    source: Option<SocketAddr>,
    timeout: Duration,
) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if let Some(source) = source {
        socket.bind(&source.into())?;
    }
    socket.connect_timeout(&address.into(), timeout)?;
    let stream = TcpStream::from(socket);
    // TCP's simultaneous open: where no program listens, the system may choose the server's port as the client's own,
    // and the socket connects to itself.
    if stream.local_addr()? == stream.peer_addr()? {
        return Err(ErrorKind::ConnectionRefused.into());
    }
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Why there is no connection.
#[derive(Debug)]
pub enum ConnectError {
    /// The host has no address.
    Resolve(ResolveError),
    /// This machine does not have the address that `--bind` gives.
    Source {
        /// That address.
        source: SocketAddr,
        /// The system's reason.
        error: io::Error,
    },
    /// No address answered.
    Connect {
        /// As the user gave it.
        endpoint: Endpoint,
        /// The system's reason for the last address tried.
        error: io::Error,
    },
}

impl Display for ConnectError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (endpoint, error) = match self {
            Self::Resolve(error) => return error.fmt(f),
            Self::Source { source, error } => {
                let (ip, why) = (source.ip(), Reason(error));
                return write!(
                    f,
                    "cannot connect from {ip}: {why}; give an address of this machine with --bind"
                );
            }
            Self::Connect { endpoint, error } => (endpoint, error),
        };
        let next = match error.kind() {
            _ if is_out_of_descriptors(error) => {
                "use fewer connections, or raise the limit of open files (ulimit -n)"
            }
            ErrorKind::ConnectionRefused => "is the server running?",
            ErrorKind::TimedOut => "is the address right, and does a firewall let it through?",
            _ => "check --host, --port and the network",
        };
        write!(f, "cannot connect to {endpoint}: {}; {next}", Reason(error))
    }
}

impl Error for ConnectError {}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const TIME_LIMIT: Duration = Duration::from_secs(30);

    fn soon() -> Instant {
        Instant::now() + TIME_LIMIT
    }

    #[test]
    fn every_address_is_tried() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let open = listener.local_addr().unwrap();
        let stream = connect_to_any(&[unused_address(), open], None, soon()).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), open);
        assert!(stream.nodelay().unwrap());
    }

    #[test]
    fn a_refusal_asks_for_the_server() {
        let unused = unused_address();
        let endpoint = Endpoint {
            host: "127.0.0.1".into(),
            port: unused.port(),
        };
        let error = connect(&endpoint, None, TIME_LIMIT).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot connect to {unused}: connection refused; is the server running?")
        );
    }

    #[test]
    fn a_connection_to_itself_counts_as_refused() {
        let unused = unused_address();
        let error = connect_to(unused, Some(unused), TIME_LIMIT).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }

    #[test]
    fn a_connection_starts_from_the_given_address() {
        let listener = TcpListener::bind("[::1]:0").unwrap();
        let open = listener.local_addr().unwrap();
        let source = "[::1]:0".parse().unwrap();
        let stream = connect_to_any(&[unused_address(), open], Some(source), soon()).unwrap();
        assert!(stream.local_addr().unwrap().ip().is_loopback());

        let endpoint = Endpoint {
            host: "127.0.0.1".into(),
            port: unused_address().port(),
        };
        let refused = |source: &str| {
            let source = Some(source.parse().unwrap());
            connect(&endpoint, source, TIME_LIMIT)
                .unwrap_err()
                .to_string()
        };
        let elsewhere = refused("192.0.2.1:0");
        assert!(
            elsewhere.starts_with("cannot connect from 192.0.2.1: "),
            "{elsewhere}"
        );
        let family = refused("[::1]:0");
        assert!(
            family.contains("no address of the family of --bind"),
            "{family}"
        );
    }

    #[test]
    #[cfg(unix)]
    fn a_lack_of_descriptors_is_not_blamed_on_the_network() {
        let (host, port) = ("192.0.2.1".into(), 7);
        let error = ConnectError::Connect {
            endpoint: Endpoint { host, port },
            error: io::Error::from_raw_os_error(24),
        };
        let expected = "cannot connect to 192.0.2.1:7: too many open files; \
                        use fewer connections, or raise the limit of open files (ulimit -n)";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_deadline_that_has_passed_is_a_time_out() {
        let error = connect_to_any(&[unused_address()], None, Instant::now()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }

    /// The address of a port that was free a moment ago.
    fn unused_address() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    }
}
