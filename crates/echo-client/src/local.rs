//! An echo server inside the client, so that one command shows a whole dialogue.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};

use echo_server::Echo;
use tcp_server::{Limits, StopHandle, serve};

use crate::Wire;

/// The most bytes that the server reads at once in raw mode, as the lab has it.
const PORTION: usize = 1024;

/// An echo server on a free port of the loopback.
pub struct LocalServer {
    address: SocketAddr,
    stop: StopHandle,
    thread: JoinHandle<()>,
}

impl LocalServer {
    /// Starts a server that speaks what the client does.
    ///
    /// # Errors
    ///
    /// When there is no port or no thread to be had.
    pub fn start(wire: Wire) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let echo = match wire {
            Wire::Framed { max_message } => Echo::Framed { max_message },
            Wire::Raw => Echo::Raw { portion: PORTION },
        };
        // Told here, so that it stands before what its first client tells.
        log::info!("server started, listening on {address}");
        let stop = StopHandle::new();
        let handle = stop.clone();
        let thread =
            thread::Builder::new()
                .name("local-server".into())
                .spawn(
                    move || match serve(listener, &Limits::default(), &handle, echo) {
                        Ok(totals) => log::info!("server stopped: {totals}"),
                        Err(error) => log::error!("the server failed: {error}"),
                    },
                )?;
        Ok(Self {
            address,
            stop,
            thread,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it, and waits until it has.
    pub fn stop(self) {
        self.stop.stop();
        // A panic of the server was told by the panic itself, and the dialogue is over anyway.
        let _ = self.thread.join();
    }
}
