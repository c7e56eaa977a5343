//! An echo server in a few lines: each client gets a thread, which sends back what it reads.
//!
//! `cargo run -p tcp-server --example echo`, then `nc 127.0.0.1 9090`. The crate around this file adds what a server
//! for others needs: limits, time-outs, a stop, and a log.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:9090")?;
    println!("listening on {}", listener.local_addr()?);
    serve(&listener)
}

/// Serves each client on a thread of its own.
pub(crate) fn serve(listener: &TcpListener) -> io::Result<()> {
    loop {
        let (client, _) = listener.accept()?;
        thread::spawn(move || echo(client));
    }
}

fn echo(mut client: TcpStream) -> io::Result<()> {
    let mut portion = [0; 1024];
    loop {
        match client.read(&mut portion)? {
            0 => return Ok(()),
            count => client.write_all(&portion[..count])?,
        }
    }
}
