//! Clients that ask for megabytes and read nothing.

use std::io::Cursor;

use proto::FramedSocket;
use serde_json::json;
use testbed::{in_parallel, write_until_blocked};

use crate::server::{Server, welcome};

const DEAF: usize = 4;

fn whoami() -> Vec<u8> {
    let mut wire = Cursor::new(vec![]);
    wire.send_text(r#"{"type":"whoami"}"#).unwrap();
    wire.into_inner()
}

#[cfg_attr(windows, ignore = "Wine is too slow for it")]
#[test]
fn clients_that_read_nothing_cost_little_and_delay_nobody() {
    let server = Server::start(&["--idle-timeout", "0"]);
    let name = "я".repeat(64);
    let mut known = server.register("127.0.0.1", &name);
    let mut deaf: Vec<_> = (0..DEAF)
        .map(|_| server.greet("127.0.0.1", &name))
        .collect();
    let before = server.running.memory();
    in_parallel(&mut deaf, |client| {
        let owed = write_until_blocked(&client.socket, &whoami()) * name.len();
        assert!(owed > 10 << 20, "{owed}");
    });
    if let (Some(before), Some(after)) = (before, server.running.memory()) {
        // A stack, and what is read and written at once.
        let each = (after.peak - before.resident) / DEAF as u64;
        assert!(each < 400 << 10, "{each} bytes each");
    }
    // They stay as they are, and the others are served.
    for number in 0..100 {
        let name = format!("Anna {number}");
        let reply = known.ask(json!({"type": "rename", "name": name}));
        assert_eq!(reply, welcome(&name));
        server.greet("127.0.0.1", &name);
    }
    server.stop();
}

#[cfg_attr(windows, ignore = "Wine is too slow for it")]
#[test]
fn a_client_that_reads_nothing_is_disconnected() {
    let server = Server::start(&["--idle-timeout", "1"]);
    let deaf = server.register("127.0.0.1", &"я".repeat(64));
    write_until_blocked(&deaf.socket, &whoami());
    let reported = server.log().wait_for("client disconnected");
    let reason = "the client read nothing for 1 s";
    assert!(reported.contains(reason), "{reported}");
}
