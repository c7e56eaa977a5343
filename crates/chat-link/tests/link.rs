//! Links under a simulated network. A failure prints the seed.

#[path = "link/delivery.rs"]
mod delivery;
#[path = "link/hostile.rs"]
mod hostile;
#[path = "link/lifetime.rs"]
mod lifetime;
mod sim;

use chat_link::Class;
use chat_link::message::Message;
use sim::Sim;

/// A message that says its number.
fn numbered(number: u64) -> Message {
    Message::encode(&number).unwrap()
}

/// Sends these numbers from a side of the first pair, all now.
fn send(sim: &mut Sim, side: usize, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        sim.pairs[0][side]
            .link
            .send(&numbered(number), Class::Live, sim.now)
            .unwrap();
    }
    sim.flush();
}

/// The numbers that arrived at a side of the first pair.
fn arrived(sim: &Sim, side: usize) -> Vec<u64> {
    sim.pairs[0][side]
        .messages()
        .map(|message| serde_json::from_slice(message).unwrap())
        .collect()
}
