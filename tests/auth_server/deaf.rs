//! Clients that ask for megabytes and read nothing.

use std::io::Cursor;

use proto::FramedSocket;
use testbed::{in_parallel, write_until_blocked};

use crate::server::{PASSWORD, Server, plain, resume};

const DEAF: usize = 4;

fn sessions() -> Vec<u8> {
    let mut wire = Cursor::new(vec![]);
    wire.send_json(&plain("sessions")).unwrap();
    wire.into_inner()
}

#[cfg_attr(windows, ignore = "Wine is too slow for it")]
#[test]
fn clients_that_read_nothing_cost_little_and_delay_nobody() {
    let server = Server::start(&["--idle-timeout", "0"]);
    let (mut known, token) = server.register("anna", PASSWORD);
    let list = known.ask(plain("sessions")).to_string();
    let mut deaf: Vec<_> = (0..DEAF).map(|_| server.connect()).collect();
    for client in &mut deaf {
        client.ask(resume(&token));
    }
    let before = server.running.memory();
    in_parallel(&mut deaf, |client| {
        let owed = write_until_blocked(&client.socket, &sessions()) * list.len();
        assert!(owed > 10 << 20, "{owed}");
    });
    if let (Some(before), Some(after)) = (before, server.running.memory()) {
        // A stack, and what is read and written at once.
        let each = (after.peak - before.resident) / DEAF as u64;
        assert!(each < 400 << 10, "{each} bytes each");
    }
    // They stay as they are, and the others are served.
    for _ in 0..10 {
        let mut other = server.connect();
        other.enter("login", "anna", PASSWORD);
        other.ask(plain("logout"));
        known.is("anna");
    }
    server.stop();
}

#[cfg_attr(windows, ignore = "Wine is too slow for it")]
#[test]
fn a_client_that_reads_nothing_is_disconnected() {
    let server = Server::start(&["--idle-timeout", "1"]);
    let (deaf, _) = server.register("anna", PASSWORD);
    write_until_blocked(&deaf.socket, &sessions());
    let line = server.log().wait_for("client disconnected");
    let reason = "the client read nothing for 1 s";
    assert!(line.contains(reason), "{line}");
}
