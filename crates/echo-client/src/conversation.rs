//! One dialogue with a server: two threads and the progress between them.

use std::io::{BufRead, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::Wire;
use crate::error::Error;
use crate::progress::{Progress, Totals};
use crate::receiving::receive_all;
use crate::reply_printer::ReplyPrinter;
use crate::sending::send_all;

/// A dialogue over a connected socket.
pub struct Conversation {
    socket: Arc<TcpStream>,
    wire: Wire,
    progress: Arc<Progress>,
}

impl Conversation {
    /// A dialogue that ends when for `timeout` nothing moves although something is owed.
    #[must_use]
    pub fn new(socket: TcpStream, wire: Wire, timeout: Duration) -> Self {
        Self {
            socket: Arc::new(socket),
            wire,
            progress: Arc::new(Progress::new(wire, timeout)),
        }
    }

    /// What passed so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.progress.totals()
    }

    /// Whether what came back is what was sent, all of it: true after a dialogue with an echo server.
    #[must_use]
    pub fn is_echo(&self) -> bool {
        self.progress.is_echo()
    }

    /// Sends the lines of `input`, prints what comes back to `output`, and returns when the input
    /// is at its end (or a line was `exit`) and everything owed has come and is printed. On a
    /// terminal, control characters are printed as escapes. `prompt` is called whenever it is the
    /// input's turn: nothing is owed, and what came is printed.
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
        is_terminal: bool,
        mut prompt: impl FnMut() + Send + 'static,
    ) -> Result<(), Error> {
        let (wire, progress, socket) = (
            self.wire,
            Arc::clone(&self.progress),
            Arc::clone(&self.socket),
        );
        prompt();
        let receiver = thread::Builder::new()
            .name("receiver".into())
            .spawn(move || {
                let mut printer = ReplyPrinter::new(output, is_terminal);
                receive_all(&mut &*socket, &mut printer, wire, &progress, prompt);
            });
        receiver.map_err(Error::Thread)?;

        let (progress, socket) = (Arc::clone(&self.progress), Arc::clone(&self.socket));
        let sender = thread::Builder::new()
            .name("sender".into())
            .spawn(move || send_all(&mut input, &socket, wire, &progress));
        sender.map_err(Error::Thread)?;

        let end = self.progress.wait();
        // Wakes the receiver, should it still wait. The socket may be gone already.
        let _ = self.socket.shutdown(Shutdown::Both);
        end
    }
}
