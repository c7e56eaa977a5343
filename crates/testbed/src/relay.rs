//! A bad network between UDP programs: a relay that loses, doubles, delays and reorders datagrams,
//! and changes the port from which a client seems to write, as home routers do.
//!
//! Chance comes from a seed, so a run can be repeated as far as the clock allows.

use std::cmp::Ordering as By;
use std::collections::{BinaryHeap, HashMap};
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::random::Random;

/// The longest datagram of UDP over IPv4 is a little shorter.
const MAX_DATAGRAM_BYTES: usize = 65_536;

/// How long a thread that reads a socket goes on after the relay's end.
const READ_TIMEOUT: Duration = Duration::from_millis(50);

/// What happens to datagrams on their way, in each direction alike.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Weather {
    /// The share that is lost, from 0 to 1.
    pub loss: f64,
    /// The share that comes twice, from 0 to 1.
    pub doubled: f64,
    /// The shortest time on the way.
    pub delay: Duration,
    /// What may be added to it; more than the distance of two datagrams reorders them.
    pub jitter: Duration,
}

/// A relay to one server, for any number of clients, each of which the server sees at a port of
/// its own. Dropping it ends it.
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    over: AtomicBool,
    front: UdpSocket,
    state: Mutex<State>,
}

struct State {
    server: SocketAddr,
    weather: Weather,
    random: Random,
    /// The socket that stands for each client at the server.
    clients: HashMap<SocketAddr, Arc<UdpSocket>>,
    air: Sender<Flight>,
    /// Numbers the flights, so that those of one moment keep their order.
    flown: u64,
}

/// A datagram on its way.
struct Flight {
    arrives_at: Instant,
    number: u64,
    bytes: Vec<u8>,
    /// By which socket it goes on, and where to; `None`: by the relay's own.
    socket: Option<Arc<UdpSocket>>,
    to: SocketAddr,
}

impl Relay {
    /// Starts one on a free loopback port.
    #[track_caller]
    pub fn start(server: SocketAddr, weather: Weather, seed: u64) -> Self {
        let front = socket();
        let address = front.local_addr().expect("a bound socket has an address");
        let (air, flights) = mpsc::channel();
        let shared = Arc::new(Shared {
            over: AtomicBool::new(false),
            front,
            state: Mutex::new(State {
                server,
                weather,
                random: Random::new(seed),
                clients: HashMap::new(),
                air,
                flown: 0,
            }),
        });
        let threads = vec![
            spawn({
                let shared = Arc::clone(&shared);
                move || fly(&shared, &flights)
            }),
            spawn({
                let shared = Arc::clone(&shared);
                move || {
                    shared.read(&shared.front, |bytes, client| {
                        let socket = shared.upstream(client);
                        let server = shared.state().server;
                        shared.state().launch(bytes, Some(socket), server);
                        true
                    });
                }
            }),
        ];
        Self {
            address,
            shared,
            threads,
        }
    }

    /// What clients take for the server's address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the weather from now on.
    pub fn set_weather(&self, weather: Weather) {
        self.shared.state().weather = weather;
    }

    /// Datagrams go to another server from now on: the old one's next life.
    pub fn set_server(&self, server: SocketAddr) {
        self.shared.state().server = server;
    }

    /// From its next datagram on each client seems to write from another port. What the server
    /// sends to the old ports reaches nobody.
    pub fn rebind(&self) {
        self.shared.state().clients.clear();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        self.rebind();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The socket that stands for a client, which is made when the client first writes.
    fn upstream(self: &Arc<Self>, client: SocketAddr) -> Arc<UdpSocket> {
        let mut state = self.state();
        let socket = state.clients.entry(client).or_insert_with(|| {
            let socket = Arc::new(socket());
            let (shared, own) = (Arc::clone(self), Arc::clone(&socket));
            spawn(move || {
                shared.read(&own, |bytes, _| {
                    let mut state = shared.state();
                    let current = state.clients.get(&client);
                    let bound = current.is_some_and(|current| Arc::ptr_eq(current, &own));
                    if bound {
                        state.launch(bytes, None, client);
                    }
                    bound
                });
            });
            socket
        });
        Arc::clone(socket)
    }

    /// Reads datagrams until `take` has enough or the relay ends.
    fn read(&self, socket: &UdpSocket, mut take: impl FnMut(&[u8], SocketAddr) -> bool) {
        let mut bytes = vec![0; MAX_DATAGRAM_BYTES];
        while !self.over.load(Ordering::SeqCst) {
            match socket.recv_from(&mut bytes) {
                Ok((length, from)) => {
                    if !take(&bytes[..length], from) {
                        return;
                    }
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                    // An answer to what nobody was there to read.
                    ErrorKind::ConnectionRefused => {}
                    _ => panic!("the relay cannot read: {error}"),
                },
            }
        }
    }
}

impl State {
    /// Lets a datagram go, in as many copies as the weather leaves.
    fn launch(&mut self, bytes: &[u8], socket: Option<Arc<UdpSocket>>, to: SocketAddr) {
        let weather = self.weather;
        let copies = 1 + usize::from(self.random.share() < weather.doubled);
        for _ in 0..copies {
            if self.random.share() < weather.loss {
                continue;
            }
            self.flown += 1;
            let late = weather.jitter.mul_f64(self.random.share());
            let flight = Flight {
                arrives_at: Instant::now() + weather.delay + late,
                number: self.flown,
                bytes: bytes.to_vec(),
                socket: socket.clone(),
                to,
            };
            // The other end is gone only when the relay is.
            let _ = self.air.send(flight);
        }
    }
}

/// Hands datagrams on when their time has come.
fn fly(shared: &Shared, flights: &Receiver<Flight>) {
    let mut air = BinaryHeap::<Flight>::new();
    while !shared.over.load(Ordering::SeqCst) {
        let now = Instant::now();
        while air.peek().is_some_and(|next| next.arrives_at <= now) {
            let Some(flight) = air.pop() else { break };
            let socket = flight.socket.as_deref().unwrap_or(&shared.front);
            // What cannot be delivered is lost, as on any network.
            let _ = socket.send_to(&flight.bytes, flight.to);
        }
        let wait = air
            .peek()
            .map_or(READ_TIMEOUT, |next| next.arrives_at - now);
        match flights.recv_timeout(wait.min(READ_TIMEOUT)) {
            Ok(flight) => air.push(flight),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has a free port");
    socket
        .set_read_timeout(Some(READ_TIMEOUT))
        .expect("a time-out above zero");
    socket
}

fn spawn(work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    thread::Builder::new()
        .name("relay".to_owned())
        .spawn(work)
        .expect("the machine has a thread left for the test")
}

/// The next to arrive is the greatest.
impl Ord for Flight {
    fn cmp(&self, other: &Self) -> By {
        let key = |flight: &Self| (flight.arrives_at, flight.number);
        key(other).cmp(&key(self))
    }
}

impl PartialOrd for Flight {
    fn partial_cmp(&self, other: &Self) -> Option<By> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Flight {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == By::Equal
    }
}

impl Eq for Flight {}

#[cfg(test)]
mod tests {
    use super::*;

    const CALM: Weather = Weather {
        loss: 0.0,
        doubled: 0.0,
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
    };

    fn end() -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        socket
    }

    fn receive(socket: &UdpSocket) -> (u8, SocketAddr) {
        let mut byte = [0];
        let (_, from) = socket.recv_from(&mut byte).unwrap();
        (byte[0], from)
    }

    #[test]
    fn datagrams_go_both_ways_and_a_rebound_client_has_another_port() {
        let (server, client) = (end(), end());
        let relay = Relay::start(server.local_addr().unwrap(), CALM, 1);
        let mut ports = Vec::new();
        for round in 0..3 {
            client.send_to(&[round], relay.address()).unwrap();
            let (got, from) = receive(&server);
            assert_eq!(got, round);
            server.send_to(&[100 + round], from).unwrap();
            assert_eq!(receive(&client), (100 + round, relay.address()));
            ports.push(from.port());
            if round == 1 {
                relay.rebind();
                server.send_to(&[200], from).unwrap(); // reaches nobody
            }
        }
        assert!(ports[0] == ports[1] && ports[1] != ports[2], "{ports:?}");
    }

    #[test]
    fn weather_comes_in_shares() {
        let (server, client) = (end(), end());
        let weather = Weather {
            loss: 0.3,
            doubled: 0.5,
            jitter: Duration::from_millis(20),
            ..CALM
        };
        let relay = Relay::start(server.local_addr().unwrap(), weather, 2);
        for number in 0..200 {
            client.send_to(&[number], relay.address()).unwrap();
        }
        // The seed decides how many copies come through: 202 and a few.
        let mut got: Vec<_> = (0..202).map(|_| receive(&server).0).collect();
        assert!(!got.is_sorted(), "nothing overtook anything");
        got.sort();
        got.dedup();
        // Lost are 30 % of those that went once, 9 % of those that went twice: 39 on the average.
        assert!((140..=180).contains(&got.len()), "{} of 200", got.len());
        assert!(got.len() < 202, "nothing came twice");
    }
}
