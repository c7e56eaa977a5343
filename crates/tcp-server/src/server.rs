//! The accept loop, a thread of the crew for each client, and the stop.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use log::{info, warn};
use socket2::SockRef;

use crate::client::Client;
use crate::connection::Connection;
use crate::crew::Crew;
use crate::floor::Floor;
use crate::stop::StopHandle;
use crate::turns;

/// After a failed accept or a failed thread the server waits this long, then twice as long, up to
/// the longest. A client that leaves ends the wait, since it frees what was short.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A stop is over within five seconds. First, those in the middle of a message have this long to
/// see for themselves that the server stops, ...
const TIME_TO_NOTICE: Duration = Duration::from_millis(200);
/// ... then blocked reads are woken, and what is being sent may go on until this long after the
/// stop began, ...
const TIME_TO_FINISH: Duration = Duration::from_secs(4);
/// ... and then all sockets are shut, and their threads have until this long to end.
const TIME_TO_END: Duration = Duration::from_millis(4800);

/// What is said to a client. One value serves all clients, each on a thread of its own.
pub trait Service: Send + Sync + 'static {
    /// Converses with one client until either side has had enough. The server closes the
    /// connection then.
    ///
    /// # Errors
    ///
    /// Whatever ended the conversation that should not have; it is told in the log.
    fn converse(&self, client: &mut Client) -> Ended;
}

/// Why a conversation ended, in words for the service message: as it should, or by a fault.
pub type Ended = Result<&'static str, Box<dyn Error + Send + Sync>>;

/// How much a server takes on.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Clients served at once, at least 1; more wait in the backlog of the listener.
    pub max_clients: usize,
    /// How long a client may send no whole message, or take nothing of what it is owed; above zero. The former is noticed up to
    /// a tenth of that time later, and two seconds at most.
    pub idle_timeout: Option<Duration>,
}

impl Default for Limits {
    /// 10,000 clients, 300 seconds.
    fn default() -> Self {
        Self {
            max_clients: 10_000,
            idle_timeout: Some(Duration::from_secs(300)),
        }
    }
}

/// What a server did in its life.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Clients that were served.
    pub clients: u64,
    /// Bytes that came from them.
    pub bytes_received: u64,
    /// Bytes that went to them.
    pub bytes_sent: u64,
    /// Clients whose thread had not ended five seconds after the stop.
    pub abandoned: usize,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            clients,
            bytes_received,
            bytes_sent,
            abandoned,
        } = self;
        write!(
            f,
            "served {}, received {bytes_received} bytes, sent {bytes_sent} bytes",
            Clients(*clients)
        )?;
        match abandoned {
            0 => Ok(()),
            count => write!(
                f,
                ", abandoned {} in threads that did not end",
                Clients(*count as u64)
            ),
        }
    }
}

/// `1 client`, `2 clients`
struct Clients(u64);

impl fmt::Display for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} client{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}

/// Serves clients until `stop` is used, then lets clients have what they are owed, and returns within five
/// seconds.
///
/// # Errors
///
/// When the thread that watches for the stop and for idle clients cannot be started. Clients that cannot be accepted or
/// served are told in the log, and do not end the server.
pub fn serve(
    listener: TcpListener,
    limits: &Limits,
    stop: &StopHandle,
    service: impl Service,
) -> io::Result<Totals> {
    let floor = Arc::new(Floor::new(stop.clone()));
    let listener = Arc::new(listener);
    let watch = thread::Builder::new().name("watch".into()).spawn({
        let (stop, floor, listener) = (stop.clone(), Arc::clone(&floor), Arc::clone(&listener));
        let idle_timeout = limits.idle_timeout;
        move || {
            match idle_timeout {
                None => stop.wait(),
                Some(limit) => {
                    // A clock that stands still while the process does: what came meanwhile is not heard late.
                    let (interval, mut now) = (turns::interval(limit), Instant::now());
                    while !stop.wait_for(interval) {
                        now += interval;
                        floor.end_idle(limit, now);
                    }
                }
            }
            floor.wake();
            wake_accept(&listener);
        }
    })?;

    let house = House {
        limits: *limits,
        stop: stop.clone(),
        floor,
        crew: Crew::default(),
        service: Arc::new(service),
    };
    house.accept_all(&listener);
    // Only now has the last handle on the listener gone, so that its port is free while clients finish.
    let _ = watch.join();
    drop(listener);
    Ok(house.close_down())
}

/// A blocked accept is woken by shutting the listener down; where a system refuses that, by a
/// connection to oneself.
fn wake_accept(listener: &TcpListener) {
    if SockRef::from(listener).shutdown(Shutdown::Both).is_ok() {
        return;
    }
    let Ok(mut address) = listener.local_addr() else {
        return;
    };
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    if let Err(error) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) {
        warn!("cannot wake the listener on {address}: {error}");
    }
}

struct House<S> {
    limits: Limits,
    stop: StopHandle,
    floor: Arc<Floor>,
    crew: Crew,
    service: Arc<S>,
}

impl<S: Service> House<S> {
    fn accept_all(&self, listener: &TcpListener) {
        let most = self.limits.max_clients;
        let (mut trouble, mut full) = (Trouble::default(), false);
        while !self.stop.is_stopping() {
            if self.floor.connected() < most {
                full = false;
            } else {
                if !full {
                    warn!(
                        "as many are connected as are served at once ({most}); from now on new clients wait"
                    );
                }
                full = true;
                self.floor.wait_below(most);
            }
            match listener.accept() {
                // What woke the accept may be the stop.
                _ if self.stop.is_stopping() => return,
                Ok((stream, peer)) => {
                    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                    match self.admit(stream, peer) {
                        Ok(()) => trouble.over(),
                        Err(error) => {
                            self.floor.turn_away();
                            let what =
                                format!("cannot start a thread for {peer}, which is disconnected");
                            self.floor.wait_for_change(trouble.pause(&what, &error));
                        }
                    }
                }
                // This one client gave up; the next may be waiting already.
                Err(error) if is_one_clients_fault(&error) => {}
                Err(error) => self
                    .floor
                    .wait_for_change(trouble.pause("cannot accept clients", &error)),
            }
        }
    }

    /// Finds a thread for a client that just connected. If there is none to be had, the client
    /// is disconnected.
    fn admit(&self, stream: TcpStream, peer: SocketAddr) -> io::Result<()> {
        let connection = Arc::new(Connection::new(stream));
        let (number, now) = self.floor.enter(&connection);
        let visit = Visit {
            floor: Arc::clone(&self.floor),
            number,
            received: 0,
            sent: 0,
        };
        let (service, stop) = (Arc::clone(&self.service), self.stop.clone());
        let idle_timeout = self.limits.idle_timeout;
        self.crew.run(
            move || match Client::new(connection, peer, number, idle_timeout, stop) {
                Ok(client) => visit.spend(client, now, &*service),
                Err(error) => {
                    info!("client disconnected: {peer} (connection {number}): {error}")
                }
            },
        )
    }

    /// The stop, from the moment that nobody is accepted any more.
    fn close_down(&self) -> Totals {
        let began = Instant::now();
        let connected = self.floor.connected();
        if connected > 0 {
            info!(
                "stopping: what is owed to {} is sent first",
                Clients(connected as u64)
            );
        }
        let mut abandoned = 0;
        if !self.floor.wait_until_empty(began + TIME_TO_NOTICE) {
            self.floor.shut_down(Shutdown::Read);
        }
        if !self.floor.wait_until_empty(began + TIME_TO_FINISH) {
            let forced = self.floor.shut_down(Shutdown::Both);
            warn!(
                "cut off {}, still connected {} s after the stop",
                Clients(forced as u64),
                TIME_TO_FINISH.as_secs()
            );
        }
        if !self.floor.wait_until_empty(began + TIME_TO_END) {
            abandoned = self.floor.shut_down(Shutdown::Both);
        }
        Totals {
            abandoned,
            ..self.floor.totals()
        }
    }
}

/// A client's stay. However it ends, the floor is told.
struct Visit {
    floor: Arc<Floor>,
    number: u64,
    received: u64,
    sent: u64,
}

impl Visit {
    fn spend(mut self, mut client: Client, now: usize, service: &impl Service) {
        let began = Instant::now();
        info!("client connected: {}, {now} connected now", client.name());
        let ended = catch_unwind(AssertUnwindSafe(|| service.converse(&mut client)));
        let reason = match ended {
            Ok(_) if client.is_cut_by_stop() => Cow::from("the server stops"),
            Ok(Ok(reason)) => Cow::from(reason),
            Ok(Err(fault)) => Cow::from(fault.to_string()),
            Err(_) => Cow::from("the server's own fault: the conversation panicked"),
        };
        client.close();
        (self.received, self.sent) = (client.received.bytes, client.sent.bytes);
        let time = began.elapsed().as_secs_f64();
        info!(
            "client disconnected: {}: {reason}; {}, in {time:.3} s",
            client.name(),
            client.totals()
        );
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.floor.leave(self.number, self.received, self.sent);
    }
}

/// A time in which clients cannot be served. It is told once when it begins and once when it ends.
#[derive(Default)]
struct Trouble {
    since: Option<Instant>,
    pause: Duration,
}

impl Trouble {
    /// Notes one more failure, and says how long to wait after it.
    fn pause(&mut self, what: &str, error: &io::Error) -> Duration {
        if self.since.is_none() {
            warn!("{what}: {error}; trying again until it works");
            self.since = Some(Instant::now());
            self.pause = FIRST_PAUSE;
        } else {
            self.pause = (2 * self.pause).min(LONGEST_PAUSE);
        }
        self.pause
    }

    fn over(&mut self) {
        if let Some(since) = self.since.take() {
            warn!(
                "clients are served again, after {:.3} s",
                since.elapsed().as_secs_f64()
            );
        }
    }
}

fn is_one_clients_fault(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | Interrupted
    )
}
