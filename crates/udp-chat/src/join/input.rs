//! What wakes the conversation: datagrams, lines, signals, each from a thread of its own.

use std::io::{self, BufRead};
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, SyncSender};
use std::thread;

use super::lines::{LineError, Lines};

/// How many may wait; datagrams past it wait in the socket, whose own limit holds.
pub(super) const MAX_INPUTS: usize = 64;

#[derive(Debug)]
pub(super) enum Input {
    Datagram {
        from: SocketAddr,
        bytes: Vec<u8>,
    },
    /// A line that was typed or read.
    Line(Result<String, LineError>),
    /// Lines that were pasted: texts, never commands, for all or for one member.
    Texts {
        texts: Vec<String>,
        to: Option<String>,
    },
    LinesEnded,
    LinesBroken(io::Error),
    /// Ctrl-C was typed.
    Interrupted,
    /// Something changed; the conversation looks at everything.
    Wake,
    /// A person's answer to the question whether to trust the server.
    Answer(bool),
    /// Nothing listens at this address of the server.
    Refused {
        address: SocketAddr,
        error: io::Error,
    },
    /// The server's name was looked up again; without an answer this is empty.
    Resolved(Vec<SocketAddr>),
    OutputFailed(io::Error),
    SocketFailed(io::Error),
}

/// Hands on one line for each `turn`, until the input ends: a sender that is slow reads slowly.
/// The input is opened at the first turn, since a question may be read from it before.
pub(super) fn read_lines<R: BufRead>(
    open: impl FnOnce() -> R + Send + 'static,
    turns: Receiver<()>,
    inputs: SyncSender<Input>,
) -> io::Result<()> {
    let reader = thread::Builder::new().name("reader".into());
    reader.spawn(move || {
        if turns.recv().is_err() {
            return;
        }
        let mut lines = Lines::new(open());
        loop {
            let input = match lines.next_line() {
                Ok(Some(line)) => Input::Line(line),
                Ok(None) => Input::LinesEnded,
                Err(error) => Input::LinesBroken(error),
            };
            let is_end = !matches!(input, Input::Line(_));
            if inputs.send(input).is_err() || is_end || turns.recv().is_err() {
                return;
            }
        }
    })?;
    Ok(())
}
