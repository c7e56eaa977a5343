//! What the clients of dialogues share: service messages, connection, terminal, and the last message.

use std::error::Error;
use std::io::{self, stderr, stdout};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::Arc;

use dialogue::Console;
use line_editor::Terminal;
use log::{LevelFilter, info};

use crate::connect::{ConnectError, TcpClientFlags};
use crate::endpoint::Endpoint;
use crate::input::TextInput;
use crate::logging::{LogError, log_to_person};
use crate::standard_streams::RetryWouldBlock;
use crate::stop::exit_on_stop;
use crate::traffic::Traffic;

/// A client that sends a request and waits for the reply.
#[derive(Debug)]
pub struct DialogueClient<'a> {
    flags: &'a TcpClientFlags,
    /// Where a person types, if one does.
    pub terminal: Terminal,
    /// What passes between client and server.
    pub traffic: Arc<Traffic>,
}

impl<'a> DialogueClient<'a> {
    /// Starts the service messages, unless `--quiet` forbids them. With `shows_frames` each frame is printed on stderr.
    ///
    /// # Errors
    ///
    /// When logging was started before.
    pub fn start(flags: &'a TcpClientFlags, shows_frames: bool) -> Result<Self, LogError> {
        let terminal = Terminal::default();
        if !flags.quiet {
            log_to_person(LevelFilter::Info, |_| Some(""), terminal.output(stderr()))?;
        }
        Ok(Self {
            flags,
            terminal,
            traffic: Arc::new(Traffic::new(shows_frames)),
        })
    }

    /// Connects to the server. Reads and writes fail after the time that `--timeout` gives.
    ///
    /// # Errors
    ///
    /// When there is no connection.
    pub fn connect(&self, endpoint: &Endpoint) -> Result<TcpStream, ConnectError> {
        let socket = self.flags.connect(endpoint)?;
        let timeout = Some(self.flags.timeout());
        let set = socket
            .set_read_timeout(timeout)
            .and_then(|()| socket.set_write_timeout(timeout));
        match set {
            Ok(()) => Ok(socket),
            Err(error) => Err(ConnectError::Connect {
                endpoint: endpoint.clone(),
                error,
            }),
        }
    }

    /// On Ctrl-C, SIGTERM or SIGHUP: restores the terminal, logs a last message, and exits.
    ///
    /// # Errors
    ///
    /// When the system refuses the handlers or the thread.
    pub fn exit_on_stop(&self) -> io::Result<()> {
        let (traffic, terminal) = (Arc::clone(&self.traffic), self.terminal.clone());
        exit_on_stop(move || {
            terminal.break_off();
            info!("disconnected: interrupted; {traffic}");
        })
    }

    /// The console: what a person types at the terminal, or what a pipe brings.
    pub fn console(&self, is_interactive: bool) -> Console<'_> {
        let output = RetryWouldBlock(stdout());
        if is_interactive {
            let console = Console::new(self.terminal.lines(), output, stderr());
            console.at_terminal(|prompt| self.terminal.set_prompt(prompt))
        } else {
            Console::new(TextInput::stdin(), output, stderr())
        }
    }

    /// Logs the last message.
    ///
    /// # Errors
    ///
    /// Why the dialogue failed.
    pub fn end<E: Error>(&self, end: Result<(), E>) -> Result<ExitCode, E> {
        match &end {
            Ok(()) => info!("disconnected: the server said bye; {}", self.traffic),
            // The error itself is the program's last line.
            Err(_) => info!(
                "disconnected: an error ended the dialogue; {}",
                self.traffic
            ),
        }
        end.map(|()| ExitCode::SUCCESS)
    }
}
