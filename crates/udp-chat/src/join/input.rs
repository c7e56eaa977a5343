//! What wakes the conversation: datagrams, lines, signals, each from a thread of its own.

use std::io::{self, BufRead, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, SyncSender};
use std::thread;

use proto::chat::MAX_DATAGRAM_BYTES;

use super::lines::{BadLine, Lines};

/// How many may wait; datagrams past it wait in the socket, whose own limit holds.
pub(super) const MAX_INPUTS: usize = 64;

#[derive(Debug)]
pub(super) enum Input {
    Datagram {
        from: SocketAddr,
        bytes: Vec<u8>,
    },
    /// A line that was typed or read.
    Line(Result<String, BadLine>),
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
    OutputFailed(io::Error),
    SocketFailed(io::Error),
}

/// Hands on every datagram that comes.
pub(super) fn receive(socket: UdpSocket, inputs: SyncSender<Input>) -> io::Result<()> {
    let receiver = thread::Builder::new().name("receiver".into());
    receiver.spawn(move || {
        // One byte more than a datagram may have, to tell those that are too long.
        let mut buffer = [0; MAX_DATAGRAM_BYTES + 1];
        loop {
            let input = match socket.recv_from(&mut buffer) {
                Ok((length, from)) => Input::Datagram {
                    from,
                    bytes: buffer[..length].to_vec(),
                },
                // Some systems tell here that an earlier datagram found no server; it may come yet.
                Err(error) if is_passing(&error) => continue,
                Err(error) => Input::SocketFailed(error),
            };
            let is_end = matches!(input, Input::SocketFailed(_));
            if inputs.send(input).is_err() || is_end {
                return;
            }
        }
    })?;
    Ok(())
}

/// Hands on one line for each `turn`, until the input ends: who sends slowly reads slowly.
pub(super) fn read_lines(
    input: impl BufRead + Send + 'static,
    turns: Receiver<()>,
    inputs: SyncSender<Input>,
) -> io::Result<()> {
    let reader = thread::Builder::new().name("reader".into());
    reader.spawn(move || {
        let mut lines = Lines::new(input);
        for () in turns {
            let input = match lines.next_line() {
                Ok(Some(line)) => Input::Line(line),
                Ok(None) => Input::LinesEnded,
                Err(error) => Input::LinesBroken(error),
            };
            let is_end = !matches!(input, Input::Line(_));
            if inputs.send(input).is_err() || is_end {
                return;
            }
        }
    })?;
    Ok(())
}

fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Interrupted
            | ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
    )
}
