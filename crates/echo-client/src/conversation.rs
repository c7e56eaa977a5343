//! One dialogue with a server: two threads and the ledger between them.

use std::io::{self, BufRead, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::Wire;
use crate::error::Error;
use crate::ledger::{Ledger, Totals};
use crate::page::{Page, Screen};
use crate::receiving::receive_all;
use crate::sending::send_all;

const PROMPT: &str = "> ";

/// A dialogue over a connected socket.
pub struct Conversation {
    socket: Arc<TcpStream>,
    wire: Wire,
    ledger: Arc<Ledger>,
}

impl Conversation {
    /// A dialogue that ends when for `timeout` nothing moves although something is owed.
    #[must_use]
    pub fn new(socket: TcpStream, wire: Wire, timeout: Duration) -> Self {
        Self {
            socket: Arc::new(socket),
            wire,
            ledger: Arc::new(Ledger::new(wire, timeout)),
        }
    }

    /// What passed so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.ledger.totals()
    }

    /// Sends the lines of `input`, prints what comes back to `output`, and returns when the input
    /// is at its end (or a line was `exit`) and everything owed has come and is printed.
    ///
    /// A thread that waits for `input` goes on waiting after an error; the process may end without it.
    ///
    /// # Errors
    ///
    /// What kept the dialogue from its end. Whatever came before it is printed.
    pub fn run(
        &self,
        mut input: impl BufRead + Send + 'static,
        output: impl Write + Send + 'static,
        screen: Screen,
    ) -> Result<(), Error> {
        let (wire, ledger, socket) = (
            self.wire,
            Arc::clone(&self.ledger),
            Arc::clone(&self.socket),
        );
        let receiver = thread::Builder::new()
            .name("receiver".into())
            .spawn(move || {
                let mut page = Page::new(output, screen.is_terminal);
                receive_all(&mut &*socket, &mut page, wire, &ledger, || prompt(screen));
            });
        receiver.map_err(Error::Thread)?;

        prompt(screen);
        let (ledger, socket) = (Arc::clone(&self.ledger), Arc::clone(&self.socket));
        let sender = thread::Builder::new()
            .name("sender".into())
            .spawn(move || send_all(&mut input, &socket, wire, &ledger));
        sender.map_err(Error::Thread)?;

        let end = self.ledger.settled();
        // Wakes the receiver, should it still wait. The socket may be gone already.
        let _ = self.socket.shutdown(Shutdown::Both);
        end
    }
}

/// Shows a person that it is their turn.
fn prompt(screen: Screen) {
    if screen.has_prompt {
        // Only a person misses it.
        let _ = io::stderr().write_all(PROMPT.as_bytes());
    }
}
