//! kill -9 at random moments under load: what was acknowledged is there, what was requested may be, and nothing else
//! is. How often, and by which seed: `testbed::KillRounds`. What users do and check is in `simulated_users`.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use testbed::{Folder, KillRounds, Signal, in_parallel};

use crate::server::{SESSIONS_FILE, Server, USERS_FILE, program};
use crate::simulated_users::UserGroup;

const GROUPS: u64 = 6;

/// Acknowledgements of a round, at most.
const MAX_ACKNOWLEDGED: u64 = 10;

#[cfg_attr(windows, ignore = "Wine lets no open file be replaced")]
#[test]
fn kills_under_load_lose_nothing_that_was_acknowledged() {
    let mut kills = KillRounds::new();
    let folder = Folder::new();
    fs::create_dir(folder.join("data")).unwrap();
    for file in [USERS_FILE, SESSIONS_FILE] {
        fs::write(folder.join(file), "").unwrap();
    }
    let mut groups: Vec<_> = (0..GROUPS)
        .map(|number| UserGroup::new(number, kills.random.bits()))
        .collect();
    for _ in kills.rounds() {
        let server = start(&folder, &mut kills, &mut groups);
        let kill_switch = kills.kill_switch(&server.running, MAX_ACKNOWLEDGED);
        in_parallel(&mut groups, |group| {
            group.run_until_killed(&server, &kill_switch)
        });
        server.running.wait().expect_signal(Signal::KILL);
    }
    start(&folder, &mut kills, &mut groups).stop();
    let users: usize = groups.iter().map(|group| group.users.len()).sum();
    println!("users in the end: {users}");
}

/// Starts a server on files in any state, and checks that it knows what was acknowledged.
fn start(folder: &Folder, kills: &mut KillRounds, groups: &mut [UserGroup]) -> Server {
    let mut torn = vec![];
    for file in [USERS_FILE, SESSIONS_FILE] {
        // A store compacts when more than a thousand lines are out of date: here after some more changes.
        let live = keys(folder, file).len() as u64;
        let lines = 1_000 + live - kills.random.below(MAX_ACKNOWLEDGED);
        let next = r#"{"key":"nobody","value":{"name":"Nobody"}}"#;
        if kills.leave_torn_line(&folder.join(file), lines, next) {
            torn.push(file);
        }
    }
    let server = Server::run(&program().args(["--log-to", "console"]).in_folder(folder));
    for file in torn {
        server
            .running
            .wait_for_stderr_line(&format!("{file}: cut off line "));
    }
    in_parallel(groups, |group| group.check(&server));
    let users = groups.iter().flat_map(|group| &group.users);
    let names: BTreeSet<_> = users.clone().map(|user| user.name.clone()).collect();
    assert_eq!(keys(folder, USERS_FILE), names);
    let ids: BTreeSet<_> = users.flat_map(|user| user.session_ids()).collect();
    assert_eq!(keys(folder, SESSIONS_FILE), ids);
    server
}

/// The keys that a file has a value for, up to its last whole line.
fn keys(folder: &Folder, file: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(folder.join(file)).unwrap();
    let (whole, _) = text.rsplit_once('\n').unwrap_or_default();
    let mut keys = BTreeSet::new();
    for line in whole.lines().filter(|line| !line.is_empty()) {
        let record: Value = serde_json::from_str(line).unwrap();
        let key = record["key"].as_str().unwrap();
        match record["value"].is_null() {
            true => keys.remove(key),
            false => keys.insert(key.to_owned()),
        };
    }
    keys
}
