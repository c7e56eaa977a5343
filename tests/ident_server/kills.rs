//! kill -9 at random moments under load: what was acknowledged is there, what was asked for may be, and nothing else
//! is. How often, and by which seed: `testbed::KillRounds`.
//!
//! A kill leaves the kernel alive, so what was written is there without an fsync. What a power cut leaves is tried by
//! the store's own tests, on a disk in memory; here each second kill is followed by what it may leave of a line, a
//! beginning.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};
use testbed::{Folder, KillRounds, KillSwitch, Random, Signal, TIME_LIMIT, in_parallel};

use crate::server::{Client, DATA_FILE, Server, welcome};

const STREETS: u64 = 8;
const HOUSES: u64 = 12;

/// Acknowledgements of a round, at most.
const MOST: u64 = 80;

/// Clients that one thread plays.
struct Street {
    random: Random,
    houses: Vec<House>,
}

/// One client.
struct House {
    address: String,
    name: Option<String>,
    /// What a request that was not answered may have made of the name.
    doubt: Option<Option<String>>,
}

#[cfg_attr(windows, ignore = "Wine lets no open file be replaced")]
#[test]
fn kills_under_load_lose_nothing_that_was_acknowledged() {
    let mut kills = KillRounds::new();
    let folder = Folder::new();
    fs::create_dir(folder.join("data")).unwrap();
    fs::write(folder.join(DATA_FILE), "").unwrap();
    let mut streets: Vec<_> = (0..STREETS)
        .map(|number| Street::new(number, kills.random.bits()))
        .collect();
    let mut cut_compactions = 0;
    for _ in kills.rounds() {
        let server = start(&folder, &mut kills, &mut streets);
        let kill_switch = kills.kill_switch(&server.running, MOST);
        in_parallel(&mut streets, |street| {
            street.live_under(&server, &kill_switch)
        });
        server.running.wait().expect_signal(Signal::KILL);
        cut_compactions += u32::from(temp_file(&folder).exists());
    }
    println!("kills during a compaction: {cut_compactions}");
    start(&folder, &mut kills, &mut streets).stop();
}

/// A server that knows what was acknowledged, in whatever state the file is.
fn start(folder: &Folder, kills: &mut KillRounds, streets: &mut [Street]) -> Server {
    // The store compacts when more than a thousand lines are out of date, so now it will after some more changes.
    let lines = 1_000 + STREETS * HOUSES - kills.random.below(MOST);
    let next = r#"{"key":"127.99.99.99","value":{"name":"Nobody"}}"#;
    let is_torn = kills.leave_torn_line(&folder.join(DATA_FILE), lines, next);
    let program = crate::server::program().args(["--log-to", "console"]);
    let server = Server::run(&program.in_folder(folder));
    if is_torn {
        let reported = format!("{DATA_FILE}: cut off line ");
        server.running.wait_for_stderr_line(&reported);
    }
    // The kill may have left names to erase, so a compaction may begin at once. A file that an earlier one left would
    // stop it.
    let begun = Instant::now();
    while temp_file(folder).exists() {
        assert!(begun.elapsed() < TIME_LIMIT, "the temporary file stays");
        thread::yield_now();
    }
    in_parallel(streets, |street| street.check(&server));
    assert_eq!(content(folder), known(streets));
    server
}

/// Exists while a compaction is under way.
fn temp_file(folder: &Folder) -> PathBuf {
    folder.join(format!("{DATA_FILE}.tmp"))
}

/// What the file says, in whole lines.
fn content(folder: &Folder) -> BTreeMap<String, String> {
    let text = fs::read_to_string(folder.join(DATA_FILE)).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "{text}");
    let mut names = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let record: Value = serde_json::from_str(line).unwrap();
        let key = record["key"].as_str().unwrap().to_owned();
        match record["value"]["name"].as_str() {
            Some(name) => names.insert(key, name.to_owned()),
            None => names.remove(&key),
        };
    }
    names
}

fn known(streets: &[Street]) -> BTreeMap<String, String> {
    let houses = streets.iter().flat_map(|street| &street.houses);
    houses
        .filter_map(|house| Some((house.address.clone(), house.name.clone()?)))
        .collect()
}

impl Street {
    fn new(number: u64, seed: u64) -> Self {
        let houses = (1..=HOUSES).map(|house| House {
            address: format!("127.1.{number}.{house}"),
            name: None,
            doubt: None,
        });
        Self {
            random: Random::new(seed),
            houses: houses.collect(),
        }
    }

    /// Each client must be known as it was left.
    fn check(&mut self, server: &Server) {
        for house in &mut self.houses {
            let greeting = server.connect_from(&house.address).hear();
            let found = greeting["name"].as_str().map(str::to_owned);
            let doubt = house.doubt.take();
            assert!(
                found == house.name || Some(&found) == doubt.as_ref(),
                "{} is {found:?} and was {:?}, perhaps {doubt:?}",
                house.address,
                house.name
            );
            house.name = found;
        }
    }

    /// Clients come and go until the server is gone.
    fn live_under(&mut self, server: &Server, kill_switch: &KillSwitch<'_>) {
        while self.visit(server, kill_switch).is_ok() {}
    }

    /// Changes a name or two of one client.
    fn visit(&mut self, server: &Server, kill_switch: &KillSwitch<'_>) -> io::Result<()> {
        let house = self.random.below(HOUSES) as usize;
        let house = &mut self.houses[house];
        let mut client = Client::try_connect(server.address, &house.address)?;
        let greeting = client.try_hear()?;
        assert_eq!(greeting["name"].as_str(), house.name.as_deref());
        for _ in 0..=self.random.below(2) {
            let name = format!("Имя {}", self.random.bits());
            let (request, name) = match (&house.name, self.random.below(3)) {
                (None, _) => (json!({"type": "name", "name": name}), Some(name)),
                (Some(_), 0) => (json!({"type": "forget"}), None),
                (Some(_), _) => (json!({"type": "rename", "name": name}), Some(name)),
            };
            house.doubt = Some(name.clone());
            let reply = client.try_ask(&request)?;
            let forgotten = json!({"type": "forgotten"});
            assert_eq!(reply, name.as_deref().map_or(forgotten, welcome));
            (house.name, house.doubt) = (name, None);
            kill_switch.count_ack();
        }
        Ok(())
    }
}
