//! The service that most tests use, and limits for it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use proto::Observer;
use tcp_server::{BoxError, Client, EndReason, Limits, Service};

/// Limits that let one client be served at a time.
pub fn one_at_a_time() -> Limits {
    Limits {
        max_clients: 1,
        ..Limits::default()
    }
}

pub fn idle_after(millis: u64) -> Limits {
    Limits {
        idle_timeout: Some(Duration::from_millis(millis)),
        ..Limits::default()
    }
}

/// Gives every byte back. Lines are its messages, so that half a line is half a message.
pub struct LineEcho;

impl Service for LineEcho {
    fn serve(&self, client: &mut Client) -> Result<EndReason, BoxError> {
        let mut reporter = client.reporter();
        let mut portion = vec![0; 1 << 16];
        loop {
            let count = client.read(&mut portion)?;
            if count == 0 {
                return Ok("the client closed the connection");
            }
            let lines = portion[..count]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count();
            reporter.on_received(count, lines);
            client.write_all(&portion[..count])?;
            reporter.on_sent(count, lines);
        }
    }
}

pub fn say(socket: &mut TcpStream, line: &str) -> String {
    socket.write_all(line.as_bytes()).unwrap();
    let mut reply = vec![0; line.len()];
    socket.read_exact(&mut reply).unwrap();
    String::from_utf8(reply).unwrap()
}
