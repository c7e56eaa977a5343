//! An echo server with frames: the same server as `crates/tcp-server/examples/echo.rs`, but what comes back are whole
//! messages.
//!
//! `cargo run -p proto --example framed_echo`, then `cargo run -p echo-client`.

use std::error::Error;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::thread;

use proto::{FramedSocket, FramedStream, MAX_ECHO_BYTES};

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

fn echo(socket: TcpStream) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut client = FramedStream::new(socket);
    while let Some(text) = client.recv_text(MAX_ECHO_BYTES)? {
        if text == "exit" {
            break;
        }
        client.send_text(&text)?;
    }
    Ok(())
}
