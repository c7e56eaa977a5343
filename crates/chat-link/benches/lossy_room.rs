//! What a bad network costs, in virtual time: five members talk through a server as in the lab's comparison with
//! other protocols, each 60 texts of 60 bytes, five a second with up to 100 ms of jitter.
//!
//! `cargo bench -p chat-link --bench lossy_room`. The same figures come out on any machine.

#[path = "../tests/sim/mod.rs"]
mod sim;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chat_link::message::{Message, Notice, Request};
use chat_link::{Class, Event, StaticKey};
use sim::{CLIENT, NetProfile, SERVER, Sim, ms, seconds};
use testbed::Random;

const MEMBERS: u8 = 5;
const TEXTS: u64 = 60;
const SEEDS: u64 = 4;

fn main() {
    println!("delay  loss  median    p90    p99    max  packets  bytes a delivery");
    for delay in [0, 20] {
        for loss in [0, 5, 15, 30] {
            let mut figures = Figures::default();
            (0..SEEDS)
                .for_each(|seed| talk(seed, ms(delay), f64::from(loss) / 100.0, &mut figures));
            figures.print(delay, loss);
        }
    }
}

#[derive(Default)]
struct Figures {
    times: Vec<Duration>,
    packets: usize,
    bytes: usize,
}

impl Figures {
    fn print(&mut self, delay: u64, loss: i32) {
        self.times.sort_unstable();
        let count = self.times.len();
        let at = |share: f64| self.times[((count - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        println!(
            "{delay:3} ms {loss:3} % {:7.1} {:6.1} {:6.1} {:6.0} {:8.2} {:6}",
            at(0.5),
            at(0.9),
            at(0.99),
            at(1.0),
            self.packets as f64 / count as f64,
            (self.bytes + 28 * self.packets) / count,
        );
    }
}

fn talk(seed: u64, delay: Duration, loss: f64, figures: &mut Figures) {
    let clean = NetProfile {
        delay,

        ..NetProfile::default()
    };
    let mut sim = Sim::new(seed, MEMBERS, true, [clean; 2]);
    let mut random = Random::new(seed ^ 0xabcd);
    let key = StaticKey::from_private([1; 32]).public().key_id();
    let mut id = 0;
    // Ten rounds without loss, in which both ends learn the round trip.
    speak(&mut sim, &mut random, 10, key, &mut id, None);
    for side in sim.pairs.iter_mut().flatten() {
        side.profile.loss = loss;
        (side.datagrams, side.bytes) = (0, 0);
    }
    speak(&mut sim, &mut random, TEXTS, key, &mut id, Some(figures));
    for side in sim.pairs.iter().flatten() {
        figures.packets += side.datagrams;
        figures.bytes += side.bytes;
    }
}

/// Lets each member say so many texts, until all of them have arrived.
fn speak(
    sim: &mut Sim,
    random: &mut Random,
    texts: u64,
    key: chat_link::KeyId,
    id: &mut u64,
    mut figures: Option<&mut Figures>,
) {
    let mut plan: BTreeMap<(Instant, u8), String> = BTreeMap::new();
    let mut said = BTreeMap::new();
    for member in 0..MEMBERS {
        for number in 0..texts {
            let at = sim.now
                + ms(200 * number)
                + ms(200).mul_f64(f64::from(member) / f64::from(MEMBERS));
            let at = at + ms(100).mul_f64(random.share());
            plan.insert(
                (at, member),
                format!("{:<60}", format!("{}-{member}-{number}", figures.is_some())),
            );
        }
    }
    let deliveries = usize::from(MEMBERS) * texts as usize * usize::from(MEMBERS - 1);
    let mut delivered = 0;
    let limit = sim.now + seconds(60);
    while delivered < deliveries && sim.now < limit {
        let next = plan.keys().next().map_or(limit, |&(at, _)| at);
        sim.step(next);
        while let Some(entry) = plan.first_entry().filter(|entry| entry.key().0 <= sim.now) {
            let ((at, member), text) = entry.remove_entry();
            said.insert(text.clone(), at);
            let request = Message::encode(&Request::Say { text }).unwrap();
            sim.pairs[usize::from(member)][CLIENT]
                .link
                .send(&request, Class::Live, sim.now)
                .unwrap();
            sim.flush();
        }
        for author in 0..usize::from(MEMBERS) {
            for (_, event) in std::mem::take(&mut sim.pairs[author][SERVER].events) {
                let Event::Message(message) = event else {
                    continue;
                };
                *id += 1;
                relay(sim, author, &message, key, *id);
            }
        }
        for member in 0..usize::from(MEMBERS) {
            for (at, event) in std::mem::take(&mut sim.pairs[member][CLIENT].events) {
                let Event::Message(message) = event else {
                    continue;
                };
                if let Notice::Said { text, .. } = Notice::decode(&message).unwrap() {
                    delivered += 1;
                    if let Some(figures) = &mut figures {
                        figures.times.push(at - said[&text]);
                    }
                }
            }
        }
    }
    assert_eq!(delivered, deliveries);
}

/// What a room does with a text: relays it to all others, and confirms it to the author.
fn relay(sim: &mut Sim, author: usize, message: &[u8], key: chat_link::KeyId, id: u64) {
    let Request::Say { text } = Request::decode(message).unwrap() else {
        panic!("another request")
    };
    let (at, from, kind, history) = (
        1_790_000_000_000,
        "Anna".to_owned(),
        chat_link::message::Kind::Say,
        false,
    );
    let said = Message::encode(&Notice::Said {
        id,
        at,
        from,
        key,
        kind,
        text,
        history,
    })
    .unwrap();
    let confirmed = Message::encode(&Notice::Confirmed {
        request: id,
        id,
        at,
    })
    .unwrap();
    let now = sim.now;
    for (index, pair) in sim.pairs.iter_mut().enumerate() {
        let (message, class) = if index == author {
            (&confirmed, Class::Lazy)
        } else {
            (&said, Class::Live)
        };
        pair[SERVER].link.send(message, class, now).unwrap();
    }
    sim.flush();
}
