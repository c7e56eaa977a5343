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
use crate::traffic_log::{Detail, TrafficLog};

/// A dialogue over a connected stream.
pub struct EchoClient {
    /// `None` once the dialogue runs.
    read_half: Mutex<Option<ReadHalf>>,
    write_half: WriteHalf,
    log: TrafficLog,
    progress: Arc<Progress>,
}

impl EchoClient {
    /// A dialogue that fails when nothing moves for `timeout` although something is outstanding. `detail` is what its
    /// service messages show.
    #[must_use]
    pub fn new(stream: MaybeTls<TcpStream>, wire: Wire, timeout: Duration, detail: Detail) -> Self {
        let (read_half, write_half) = stream.split();
        Self {
            read_half: Mutex::new(Some(read_half)),
            write_half,
            log: TrafficLog { wire, detail },
            progress: Arc::new(Progress::new(wire, timeout)),
        }
    }

    /// The bytes sent and received so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.progress.totals()
    }

    /// Sends the lines of `input`, prints the replies to `output`, and returns when the input is at its
    /// end (or a line was `exit`) and every outstanding reply is printed. If a person types the input
    /// (`is_typed`), blanks around `exit` do not matter. If `output` is a terminal, control characters
    /// are printed as escapes. Calls `prompt` whenever nothing is outstanding and all replies are printed.
    ///
    /// After an error the thread that reads `input` may still be waiting; the process may end without it.
    ///
    /// # Errors
    ///
    /// Why the dialogue failed, or [`Error::WrongReply`]. All replies that came before the failure are printed.
    pub fn run(
        &self,
        mut input: impl BufRead + Send + 'static,
        is_typed: bool,
        output: impl Write + Send + 'static,
        is_terminal: bool,
        mut prompt: impl FnMut() + Send + 'static,
    ) -> Result<(), Error> {
        let (log, progress) = (self.log.clone(), Arc::clone(&self.progress));
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
                receive_all(&mut read_half, &mut printer, &log, &progress, prompt);
            });
        receiver.map_err(Error::Thread)?;

        let (log, progress) = (self.log.clone(), Arc::clone(&self.progress));
        let mut write_half = self.write_half.clone();
        let sender = thread::Builder::new()
            .name("sender".into())
            .spawn(move || send_all(&mut input, is_typed, &mut write_half, &log, &progress));
        sender.map_err(Error::Thread)?;

        let end = self.progress.wait();
        // Wakes the receiver if it still waits. The socket may be gone already.
        let _ = self.write_half.socket().shutdown(Shutdown::Both);
        end
    }
}
