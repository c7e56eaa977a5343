//! Many clients at once.

use std::collections::HashSet;
use std::fs;
use std::sync::Barrier;
use std::thread;

use serde_json::json;

use crate::server::{DATA_FILE, Server, welcome};

const RACERS: usize = 100;
/// As many names as the loopback network may have.
const ADDRESSES: usize = 1_000;
const THREADS: usize = 16;

#[cfg_attr(windows, ignore = "Wine is too slow for it")]
#[test]
fn of_racing_connections_from_one_address_one_wins() {
    let server = Server::start(&[]);
    let start = Barrier::new(RACERS);
    let race = |number: usize| {
        let mut client = server.connect_from("127.0.0.1");
        assert_eq!(client.hear(), json!({"type": "who_are_you"}));
        start.wait();
        client.ask(json!({"type": "name", "name": format!("racer {number}")}))
    };
    let replies: HashSet<String> = thread::scope(|scope| {
        let racers = (0..RACERS).map(|number| scope.spawn(move || race(number)));
        let racers: Vec<_> = racers.collect();
        let replies = racers.into_iter().map(|racer| racer.join().unwrap());
        replies.map(|reply| reply.to_string()).collect()
    });
    assert_eq!(replies.len(), 1, "{replies:?}");
    let data = fs::read_to_string(server.folder().join(DATA_FILE)).unwrap();
    assert_eq!(data.lines().count(), 1, "{data}");
    let record: serde_json::Value = serde_json::from_str(&data).unwrap();
    let winner = record["value"]["name"].as_str().unwrap();
    assert!(
        replies.contains(&welcome(winner).to_string()),
        "{replies:?}"
    );
    server.greet("127.0.0.1", winner);
}

/// Runs `visit` for each address, many at once.
fn from_everywhere(visit: impl Fn(&str, &str) + Sync) {
    thread::scope(|scope| {
        for first in 0..THREADS {
            let visit = &visit;
            scope.spawn(move || {
                for number in (first..ADDRESSES).step_by(THREADS) {
                    let [.., high, low] = number.to_be_bytes();
                    visit(&format!("127.{high}.{low}.77"), &format!("client {number}"));
                }
            });
        }
    });
}

#[cfg_attr(windows, ignore = "Wine is too slow for it")]
#[test]
fn a_thousand_addresses_are_as_many_clients_and_one_more_is_too_many() {
    let server = Server::start(&[]);
    from_everywhere(|address, name| drop(server.register(address, name)));
    from_everywhere(|address, name| drop(server.greet(address, name)));
    let ask = |server: &Server| {
        let mut client = server.connect_from("127.0.0.1");
        assert_eq!(client.hear(), json!({"type": "who_are_you"}));
        client.refused(json!({"type": "name", "name": "Bo"}), "unavailable")
    };
    let why = ask(&server);
    assert!(
        why.starts_with("this network has 1000 names already"),
        "{why}"
    );
    let folder = server.stop();
    let server = Server::start_in(&folder);
    server
        .log()
        .wait_for("clients known from data/clients.jsonl: 1000");
    let mut client = server.greet("127.3.231.77", "client 999");
    ask(&server);
    assert_eq!(
        client.ask(json!({"type": "forget"})),
        json!({"type": "forgotten"})
    );
    server.register("127.0.0.1", "Bo");
}
