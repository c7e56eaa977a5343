//! The sender's thread: each block of input becomes one write, until the input ends.

use std::io::{self, BufRead, Write};

use tls::WriteHalf;

use crate::error::Error;
use crate::outgoing::{Flow, Outgoing, Pending};
use crate::progress::Progress;
use crate::traffic_log::TrafficLog;

/// Sends all of `input`, half-closes, and updates `progress`. When the server is gone this returns without an
/// error: the receiver reports it, after the replies that still came.
pub(crate) fn send_all(
    input: &mut impl BufRead,
    is_typed: bool,
    stream: &mut WriteHalf,
    log: &TrafficLog,
    progress: &Progress,
) {
    let mut outgoing = Outgoing::new(log.wire, is_typed);
    loop {
        let flow = add_block(input, &mut outgoing, progress);
        // Before sending: a reply may come before the next line of this code runs.
        let pending = outgoing.pending();
        progress.expect(pending.outstanding, &pending.bytes[..pending.echoed]);
        let is_end = !matches!(flow, Ok(Flow::More));
        if is_end {
            progress.end_sending(flow.map(drop), outgoing.digest());
        }
        let sent = send(outgoing.pending(), log, stream);
        progress.sent(sent.as_ref().copied().unwrap_or(0));
        if sent.is_err() {
            return;
        }
        outgoing.clear();
        if is_end {
            // Fails when the socket is gone, which the receiver reports.
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
            progress.note_unterminated(message);
        }
        return Ok(Flow::End);
    }
    let flow = outgoing.add(block);
    let length = block.len();
    input.consume(length);
    flow
}

/// Sends and logs the pending bytes, and returns their number.
fn send(pending: &Pending, log: &TrafficLog, stream: &mut WriteHalf) -> io::Result<usize> {
    let Pending { bytes, lines, .. } = pending;
    if !bytes.is_empty() {
        stream.write_all(bytes)?;
        log.sent(bytes, *lines);
    }
    Ok(bytes.len())
}
