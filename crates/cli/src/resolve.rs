//! From a host's name to its addresses, within a time limit.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::endpoint::Endpoint;
use crate::reason::Reason;

/// How long a server's start and a question wait for the name service: longer than a resolver waits for one name
/// server.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(10);

impl Endpoint {
    /// All addresses of the host, with the port; at least one. Waits up to 10 s for the name service.
    ///
    /// # Errors
    /// When the host has no address, or the name service does not answer.
    pub fn addresses(&self) -> Result<Vec<SocketAddr>, ResolveError> {
        self.addresses_within(LOOKUP_TIMEOUT)
    }

    /// [`addresses`](Self::addresses) with another time limit.
    ///
    /// # Errors
    /// When the host has no address, or the name service does not answer.
    pub fn addresses_within(&self, timeout: Duration) -> Result<Vec<SocketAddr>, ResolveError> {
        let found = match self.host.parse::<IpAddr>() {
            Ok(address) => Ok(vec![SocketAddr::new(address, self.port)]),
            Err(_) => look_up(self.host.clone(), self.port, timeout),
        };
        found.map_err(|reason| ResolveError {
            host: self.host.clone(),
            reason,
        })
    }
}

/// The system's resolver takes no time limit, so it runs in a thread, which is left to itself when the time is over.
fn look_up(host: String, port: u16, timeout: Duration) -> Result<Vec<SocketAddr>, String> {
    within(timeout, move || {
        let found: io::Result<Vec<_>> = (host, port).to_socket_addrs().map(Iterator::collect);
        match found {
            Ok(addresses) if addresses.is_empty() => Err("it has no address".into()),
            Ok(addresses) => Ok(addresses),
            Err(error) => Err(Reason(&error).to_string()),
        }
    })
    .unwrap_or_else(|error| match error.kind() {
        ErrorKind::TimedOut => {
            let seconds = timeout.as_secs_f64();
            Err(format!(
                "the name service did not answer within {seconds} s"
            ))
        }
        _ => Err(format!("cannot start a thread: {}", Reason(&error))),
    })
}

fn within<T: Send + 'static>(
    timeout: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (send, receive) = mpsc::channel();
    let thread = thread::Builder::new().name("name-lookup".into());
    thread.spawn(move || {
        // Nobody receives what comes too late.
        let _ = send.send(work());
    })?;
    receive
        .recv_timeout(timeout)
        .map_err(|_| ErrorKind::TimedOut.into())
}

/// A host without an address.
#[derive(Debug, PartialEq, Eq)]
pub struct ResolveError {
    /// As the user gave it.
    pub host: String,
    /// Why there is none.
    pub reason: String,
}

impl Display for ResolveError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { host, reason } = self;
        write!(
            f,
            "cannot find the host {host}: {reason}; check its spelling, or give an address"
        )
    }
}

impl Error for ResolveError {}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn endpoint(host: &str) -> Endpoint {
        Endpoint {
            host: host.into(),
            port: 1,
        }
    }

    #[test]
    fn a_host_without_address_is_named_once() {
        let error = endpoint("no host").addresses().unwrap_err().to_string();
        assert!(
            error.starts_with("cannot find the host no host: "),
            "{error}"
        );
        assert_eq!(error.matches("no host").count(), 1, "{error}");
        assert!(!error.contains("os error"), "{error}");
    }

    #[test]
    fn an_address_needs_no_name_service() {
        let found = endpoint("::1").addresses_within(Duration::ZERO).unwrap();
        assert_eq!(found, ["[::1]:1".parse().unwrap()]);
    }

    #[test]
    fn a_silent_name_service_is_not_waited_for() {
        let started = Instant::now();
        let late = within(Duration::from_millis(20), || {
            thread::sleep(Duration::from_secs(30))
        });
        assert_eq!(late.unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(started.elapsed() < Duration::from_secs(20));
        let error = look_up("localhost".into(), 1, Duration::ZERO);
        if let Err(reason) = error {
            assert_eq!(reason, "the name service did not answer within 0 s");
        }
    }
}
