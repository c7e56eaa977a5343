//! Clients without pause cost few lines of the log, and the log counts what each did.

use std::time::Instant;

use serde_json::json;
use testbed::Folder;

use crate::log_lines::expect_budgeted;
use crate::server::Server;

const LOG: &str = "logs/ident-server.log";
const VISITS: usize = 1_500;
const CHANGES: usize = 1_000;

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn visits_without_pause_cost_few_greetings_and_each_is_counted() {
    let folder = Folder::new();
    let server = Server::start_in(&folder);
    let asking = Instant::now();
    for _ in 0..VISITS {
        server.connect_from("127.0.0.2").hear();
    }
    let asked = asking.elapsed().as_secs();
    drop(server.register("127.0.0.1", "Anna"));
    let greeting = Instant::now();
    for _ in 0..VISITS {
        server.greet("127.0.0.1", "Anna");
    }
    let greeted = greeting.elapsed().as_secs();
    server.stop();
    expect_budgeted(&folder, LOG, "asked ", VISITS + 1, asked);
    expect_budgeted(&folder, LOG, "greeted", VISITS + 1, greeted);
}

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn changes_without_pause_cost_few_lines_and_each_is_counted() {
    let folder = Folder::new();
    let server = Server::start_in(&folder);
    let mut client = server.register("127.0.0.1", "Anna");
    let began = Instant::now();
    for change in 0..CHANGES {
        let name = format!("Anna {change}");
        client.ask(json!({"type": "rename", "name": name}));
    }
    let seconds = began.elapsed().as_secs();
    drop(client);
    server.stop();
    expect_budgeted(&folder, LOG, "renamed", CHANGES, seconds);
}
