//! Out of descriptors: clients wait, the store cannot compact its file, and nothing is lost.

use std::fs;

use serde_json::json;
use testbed::{Folder, in_parallel};

use crate::server::{Client, DATA_FILE, Server, program, welcome};

/// With this many outdated lines a store compacts its file at the next change.
const OUTDATED: usize = 1_000;

/// A folder with a file that is to be compacted, in which 127.0.0.1 is Anna.
fn folder_to_compact() -> Folder {
    let folder = Folder::new();
    fs::create_dir(folder.join("data")).unwrap();
    let line = "{\"key\":\"127.0.0.1\",\"value\":{\"name\":\"Anna\"}}\n";
    fs::write(folder.join(DATA_FILE), line.repeat(1 + OUTDATED)).unwrap();
    folder
}

fn lines(folder: &Folder) -> usize {
    let text = fs::read_to_string(folder.join(DATA_FILE)).unwrap();
    text.lines().count()
}

fn rename(client: &mut Client, name: &str) {
    let reply = client.ask(json!({"type": "rename", "name": name}));
    assert_eq!(reply, welcome(name));
}

#[cfg_attr(windows, ignore = "Windows has no shell and tools of Unix")]
#[test]
fn what_waited_for_descriptors_is_done_when_there_are_some() {
    let folder = folder_to_compact();
    let program = program().in_folder(&folder).prelude("ulimit -n 40");
    let server = Server::run(&program);
    let mut first = server.greet("127.0.0.1", "Anna");
    let others: Vec<_> = (1..=60)
        .map(|number| server.connect_from(&format!("127.5.0.{number}")))
        .collect();
    server.log().wait_for("cannot accept clients: ");
    rename(&mut first, "Bo");
    server.log().wait_for("cannot compact data/clients.jsonl: ");
    rename(&mut first, "Carl");
    assert_eq!(lines(&folder), 1 + OUTDATED + 2);

    drop(others);
    server.log().wait_for("clients are served again, after ");
    let mut crowd: Vec<_> = (1..=10).map(|number| format!("127.5.1.{number}")).collect();
    // The store tries again when the file is half as long again.
    in_parallel(&mut crowd, |address| {
        let mut client = server.register(address, "Dora");
        for change in 0..100 {
            rename(&mut client, &format!("Dora {change}"));
        }
    });
    assert!(lines(&folder) < OUTDATED, "{}", lines(&folder));
    server.stop();
    let server = Server::start_in(&folder);
    server.greet("127.0.0.1", "Carl");
    for address in &crowd {
        server.greet(address, "Dora 99");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_compaction_fails_harmlessly_wherever_descriptors_end() {
    for spare in 0..5 {
        let folder = folder_to_compact();
        let server = Server::start_in(&folder);
        let mut client = server.greet("127.0.0.1", "Anna");
        let open = server.running.descriptors().unwrap();
        let limit = Some((open + spare) as u64);
        server.running.restrict(testbed::Resource::Nofile, limit);
        // The second reports what the first has left behind.
        rename(&mut client, "Bo");
        rename(&mut client, "Carl");
        server.running.restrict(testbed::Resource::Nofile, None);
        server.greet("127.0.0.1", "Carl");
        drop(client);
        server.stop();
        Server::start_in(&folder).greet("127.0.0.1", "Carl");
    }
}
