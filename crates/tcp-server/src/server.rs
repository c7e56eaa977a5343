//! The path of a connection: accept -> thread -> conversation -> close; and the stop, which ends it for all.

use std::borrow::Cow;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use log::{info, warn};
use socket2::SockRef;

use crate::accept_backoff::{AcceptBackoff, WarningInterval};
use crate::client::Client;
use crate::idle_watch;
use crate::registry::{Registered, Registry};
use crate::service::{Limits, Service};
use crate::stop::StopHandle;
use crate::thread_pool::ThreadPool;
use crate::totals::{Clients, Totals};

/// A stop takes at most five seconds. First, conversations in the middle of a message have this long to notice the stop
/// themselves, ...
const NOTICE_TIME: Duration = Duration::from_millis(200);
/// ... then blocked reads are woken, and what is being sent may go on until this long after the stop began, ...
const FINISH_TIME: Duration = Duration::from_secs(4);
/// ... and then all sockets are shut down, and their threads have until this long to end.
const END_TIME: Duration = Duration::from_millis(4800);

/// Serves clients until `stop` is used, then sends clients what they are owed, and returns within five seconds.
///
/// # Errors
///
/// When the watchdog's thread cannot be started. Faults while serving are logged and end only the connection they
/// concern.
pub fn serve(
    listener: TcpListener,
    limits: &Limits,
    stop: &StopHandle,
    service: impl Service,
) -> io::Result<Totals> {
    let listener = Arc::new(listener);
    let acceptor = Acceptor {
        limits: *limits,
        stop: stop.clone(),
        registry: Arc::new(Registry::new(stop.clone())),
        threads: ThreadPool::default(),
        service: Arc::new(service),
    };
    let watchdog = acceptor.start_watchdog(&listener)?;
    acceptor.accept_clients(&listener);
    // The listener is closed before the clients finish, so that its port is free at once.
    let _ = watchdog.join();
    drop(listener);
    Ok(acceptor.shut_down())
}

struct Acceptor<S> {
    limits: Limits,
    stop: StopHandle,
    registry: Arc<Registry>,
    threads: ThreadPool,
    service: Arc<S>,
}

impl<S: Service> Acceptor<S> {
    fn accept_clients(&self, listener: &TcpListener) {
        let (mut backoff, mut warning) = (AcceptBackoff::default(), WarningInterval::default());
        while !self.stop.is_stopping() {
            self.wait_for_room(&mut warning);
            match listener.accept() {
                // It may be the stop that woke the accept.
                _ if self.stop.is_stopping() => return,
                Ok((stream, peer)) => match self.start_conversation(stream, peer) {
                    Ok(()) => log_recovery(&mut backoff),
                    Err(error) => {
                        let failed =
                            format!("cannot start a thread for {peer}, which is disconnected");
                        self.back_off(&mut backoff, &failed, &error);
                    }
                },
                // This client gave up; the next one may be waiting already.
                Err(error) if is_the_clients_fault(&error) => {}
                Err(error) => self.back_off(&mut backoff, "cannot accept clients", &error),
            }
        }
    }

    /// Waits while as many clients are connected as the limit allows.
    fn wait_for_room(&self, warning: &mut WarningInterval) {
        let max_clients = self.limits.max_clients;
        if self.registry.connected() >= max_clients {
            if warning.is_due(Instant::now()) {
                warn!(
                    "as many are connected as are served at once ({max_clients}); from now on new clients wait"
                );
            }
            self.registry.wait_below(max_clients);
        }
    }

    /// Waits after a failure, at most until a client leaves, because that frees what was short.
    fn back_off(&self, backoff: &mut AcceptBackoff, failed: &str, error: &io::Error) {
        let (delay, log_it) = backoff.next_delay(Instant::now());
        if log_it {
            warn!("{failed}: {error}; trying again until it works");
        }
        self.registry.wait_for_change(delay);
    }

    /// Serves a client on a thread of its own. Without a thread the client is disconnected.
    fn start_conversation(&self, stream: TcpStream, peer: SocketAddr) -> io::Result<()> {
        let peer = match peer.ip().to_canonical() {
            IpAddr::V4(address) => SocketAddr::new(address.into(), peer.port()),
            // The address as it is, because a link-local one has a zone.
            IpAddr::V6(_) => peer,
        };
        let registered = self.registry.register(stream, peer);
        let guard = ConnectionGuard {
            registry: Arc::clone(&self.registry),
            number: registered.number,
        };
        let (service, stop) = (Arc::clone(&self.service), self.stop.clone());
        let idle_timeout = self.limits.idle_timeout;
        let started = self
            .threads
            .run(move || guard.run(registered, idle_timeout, stop, &*service));
        started.inspect_err(|_| self.registry.cancel())
    }

    /// Disconnects idle clients, and at the stop wakes the accept loop.
    fn start_watchdog(&self, listener: &Arc<TcpListener>) -> io::Result<JoinHandle<()>> {
        let (stop, registry) = (self.stop.clone(), Arc::clone(&self.registry));
        let (listener, idle_timeout) = (Arc::clone(listener), self.limits.idle_timeout);
        let watch = move || {
            match idle_timeout {
                None => stop.wait(),
                Some(limit) => {
                    // The clock advances by one interval a poll. So a process that was suspended does not time clients
                    // out before it has read what they sent meanwhile.
                    let (interval, mut now) = (idle_watch::poll_interval(limit), Instant::now());
                    while !stop.wait_for(interval) {
                        now += interval;
                        registry.time_out_idle(limit, now);
                    }
                }
            }
            registry.wake();
            wake_accept(&listener);
        };
        thread::Builder::new().name("watchdog".into()).spawn(watch)
    }

    /// The stop, after the last client was accepted.
    fn shut_down(&self) -> Totals {
        let began = Instant::now();
        let connected = self.registry.connected();
        if connected > 0 {
            let clients = Clients(connected as u64);
            info!("stopping: what is owed to {clients} is sent first");
        }
        let mut abandoned = 0;
        if !self.registry.wait_until_empty(began + NOTICE_TIME) {
            self.registry.shut_down(Shutdown::Read);
        }
        if !self.registry.wait_until_empty(began + FINISH_TIME) {
            let clients = Clients(self.registry.shut_down(Shutdown::Both) as u64);
            let seconds = FINISH_TIME.as_secs();
            warn!("cut off {clients}, still connected {seconds} s after the stop");
        }
        if !self.registry.wait_until_empty(began + END_TIME) {
            abandoned = self.registry.shut_down(Shutdown::Both);
        }
        Totals {
            abandoned,
            ..self.registry.totals()
        }
    }
}

/// Deregisters its connection when it is dropped, however the conversation ended.
struct ConnectionGuard {
    registry: Arc<Registry>,
    number: u64,
}

impl ConnectionGuard {
    /// The life of a connection on its thread.
    fn run(
        self,
        registered: Registered,
        idle_timeout: Option<Duration>,
        stop: StopHandle,
        service: &impl Service,
    ) {
        let Registered {
            connection,
            connected,
            ..
        } = registered;
        let began = Instant::now();
        let mut client = match Client::new(Arc::clone(&connection), idle_timeout, stop) {
            Ok(client) => client,
            Err(error) => {
                info!("client disconnected: {}: {error}", connection.name);
                return;
            }
        };
        info!(
            "client connected: {}, {connected} connected now",
            connection.name
        );
        let ended = catch_unwind(AssertUnwindSafe(|| service.serve(&mut client)));
        let reason = match ended {
            Ok(_) if client.is_cut_by_stop() => Cow::from("the server stops"),
            Ok(Ok(reason)) => Cow::from(reason),
            Ok(Err(fault)) => Cow::from(fault.to_string()),
            Err(_) => Cow::from("the server's own fault: the conversation panicked"),
        };
        client.close();
        info!(
            "client disconnected: {}: {reason}; received {}, sent {}, in {:.3} s",
            connection.name,
            connection.received,
            connection.sent,
            began.elapsed().as_secs_f64()
        );
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.registry.deregister(self.number);
    }
}

fn log_recovery(backoff: &mut AcceptBackoff) {
    if let Some(time) = backoff.reset(Instant::now()) {
        let seconds = time.as_secs_f64();
        warn!("clients are served again, after {seconds:.3} s");
    }
}

/// Whether accepting failed because of the client that was to be accepted.
fn is_the_clients_fault(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | Interrupted
    )
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
