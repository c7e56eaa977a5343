//! Unfinished messages of all clients together cannot take the server's memory.

#![cfg(target_os = "linux")]

use std::io::Write;
use std::net::TcpStream;

use proto::MAX_ECHO_BYTES;

use crate::server::{Server, expect_echo};

/// Together much more than the 256 MiB that a server keeps, even with the threads and what the allocator needs besides.
const CLIENTS: usize = 448;

#[cfg_attr(windows, ignore = "Wine is too slow for it")]
#[test]
fn frames_one_byte_short_of_their_end_take_bounded_memory() {
    cli::raise_descriptor_limit().unwrap();
    let server = Server::start(&["--log-level", "warn"]);
    let mut witness = server.connect();
    let frame = [
        &(MAX_ECHO_BYTES as u32).to_be_bytes()[..],
        &vec![b'x'; MAX_ECHO_BYTES - 1],
    ]
    .concat();
    let mut held: Vec<TcpStream> = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = server.connect();
        // The server may end this very connection while it sends.
        let _ = client.write_all(&frame);
        held.push(client);
        expect_echo(&mut witness, "still here");
    }
    let memory = server.memory().unwrap();
    assert!(memory.peak < (256 + 96) << 20, "{memory:?}");
    drop(held);
    expect_echo(&mut witness, "and after it");
    server.stop();
}
