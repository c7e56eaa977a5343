//! The thread that looks after all connections: it disconnects idle clients, logs sums, and at the stop wakes the
//! accept loop.

use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::warn;
use socket2::SockRef;

use crate::idle_watch;
use crate::registry::Registry;
use crate::stop::StopHandle;

/// The log's budgets are counted in lines a second.
const LOG_INTERVAL: Duration = Duration::from_secs(1);

pub(crate) struct Watchdog {
    pub(crate) stop: StopHandle,
    pub(crate) registry: Arc<Registry>,
    pub(crate) listener: Arc<TcpListener>,
    pub(crate) idle_timeout: Option<Duration>,
}

impl Watchdog {
    /// Runs until the stop.
    pub(crate) fn run(self) {
        let interval = self
            .idle_timeout
            .map_or(LOG_INTERVAL, idle_watch::poll_interval);
        // This clock advances by what was waited for. So a process that was suspended does not time clients out before
        // it has read what they sent meanwhile.
        let mut idle_clock = Instant::now();
        let mut next_sums = Instant::now() + LOG_INTERVAL;
        loop {
            let wait = interval.min(next_sums.saturating_duration_since(Instant::now()));
            if self.stop.wait_for(wait) {
                break;
            }
            idle_clock += wait;
            if let Some(limit) = self.idle_timeout {
                self.registry.time_out_idle(limit, idle_clock);
            }
            let now = Instant::now();
            if now >= next_sums {
                next_sums = (next_sums + LOG_INTERVAL).max(now);
                self.registry.log_sums();
            }
        }
        self.registry.wake();
        wake_accept(&self.listener);
    }
}

/// Wakes a blocked accept by shutting the listener down; where the system refuses that, by a connection to it.
fn wake_accept(listener: &TcpListener) {
    if SockRef::from(listener).shutdown(Shutdown::Both).is_ok() {
        return;
    }
    let Ok(mut address) = listener.local_addr() else {
        return;
    };
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    if let Err(error) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) {
        warn!("cannot wake the listener on {address}: {error}");
    }
}
