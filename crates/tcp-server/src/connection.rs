//! What a client's thread shares with those who watch over all clients.

use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::turns::Turns;

/// A client's socket, and how its dialogue goes.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    pub(crate) turns: Turns,
    out_of_time: AtomicBool,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            turns: Turns::default(),
            out_of_time: AtomicBool::new(false),
        }
    }

    /// Wakes the thread that blocks on the socket.
    pub(crate) fn shut_down(&self, how: Shutdown) {
        // Fails when the peer is gone already, and then nobody blocks on it.
        let _ = self.stream.shutdown(how);
    }

    /// Ends the wait for the client, who had its time. What it sends after the server's half-close is answered with a reset.
    pub(crate) fn end_wait(&self) {
        self.out_of_time.store(true, Ordering::SeqCst);
        self.shut_down(Shutdown::Read);
    }

    pub(crate) fn is_out_of_time(&self) -> bool {
        self.out_of_time.load(Ordering::SeqCst)
    }
}
