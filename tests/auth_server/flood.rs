//! Requests without pause cost few lines of the log, and the log counts all of them.

use std::fs;
use std::time::Instant;

use proto::FramedSocket;
use serde_json::Value;
use testbed::Folder;

use crate::log_lines::expect_budgeted;
use crate::server::{Client, PASSWORD, SESSIONS_FILE, Server, plain, resume};

const LOG: &str = "logs/auth-server.log";
const REQUESTS: usize = 2_000;

/// Sends a request many times over one connection; the replies must have this type.
fn repeat(client: &mut Client, request: &Value, kind: &str) {
    let text = request.to_string();
    for _ in 0..REQUESTS / 100 {
        for _ in 0..100 {
            client.socket.send_text(&text).unwrap();
        }
        for _ in 0..100 {
            assert_eq!(client.hear()["type"], kind);
        }
    }
}

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn sessions_resumed_without_pause_cost_few_lines_and_each_is_counted() {
    let folder = Folder::new();
    let server = Server::start_in(&folder, &[]);
    let (mut client, token) = server.register("anna", PASSWORD);
    let began = Instant::now();
    repeat(&mut client, &resume(&token), "session");
    drop(client);
    server.stop();
    let seconds = began.elapsed().as_secs();
    expect_budgeted(&folder, LOG, "resumed session", REQUESTS, seconds);
}

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn requests_that_fail_without_pause_cost_few_lines_and_each_is_counted() {
    let folder = Folder::new();
    let server = Server::start_in(&folder, &[]);
    let (mut client, _) = server.register("anna", PASSWORD);
    // A store whose file is gone takes no changes.
    fs::remove_file(folder.join(SESSIONS_FILE)).unwrap();
    let began = Instant::now();
    repeat(&mut client, &plain("logout"), "error");
    drop(client);
    server.stop();
    let seconds = began.elapsed().as_secs();
    expect_budgeted(&folder, LOG, "cannot do what", REQUESTS, seconds);
}
