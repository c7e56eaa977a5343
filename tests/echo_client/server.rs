//! The client under test, and the servers it talks to.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use echo_client::{LocalServer, Wire};
use proto::MAX_ECHO_BYTES;
use testbed::{Program, TIME_LIMIT};

pub(crate) const FRAMED: Wire = Wire::Framed {
    max_message: MAX_ECHO_BYTES,
};

/// The binary, without flags.
pub(crate) fn echo_client() -> Program {
    Program::new(env!("CARGO_BIN_EXE_echo-client"))
}

/// The binary with the flags that lead to a server.
pub(crate) fn client_of(address: SocketAddr) -> Program {
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    echo_client().args(["--host", &host, "--port", &port])
}

/// An echo server that lives as long as the test's process, and where it listens.
pub(crate) fn echo_server(wire: Wire) -> SocketAddr {
    LocalServer::start(wire, None).unwrap().address()
}

/// A server that does to its one client what the test wants.
pub(crate) struct FakeServer<T> {
    pub(crate) address: SocketAddr,
    thread: JoinHandle<T>,
}

impl<T: Send + 'static> FakeServer<T> {
    /// The connection is closed when `converse` drops it.
    pub(crate) fn start(converse: impl FnOnce(TcpStream) -> T + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let thread = thread::spawn(move || {
            let (client, _) = listener.accept().unwrap();
            client.set_read_timeout(Some(TIME_LIMIT)).unwrap();
            converse(client)
        });
        Self { address, thread }
    }

    /// What came of the conversation, once it is over.
    pub(crate) fn join(self) -> T {
        self.thread.join().unwrap()
    }
}

/// Everything until the client closes its side.
pub(crate) fn read_all(client: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    client.read_to_end(&mut bytes).unwrap();
    bytes
}

/// The next bytes, as many as are wanted.
pub(crate) fn read<const N: usize>(client: &mut TcpStream) -> [u8; N] {
    let mut bytes = [0; N];
    client.read_exact(&mut bytes).unwrap();
    bytes
}
