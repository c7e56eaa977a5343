//! A bad network between UDP programs: a relay that drops, duplicates, delays and reorders datagrams, and changes a
//! client's source port, as home routers do.
//!
//! Random choices come from a seed, so a run can be repeated as far as the clock allows.

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

/// How often reading threads check whether the relay has ended.
const READ_TIMEOUT: Duration = Duration::from_millis(50);

/// What happens to datagrams on their way, the same in both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NetProfile {
    /// The share that is dropped, from 0 to 1.
    pub loss: f64,
    /// The share that arrives twice, from 0 to 1.
    pub duplicated: f64,
    /// The shortest time in transit.
    pub delay: Duration,
    /// The longest time added to it at random; more than the gap between two datagrams reorders them.
    pub jitter: Duration,
}

/// A relay to one server for any number of clients. The server sees each client at a port of its own. Dropping the
/// relay ends it.
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    ended: AtomicBool,
    front: UdpSocket,
    state: Mutex<State>,
}

struct State {
    server: SocketAddr,
    profile: NetProfile,
    random: Random,
    /// The socket that represents each client at the server.
    clients: HashMap<SocketAddr, Arc<UdpSocket>>,
    in_transit: Sender<InTransit>,
    /// Numbers the datagrams, so that those due at the same moment keep their order.
    sent: u64,
}

/// A datagram on its way.
struct InTransit {
    arrives_at: Instant,
    number: u64,
    bytes: Vec<u8>,
    /// The socket that sends it on; `None`: the relay's own.
    socket: Option<Arc<UdpSocket>>,
    to: SocketAddr,
}

impl Relay {
    /// Starts one on a free loopback port.
    #[track_caller]
    pub fn start(server: SocketAddr, profile: NetProfile, seed: u64) -> Self {
        let front = socket();
        let address = front.local_addr().expect("a bound socket has an address");
        let (in_transit, arrivals) = mpsc::channel();
        let shared = Arc::new(Shared {
            ended: AtomicBool::new(false),
            front,
            state: Mutex::new(State {
                server,
                profile,
                random: Random::new(seed),
                clients: HashMap::new(),
                in_transit,
                sent: 0,
            }),
        });
        let threads = vec![
            spawn({
                let shared = Arc::clone(&shared);
                move || deliver(&shared, &arrivals)
            }),
            spawn({
                let shared = Arc::clone(&shared);
                move || {
                    shared.read(&shared.front, |bytes, client| {
                        let socket = shared.upstream(client);
                        let server = shared.state().server;
                        shared.state().send(bytes, Some(socket), server);
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

    /// The address that clients use as the server's.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the network's behaviour from now on.
    pub fn set_profile(&self, profile: NetProfile) {
        self.shared.state().profile = profile;
    }

    /// Sends datagrams to another server from now on, such as the old one after a restart.
    pub fn set_server(&self, server: SocketAddr) {
        self.shared.state().server = server;
    }

    /// Gives each client another source port from its next datagram on. What the server sends to the old ports is lost.
    pub fn rebind(&self) {
        self.shared.state().clients.clear();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
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

    /// The socket that represents a client, created at the client's first datagram.
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
                        state.send(bytes, None, client);
                    }
                    bound
                });
            });
            socket
        });
        Arc::clone(socket)
    }

    /// Reads datagrams until `take` returns false or the relay ends.
    fn read(&self, socket: &UdpSocket, mut take: impl FnMut(&[u8], SocketAddr) -> bool) {
        let mut bytes = vec![0; MAX_DATAGRAM_BYTES];
        while !self.ended.load(Ordering::SeqCst) {
            match socket.recv_from(&mut bytes) {
                Ok((length, from)) => {
                    if !take(&bytes[..length], from) {
                        return;
                    }
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                    // ICMP: an earlier datagram found no receiver.
                    ErrorKind::ConnectionRefused => {}
                    _ => panic!("the relay cannot read: {error}"),
                },
            }
        }
    }
}

impl State {
    /// Puts a datagram into transit, in as many copies as chance leaves.
    fn send(&mut self, bytes: &[u8], socket: Option<Arc<UdpSocket>>, to: SocketAddr) {
        let profile = self.profile;
        let copies = 1 + usize::from(self.random.share() < profile.duplicated);
        for _ in 0..copies {
            if self.random.share() < profile.loss {
                continue;
            }
            self.sent += 1;
            let late = profile.jitter.mul_f64(self.random.share());
            let datagram = InTransit {
                arrives_at: Instant::now() + profile.delay + late,
                number: self.sent,
                bytes: bytes.to_vec(),
                socket: socket.clone(),
                to,
            };
            // The receiving thread ends only with the relay.
            let _ = self.in_transit.send(datagram);
        }
    }
}

/// Sends each datagram on when it is due.
fn deliver(shared: &Shared, arrivals: &Receiver<InTransit>) {
    let mut waiting = BinaryHeap::<InTransit>::new();
    while !shared.ended.load(Ordering::SeqCst) {
        let now = Instant::now();
        while waiting.peek().is_some_and(|next| next.arrives_at <= now) {
            let Some(datagram) = waiting.pop() else { break };
            let socket = datagram.socket.as_deref().unwrap_or(&shared.front);
            // A datagram that cannot be sent is lost, as on any network.
            let _ = socket.send_to(&datagram.bytes, datagram.to);
        }
        let wait = waiting
            .peek()
            .map_or(READ_TIMEOUT, |next| next.arrives_at - now);
        match arrivals.recv_timeout(wait.min(READ_TIMEOUT)) {
            Ok(datagram) => waiting.push(datagram),
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

/// Reversed, since `BinaryHeap` pops the greatest: the earliest arrival is the greatest.
impl Ord for InTransit {
    fn cmp(&self, other: &Self) -> By {
        let key = |datagram: &Self| (datagram.arrives_at, datagram.number);
        key(other).cmp(&key(self))
    }
}

impl PartialOrd for InTransit {
    fn partial_cmp(&self, other: &Self) -> Option<By> {
        Some(self.cmp(other))
    }
}

impl PartialEq for InTransit {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == By::Equal
    }
}

impl Eq for InTransit {}

#[cfg(test)]
mod tests {
    use super::*;

    const PERFECT: NetProfile = NetProfile {
        loss: 0.0,
        duplicated: 0.0,
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
        let relay = Relay::start(server.local_addr().unwrap(), PERFECT, 1);
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
                server.send_to(&[200], from).unwrap(); // is lost
            }
        }
        assert!(ports[0] == ports[1] && ports[1] != ports[2], "{ports:?}");
    }

    #[test]
    fn datagrams_are_dropped_and_duplicated_in_the_given_shares() {
        let (server, client) = (end(), end());
        let profile = NetProfile {
            loss: 0.3,
            duplicated: 0.5,
            jitter: Duration::from_millis(20),
            ..PERFECT
        };
        let relay = Relay::start(server.local_addr().unwrap(), profile, 2);
        for number in 0..200 {
            client.send_to(&[number], relay.address()).unwrap();
        }
        // The seed decides how many copies come through: 202 and a few.
        let mut got: Vec<_> = (0..202).map(|_| receive(&server).0).collect();
        assert!(!got.is_sorted(), "nothing overtook anything");
        got.sort();
        got.dedup();
        // Of those sent once 30 % are lost, of those sent twice 9 %: 39 on average.
        assert!((140..=180).contains(&got.len()), "{} of 200", got.len());
        assert!(got.len() < 202, "nothing came twice");
    }
}
