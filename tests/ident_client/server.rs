//! Servers inside the test: a true one, and one that says whatever the test wants.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use ident_server::{ClientKey, Ident, Names};
use proto::{FramedSocket, Name};
use tcp_server::{Limits, StopHandle, Totals, serve};
use tempfile::TempDir;
use testbed::Program;

/// The client, with the server's address.
pub fn client(server: SocketAddr) -> Program {
    let (host, port) = (server.ip().to_string(), server.port().to_string());
    Program::new(env!("CARGO_BIN_EXE_ident-client")).args(["--host", &host, "--port", &port])
}

/// An ident server on a port of its own, with a store of its own.
pub struct Server {
    pub address: SocketAddr,
    names: Arc<Names>,
    stop: StopHandle,
    thread: Option<JoinHandle<Totals>>,
    _folder: TempDir,
}

impl Server {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let names = Arc::new(Names::open(&folder.path().join("clients.jsonl")).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (ident, stop) = (Ident::new(Arc::clone(&names), None), StopHandle::new());
        let thread = thread::spawn({
            let stop = stop.clone();
            move || serve(listener, &Limits::default(), &stop, ident).unwrap()
        });
        Self {
            address,
            names,
            stop,
            thread: Some(thread),
            _folder: folder,
        }
    }

    /// The server knows clients from 127.0.0.1 by this name.
    pub fn knowing(name: &str) -> Self {
        let server = Self::start();
        let name = Name::parse(name).unwrap();
        let remembered = server.names.remember(&local_client(), name).unwrap();
        remembered.unwrap();
        server
    }

    /// By what name it knows clients from 127.0.0.1.
    pub fn known(&self) -> Option<String> {
        self.names.get(&local_client()).map(String::from)
    }

    /// Disconnects all clients.
    pub fn stop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn local_client() -> ClientKey {
    ClientKey::parse("127.0.0.1").unwrap()
}

/// Lets `talk` talk to the first client that connects.
pub fn impostor(talk: impl FnOnce(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || talk(listener.accept().unwrap().0));
    address
}

/// Says these texts, one for the greeting and one for each request, then waits until the client is gone.
pub fn saying(texts: &'static [&'static str]) -> SocketAddr {
    impostor(move |mut socket| {
        for text in texts {
            socket.send_text(text).unwrap();
            let _request = socket.recv_text(1 << 14);
        }
        while let Ok(Some(_)) = socket.recv_text(1 << 14) {}
    })
}

/// Sends these bytes, then waits until the client is gone.
pub fn sending(bytes: &'static [u8]) -> SocketAddr {
    impostor(move |mut socket| {
        socket.write_all(bytes).unwrap();
        while let Ok(Some(_)) = socket.recv_text(1 << 14) {}
    })
}
