//! The path of a connection: accept -> thread -> conversation -> close; and the stop, which ends it for all.

use std::borrow::Cow;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use log::{info, warn};

use proto::Count;

use crate::accept_backoff::{AcceptBackoff, WarningInterval};
use crate::client::Client;
use crate::client_list::ClientList;
use crate::connection::Connection;
use crate::linger;
use crate::registry::Registry;
use crate::service::{Limits, Service};
use crate::shares::share;
use crate::stop::StopHandle;
use crate::thread_pool::ThreadPool;
use crate::totals::Totals;
use crate::watchdog::Watchdog;

/// A stop takes at most five seconds. First, conversations in the middle of a message have this long to notice the stop
/// themselves, ...
const NOTICE_TIME: Duration = Duration::from_millis(200);
/// ... then blocked reads are woken, and what is being sent may go on until this long after the stop began, ...
const FINISH_TIME: Duration = Duration::from_secs(4);
/// ... and then all sockets are shut down, and their threads have until this long to end.
const END_TIME: Duration = Duration::from_millis(4800);

/// How many refused clients get a reason at the same time. Further ones are disconnected without one.
const MAX_REFUSALS: usize = 64;

/// Serves clients until `stop` is used, then sends pending replies, and returns within five seconds.
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
    serve_listed(listener, limits, stop, &ClientList::default(), service)
}

/// Like [`serve`], and `clients` shows who is connected.
///
/// # Errors
///
/// As [`serve`].
pub fn serve_listed(
    listener: TcpListener,
    limits: &Limits,
    stop: &StopHandle,
    clients: &ClientList,
    service: impl Service,
) -> io::Result<Totals> {
    let listener = Arc::new(listener);
    let acceptor = Acceptor {
        limits: *limits,
        stop: stop.clone(),
        registry: Arc::new(Registry::new(stop.clone())),
        threads: ThreadPool::default(),
        service: Arc::new(service),
        refusals: Arc::default(),
    };
    clients.show(&acceptor.registry);
    let watchdog = Watchdog {
        stop: stop.clone(),
        registry: Arc::clone(&acceptor.registry),
        listener: Arc::clone(&listener),
        idle_timeout: limits.idle_timeout,
    };
    let watchdog = thread::Builder::new()
        .name("watchdog".into())
        .spawn(move || watchdog.run())?;
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
    /// Cloned by each thread that refuses a client.
    refusals: Arc<()>,
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
                let clients = Count(max_clients as u64, "client");
                warn!("the limit of {clients} is reached; new clients wait");
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
        let Limits {
            max_clients,
            idle_timeout,
        } = self.limits;
        let registered = match self.registry.register(stream, peer, max_clients) {
            Ok(registered) => registered,
            Err(stream) => return self.refuse(stream, peer),
        };
        let guard = ConnectionGuard {
            registry: Arc::clone(&self.registry),
            connection: registered.connection,
        };
        let (service, stop) = (Arc::clone(&self.service), self.stop.clone());
        let started = self
            .threads
            .run(move || guard.run(registered.connected, idle_timeout, stop, &*service));
        started.inspect_err(|_| self.registry.cancel())
    }

    /// Disconnects a client whose network has reached its limit of connections. The first few of them get a reason.
    fn refuse(&self, mut stream: TcpStream, peer: SocketAddr) -> io::Result<()> {
        self.registry
            .log
            .refused(peer, share(self.limits.max_clients));
        let refusals = Arc::clone(&self.refusals);
        if Arc::strong_count(&refusals) > MAX_REFUSALS {
            return Ok(());
        }
        let service = Arc::clone(&self.service);
        self.threads.run(move || {
            if linger::limit_time(&stream).is_ok() {
                service.refuse(&mut stream);
                linger::close(&stream);
            }
            drop(refusals);
        })
    }

    /// The stop, after the last client was accepted.
    fn shut_down(&self) -> Totals {
        let began = Instant::now();
        let connected = self.registry.connected();
        if connected > 0 {
            let clients = Count(connected as u64, "client");
            info!("stopping: sending pending replies to {clients} first");
        }
        let mut abandoned = 0;
        if !self.registry.wait_until_empty(began + NOTICE_TIME) {
            self.registry.shut_down(Shutdown::Read);
        }
        if !self.registry.wait_until_empty(began + FINISH_TIME) {
            let forced = self.registry.shut_down(Shutdown::Both);
            let clients = Count(forced as u64, "client");
            let seconds = FINISH_TIME.as_secs();
            warn!("cut off {clients}, still connected {seconds} s after the stop");
        }
        if !self.registry.wait_until_empty(began + END_TIME) {
            abandoned = self.registry.shut_down(Shutdown::Both);
        }
        self.registry.log.flush();
        Totals {
            abandoned,
            ..self.registry.totals()
        }
    }
}

/// Deregisters its connection when it is dropped, however the conversation ended.
struct ConnectionGuard {
    registry: Arc<Registry>,
    connection: Arc<Connection>,
}

impl ConnectionGuard {
    /// The life of a connection on its thread.
    fn run(
        self,
        connected: usize,
        idle_timeout: Option<Duration>,
        stop: StopHandle,
        service: &impl Service,
    ) {
        let (log, connection) = (&self.registry.log, &self.connection);
        log.connected(connection, connected);
        let client = Client::new(&self.registry, Arc::clone(connection), idle_timeout, stop);
        let reason = match client {
            Ok(client) => converse(client, service),
            Err(error) => error.to_string().into(),
        };
        log.disconnected(connection, &reason);
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.registry.deregister(&self.connection);
    }
}

/// Holds the conversation and closes the connection; returns why it ended.
fn converse(mut client: Client, service: &impl Service) -> Cow<'static, str> {
    let ended = catch_unwind(AssertUnwindSafe(|| service.serve(&mut client)));
    let reason = match ended {
        Ok(_) if client.is_cut_by_stop() => "the server stops".into(),
        Ok(Ok(reason)) => reason.into(),
        Ok(Err(fault)) => fault.to_string().into(),
        Err(_) => "the server's own fault: the conversation panicked".into(),
    };
    client.close();
    reason
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

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;
    use crate::service::{BoxError, EndReason};

    /// Says which of the two ways a client was treated.
    struct Labels;

    impl Service for Labels {
        fn serve(&self, client: &mut Client) -> Result<EndReason, BoxError> {
            client.write_all(b"served")?;
            client.read_exact(&mut [0])?;
            Ok("a byte came")
        }

        fn refuse(&self, stream: &mut TcpStream) {
            stream.write_all(b"refused").unwrap();
        }
    }

    #[test]
    fn a_network_over_its_share_is_given_the_reason_and_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stop = StopHandle::new();
        let acceptor = Acceptor {
            limits: Limits {
                max_clients: 100,
                ..Limits::default()
            },
            stop: stop.clone(),
            registry: Arc::new(Registry::new(stop)),
            threads: ThreadPool::default(),
            service: Arc::new(Labels),
            refusals: Arc::default(),
        };
        let connect = |peer: &str| {
            let mut socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (stream, _) = listener.accept().unwrap();
            acceptor
                .start_conversation(stream, peer.parse().unwrap())
                .unwrap();
            let mut label = [0; 6];
            socket.read_exact(&mut label).unwrap();
            (socket, String::from_utf8(label.to_vec()).unwrap())
        };
        let clients: Vec<_> = (0..64).map(|_| connect("192.0.2.7:5000")).collect();
        assert!(clients.iter().all(|(_, label)| label == "served"));
        let (mut refused, label) = connect("192.0.2.7:5000");
        assert_eq!(label, "refuse");
        let mut rest = vec![];
        refused.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"d");
        assert_eq!(connect("192.0.2.8:5000").1, "served");
        assert_eq!(connect("127.0.0.1:5000").1, "served");
        assert_eq!(acceptor.registry.totals().clients, 66);
    }
}
