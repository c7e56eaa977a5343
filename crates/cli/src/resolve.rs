//! From a host's name to its addresses, within a time limit.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use proto::Reason;

use crate::address::check_one_machine;

/// All addresses of `host`, with the port; at least one. Waits up to `timeout` for the name service.
pub(crate) fn addresses(
    host: &str,
    port: u16,
    timeout: Duration,
) -> Result<Vec<SocketAddr>, ResolveError> {
    let found = match host.parse::<IpAddr>() {
        Ok(address) => Ok(vec![SocketAddr::new(address, port)]),
        Err(_) => look_up(host.to_owned(), port, timeout),
    };
    found.map_err(|reason| ResolveError {
        host: host.to_owned(),
        reason,
    })
}

/// The system's resolver takes no time limit, so it runs in a thread, which is left to itself when the time is over.
fn look_up(host: String, port: u16, timeout: Duration) -> Result<Vec<SocketAddr>, String> {
    within(timeout, move || {
        let found: io::Result<Vec<_>> = (host, port).to_socket_addrs().map(Iterator::collect);
        match found {
            Ok(mut addresses) => {
                let mut reason = "it has no address".to_owned();
                addresses.retain(|address| match check_one_machine(address.ip()) {
                    Ok(()) => true,
                    Err(why) => {
                        reason = why;
                        false
                    }
                });
                match addresses.is_empty() {
                    true => Err(reason),
                    false => Ok(addresses),
                }
            }
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
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot find the host {host}: {reason}; check its spelling, or give an address")]
pub struct ResolveError {
    /// As the user gave it.
    pub host: String,
    /// Why it has no address.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(10);

    #[test]
    fn a_host_without_address_is_named_once() {
        let error = addresses("no host", 1, TIMEOUT).unwrap_err().to_string();
        assert!(
            error.starts_with("cannot find the host no host: "),
            "{error}"
        );
        assert_eq!(error.matches("no host").count(), 1, "{error}");
        assert!(!error.contains("os error"), "{error}");
    }

    #[test]
    fn an_address_needs_no_name_service() {
        let found = addresses("::1", 1, Duration::ZERO).unwrap();
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
