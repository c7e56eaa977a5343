//! The sender's thread: each block of input becomes one write, until the input ends.

use std::io::{self, BufRead, Write};

use log::info;
use tls::WriteHalf;

use crate::Wire;
use crate::error::Error;
use crate::outgoing::{Flow, Outgoing, Pending};
use crate::progress::Progress;

/// Sends all of `input`, half-closes, and keeps the progress. When the server is gone it just ends:
/// the receiver finds out, too, once it has what still came.
pub(crate) fn send_all(
    input: &mut impl BufRead,
    stream: &mut WriteHalf,
    wire: Wire,
    progress: &Progress,
) {
    let mut outgoing = Outgoing::new(wire);
    loop {
        let flow = add_block(input, &mut outgoing, progress);
        // Noted before it is sent: a reply may be faster than the next line of this code.
        progress.expect(outgoing.pending().owed);
        let is_end = !matches!(flow, Ok(Flow::More));
        if is_end {
            progress.end_sending(flow.map(drop), outgoing.digest());
        }
        let sent = send(outgoing.pending(), wire, stream);
        progress.sent(sent.as_ref().copied().unwrap_or(0));
        if sent.is_err() {
            return;
        }
        outgoing.clear();
        if is_end {
            // Fails when the socket is gone, which the receiver finds out.
            let _ = stream.close();
            return;
        }
    }
}

fn add_block(
    input: &mut impl BufRead,
    outgoing: &mut Outgoing,
    progress: &Progress,
) -> Result<Flow, Error> {
    let block = match input.fill_buf() {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Flow::More),
        block => block.map_err(Error::Input)?,
    };
    if block.is_empty() {
        if let Some(message) = outgoing.finish()? {
            progress.note_unended(message);
        }
        return Ok(Flow::End);
    }
    let flow = outgoing.add(block);
    let length = block.len();
    input.consume(length);
    flow
}

/// Sends what is pending and tells of it. Gives the number of bytes.
fn send(pending: &Pending, wire: Wire, stream: &mut WriteHalf) -> io::Result<usize> {
    let Pending { bytes, lines, .. } = pending;
    if !bytes.is_empty() {
        stream.write_all(bytes)?;
        match wire {
            Wire::Framed { .. } => info!("sent {} bytes: {}", bytes.len(), wire.amount(*lines)),
            Wire::Raw => info!("sent {} bytes", bytes.len()),
        }
    }
    Ok(bytes.len())
}
