//! What a bad network costs: ten users who talk through a relay that delays and reorders what it
//! carries, first when it loses nothing, then when it loses 30 % in each direction and doubles
//! 10 %. It fails unless each hears all that the others say, once and in order.
//!
//! `cargo bench -p udp-chat --bench loss`; under a minute.

mod crowd;

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::ensure;
use proto::chat::{Body, Notice, Request};
use testbed::{NetProfile, Relay};
use udp_chat::{Faults, RoomSettings, StopHandle, serve};

use crowd::{Crowd, nick};

const USERS: usize = 10;

/// What each of them says.
const MESSAGES: usize = 200;

/// To all but the author.
const DELIVERIES: usize = USERS * MESSAGES * (USERS - 1);

/// Each says 20 messages a second, as `udp-chat join` does in the long run.
const INTERVAL: Duration = Duration::from_millis(50);

/// The jitter is longer than the interval, so that datagrams overtake one another both ways.
const FAIR: NetProfile = NetProfile {
    loss: 0.0,
    duplicated: 0.0,
    delay: Duration::from_millis(5),
    jitter: Duration::from_millis(60),
};

const FOUL: NetProfile = NetProfile {
    loss: 0.3,
    duplicated: 0.1,
    ..FAIR
};

const SEED: u64 = 1;

/// Time for all to hear that all have joined, and for late doubles to come.
const REST: Duration = Duration::from_secs(2);

/// A talk takes 10 seconds where nothing is lost.
const TIME_LIMIT: Duration = Duration::from_secs(120);

fn main() -> anyhow::Result<()> {
    println!("lost doubled  deliveries  median ms  99 % ms  total s  datagrams/delivery");
    for profile in [FAIR, FOUL] {
        let talk = Talk::listen(profile)?;
        let times = talk.delivery_times()?;
        let ms = |percent: usize| times[times.len() * percent / 100].as_secs_f64() * 1e3;
        println!(
            "{:3.0}% {:6.0}% {:11} {:10.1} {:8.1} {:8.2} {:19.2}",
            profile.loss * 100.0,
            profile.duplicated * 100.0,
            times.len(),
            ms(50),
            ms(99),
            talk.time().as_secs_f64(),
            talk.datagrams as f64 / times.len() as f64,
        );
    }
    Ok(())
}

/// What was said and heard.
struct Talk {
    users: Vec<User>,
    /// What the users and the server sent, from the first hello to the last bye. The relay's own
    /// doubles do not count.
    datagrams: u64,
}

/// One user's part in it.
struct User {
    said: Vec<Instant>,
    heard: Vec<Heard>,
    /// How many datagrams it sent.
    sent: u64,
}

struct Heard {
    at: Instant,
    from: String,
    text: String,
}

/// Where the talk stands.
#[derive(Default)]
struct Stage {
    joined: AtomicUsize,
    begins_at: OnceLock<Instant>,
    heard: AtomicUsize,
    is_over: AtomicBool,
}

impl Talk {
    /// Lets the users talk through a relay until all is heard, or the time is over.
    fn listen(profile: NetProfile) -> anyhow::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        let stop = StopHandle::new(&socket)?;
        let relay = Relay::start(socket.local_addr()?, profile, SEED);
        let settings = RoomSettings {
            max_members: USERS,
            tell_texts: false,
            trace: false,
        };
        let server = thread::spawn({
            let stop = stop.clone();
            move || serve(&socket, settings, Faults::new(0, SEED), &stop)
        });

        let stage = Arc::new(Stage::default());
        let users: Vec<_> = (0..USERS)
            .map(|number| {
                let (server, stage) = (relay.address(), Arc::clone(&stage));
                thread::spawn(move || User::talk(number, server, &stage))
            })
            .collect();
        let all_joined = wait(&users, || stage.joined.load(Relaxed) == USERS);
        ensure!(all_joined, "not all have joined in {TIME_LIMIT:?}");
        stage.begins_at.get_or_init(|| Instant::now() + REST);
        // What is missing when it waits in vain is told below.
        wait(&users, || stage.heard.load(Relaxed) >= DELIVERIES);
        thread::sleep(REST);
        stage.is_over.store(true, Relaxed);

        let users: Vec<_> = users
            .into_iter()
            .map(|user| user.join().expect("a user that does not panic"))
            .collect();
        stop.stop();
        let totals = server.join().expect("a server that does not panic")?;
        let datagrams = totals.traffic.sent + users.iter().map(|user| user.sent).sum::<u64>();
        Ok(Self { users, datagrams })
    }

    /// How long each text took from its author to each other user, the shortest time first.
    ///
    /// # Errors
    ///
    /// When a text is missing, doubled, changed, out of its author's order or heard by its author.
    fn delivery_times(&self) -> anyhow::Result<Vec<Duration>> {
        let mut times = Vec::with_capacity(DELIVERIES);
        for (listener, user) in self.users.iter().enumerate() {
            for (author, other) in self.users.iter().enumerate() {
                let from = nick(author);
                let said = if author == listener {
                    &[]
                } else {
                    &other.said[..]
                };
                let heard = user.heard.iter().filter(|heard| heard.from == from);
                let heard: Vec<_> = heard.collect();
                let right = (0..)
                    .zip(&heard)
                    .take_while(|(number, heard)| heard.text == text(*number))
                    .count();
                ensure!(
                    right == said.len() && right == heard.len(),
                    "{} heard {} texts of {from}, the first {right} as they were said; said were {}",
                    nick(listener),
                    heard.len(),
                    said.len(),
                );
                times.extend(heard.iter().zip(said).map(|(heard, &said)| heard.at - said));
            }
        }
        let deliveries = times.len();
        ensure!(deliveries == DELIVERIES, "{deliveries} of {DELIVERIES}");
        times.sort_unstable();
        Ok(times)
    }

    /// From the first word said to the last one heard.
    fn time(&self) -> Duration {
        let said = self.users.iter().flat_map(|user| &user.said).min();
        let heard = self.users.iter().flat_map(|user| &user.heard);
        let last = heard.map(|heard| heard.at).max();
        last.zip(said)
            .map_or(Duration::ZERO, |(last, &first)| last - first)
    }
}

impl User {
    /// Joins, says its texts when their time comes, and listens until it is over.
    fn talk(number: usize, server: SocketAddr, stage: &Stage) -> Self {
        let (mut said, mut heard, mut sent) = (Vec::new(), Vec::new(), 0);
        let mut user = Crowd::new(server, |notice| {
            let at = Instant::now();
            let notice = Notice::decode(notice).expect("the server sends notices");
            if let Notice::Said { from, text, .. } = notice {
                heard.push(Heard { at, from, text });
                stage.heard.fetch_add(1, Relaxed);
            }
        });
        let session = user.join(number);
        stage.joined.fetch_add(1, Relaxed);
        // Not all speak at the same moment.
        let late = INTERVAL * number as u32 / USERS as u32;
        while !stage.is_over.load(Relaxed) {
            user.receive();
            let now = Instant::now();
            let next = said.len();
            let due = |begins_at: &Instant| *begins_at + late + INTERVAL * next as u32 <= now;
            if next < MESSAGES && stage.begins_at.get().is_some_and(due) {
                let (text, more) = (text(next), false);
                let message = Body::new(&Request::Say { text, more }).expect("it is short");
                // It waits in the link, and that counts, while the window is full.
                let queued = user.link(session).send(message);
                queued.expect("fewer are said than may wait");
                said.push(now);
            }
            sent = user.tick(now);
        }
        Self { said, heard, sent }
    }
}

/// Waits until `done`, as long as a talk may take, and tells whether it is.
fn wait(users: &[JoinHandle<User>], done: impl Fn() -> bool) -> bool {
    let until = Instant::now() + TIME_LIMIT;
    while !done() && Instant::now() < until {
        assert!(!users.iter().any(JoinHandle::is_finished), "a user is gone");
        thread::sleep(Duration::from_millis(10));
    }
    done()
}

fn text(number: usize) -> String {
    format!("{number}: the quick brown fox jumps over the lazy dog.")
}
