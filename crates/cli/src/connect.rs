//! From an endpoint to a connection. It says nothing over it.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::endpoint::{Endpoint, ResolveError};
use crate::reason::Reason;

/// "Too many open files", on every Unix; std has no kind for it.
const EMFILE: i32 = 24;

/// Connects to the first of the endpoint's addresses that answers, within `timeout` for all of them; sets TCP_NODELAY.
///
/// # Errors
/// When the host has no address, or none answers.
pub fn connect(endpoint: &Endpoint, timeout: Duration) -> Result<TcpStream, ConnectError> {
    let addresses = endpoint.addresses().map_err(ConnectError::Resolve)?;
    connect_to_any(&addresses, timeout).map_err(|source| ConnectError::Connect {
        endpoint: endpoint.clone(),
        source,
    })
}

fn connect_to_any(addresses: &[SocketAddr], timeout: Duration) -> io::Result<TcpStream> {
    let start = Instant::now();
    let mut failure = io::Error::from(ErrorKind::TimedOut);
    for (tried, address) in addresses.iter().enumerate() {
        // An address that swallows everything must leave time for the rest.
        let rest = (addresses.len() - tried) as u32;
        let share = timeout.saturating_sub(start.elapsed()) / rest;
        if share.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(address, share) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// Why there is no connection.
#[derive(Debug)]
pub enum ConnectError {
    /// The host has no address.
    Resolve(ResolveError),
    /// No address answered.
    Connect {
        /// As it was given.
        endpoint: Endpoint,
        /// What the system said of the last one tried.
        source: io::Error,
    },
}

impl Display for ConnectError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (endpoint, source) = match self {
            Self::Resolve(error) => return error.fmt(f),
            Self::Connect { endpoint, source } => (endpoint, source),
        };
        let next = match source.kind() {
            _ if source.raw_os_error() == Some(EMFILE) => {
                "use fewer connections, or raise the limit of open files (ulimit -n)"
            }
            ErrorKind::ConnectionRefused => "is the server running?",
            ErrorKind::TimedOut => "is the address right, and does a firewall let it through?",
            _ => "check --host, --port and the network",
        };
        write!(
            f,
            "cannot connect to {endpoint}: {}; {next}",
            Reason(source)
        )
    }
}

impl Error for ConnectError {}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[test]
    fn every_address_is_tried() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let there = listener.local_addr().unwrap();
        let nobody = unused_address();
        let stream = connect_to_any(&[nobody, there], PATIENCE).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), there);
        assert!(stream.nodelay().unwrap());
    }

    #[test]
    fn a_refusal_asks_for_the_server() {
        let nobody = unused_address();
        let endpoint = Endpoint {
            host: "127.0.0.1".into(),
            port: nobody.port(),
        };
        let error = connect(&endpoint, PATIENCE).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("cannot connect to {nobody}: connection refused; is the server running?")
        );
    }

    #[test]
    fn what_is_short_here_is_not_sought_there() {
        let (host, port) = ("192.0.2.1".into(), 7);
        let error = ConnectError::Connect {
            endpoint: Endpoint { host, port },
            source: io::Error::from_raw_os_error(EMFILE),
        };
        let told = "cannot connect to 192.0.2.1:7: too many open files; use fewer connections, or raise the limit of open files (ulimit -n)";
        assert_eq!(error.to_string(), told);
    }

    #[test]
    fn no_time_is_a_time_out() {
        let error = connect_to_any(&[unused_address()], Duration::ZERO).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }

    /// Of a port that was free a moment ago, on a loopback address that no other test listens on.
    fn unused_address() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    }
}
