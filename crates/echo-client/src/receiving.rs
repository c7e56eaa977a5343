//! The receiver's thread: what comes back is printed, one write for each read.

use std::io::{self, Read, Write};

use log::info;
use proto::{FrameBuffer, RecvError, header};

use crate::Wire;
use crate::digest::Digest;
use crate::error::Error;
use crate::ledger::Ledger;
use crate::page::Page;

/// As much as one raw read takes.
const RAW_BYTES: usize = 64 << 10;

/// Why there is nothing more to print.
enum End {
    Stream(RecvError),
    Output(io::Error),
}

/// Prints everything that comes until the server closes the connection, and keeps the ledger.
/// `settled` hears when nothing is owed any more.
pub(crate) fn receive_all(
    socket: &mut impl Read,
    page: &mut Page<impl Write>,
    wire: Wire,
    ledger: &Ledger,
    mut settled: impl FnMut(),
) {
    let mut print = |page: &mut Page<_>, amount, digest| {
        page.print().map_err(End::Output)?;
        if ledger.settle(amount, digest) == 0 {
            settled();
        }
        Ok(())
    };
    let end = match wire {
        Wire::Framed { max_message } => {
            receive_frames(socket, page, max_message, ledger, &mut print)
        }
        Wire::Raw => receive_bytes(socket, page, ledger, &mut print),
    };
    match end {
        Ok(()) => ledger.end_receiving(Ok(())),
        Err(End::Stream(error)) => ledger.end_receiving(Err(error)),
        Err(End::Output(error)) => ledger.stop(Error::Output(error)),
    }
}

fn receive_frames<W: Write>(
    socket: &mut impl Read,
    page: &mut Page<W>,
    max_message: usize,
    ledger: &Ledger,
    print: &mut impl FnMut(&mut Page<W>, u64, Digest) -> Result<(), End>,
) -> Result<(), End> {
    let mut frames = FrameBuffer::new(max_message);
    let (mut messages, mut digest) = (0, Digest::default());
    loop {
        let received = frames
            .read_from(socket)
            .map_err(|error| End::Stream(error.into()))?;
        if received == 0 {
            return frames.finish().map_err(End::Stream);
        }
        ledger.received(received);
        let (before, unended) = (messages, ledger.unended());
        let garbled = loop {
            match frames.next_text() {
                Ok(Some(text)) => {
                    messages += 1;
                    digest.add(&header(text.len()).expect("it came with such a header"));
                    digest.add(text.as_bytes());
                    page.add_line(text, unended == Some(messages));
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        let amount = messages - before;
        info!(
            "received {received} bytes: {}",
            Wire::Framed { max_message }.amount(amount)
        );
        print(page, amount, digest)?;
        if let Some(error) = garbled {
            return Err(End::Stream(error));
        }
    }
}

fn receive_bytes<W: Write>(
    socket: &mut impl Read,
    page: &mut Page<W>,
    ledger: &Ledger,
    print: &mut impl FnMut(&mut Page<W>, u64, Digest) -> Result<(), End>,
) -> Result<(), End> {
    let (mut portion, mut digest) = (vec![0; RAW_BYTES], Digest::default());
    loop {
        let received = match socket.read(&mut portion) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(End::Stream(error.into())),
        };
        ledger.received(received);
        info!("received {received} bytes");
        digest.add(&portion[..received]);
        page.add_bytes(&portion[..received]);
        print(page, received as u64, digest)?;
    }
}
