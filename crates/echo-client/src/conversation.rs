//! One dialogue with a server: two threads and the progress between them.

use std::io::{BufRead, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tls::{MaybeTls, ReadHalf, WriteHalf};

use crate::Wire;
use crate::error::Error;
use crate::progress::{Progress, Totals};
use crate::receiving::receive_all;
use crate::reply_printer::ReplyPrinter;
use crate::sending::send_all;

/// A dialogue over a connected stream.
pub struct Conversation {
    /// Until the dialogue runs.
    read_half: Mutex<Option<ReadHalf>>,
    write_half: WriteHalf,
    wire: Wire,
    progress: Arc<Progress>,
}

impl Conversation {
    /// A dialogue that ends when for `timeout` nothing moves although something is owed.
    #[must_use]
    pub fn new(stream: MaybeTls<TcpStream>, wire: Wire, timeout: Duration) -> Self {
        let (read_half, write_half) = stream.split();
        Self {
            read_half: Mutex::new(Some(read_half)),
            write_half,
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
        let (wire, progress) = (self.wire, Arc::clone(&self.progress));
        let read_half = self
            .read_half
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let mut read_half = read_half.ok_or(Error::AlreadyRun)?;
        prompt();
        let receiver = thread::Builder::new()
            .name("receiver".into())
            .spawn(move || {
                let mut printer = ReplyPrinter::new(output, is_terminal);
                receive_all(&mut read_half, &mut printer, wire, &progress, prompt);
            });
        receiver.map_err(Error::Thread)?;

        let (progress, mut write_half) = (Arc::clone(&self.progress), self.write_half.clone());
        let sender = thread::Builder::new()
            .name("sender".into())
            .spawn(move || send_all(&mut input, &mut write_half, wire, &progress));
        sender.map_err(Error::Thread)?;

        let end = self.progress.wait();
        // Wakes the receiver, should it still wait. The socket may be gone already.
        let _ = self.write_half.socket().shutdown(Shutdown::Both);
        end
    }
}
