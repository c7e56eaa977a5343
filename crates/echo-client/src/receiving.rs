//! The receiver's thread: what comes back is printed, one write for each read.

use std::cell::Cell;
use std::io::{self, Read, Write};

use log::info;
use proto::{FramedSocket, FramedStream, Observer, RecvError, header};

use crate::Wire;
use crate::digest::Digest;
use crate::error::Error;
use crate::progress::Progress;
use crate::reply_printer::ReplyPrinter;

/// As much as one raw read takes.
const RAW_BYTES: usize = 64 << 10;

/// Why there is nothing more to print.
enum End {
    Stream(RecvError),
    Output(io::Error),
}

/// Prints everything that comes until the server closes the connection, and keeps the progress.
/// `settled` hears when nothing is owed any more.
pub(crate) fn receive_all(
    socket: &mut (impl Read + Write),
    printer: &mut ReplyPrinter<impl Write>,
    wire: Wire,
    progress: &Progress,
    mut settled: impl FnMut(),
) {
    let mut print = |printer: &mut ReplyPrinter<_>, amount, digest| {
        printer.print().map_err(End::Output)?;
        if progress.complete(amount, digest) == 0 {
            settled();
        }
        Ok(())
    };
    let end = match wire {
        Wire::Framed { max_message } => {
            receive_frames(socket, printer, max_message, progress, &mut print)
        }
        Wire::Raw => receive_bytes(socket, printer, progress, &mut print),
    };
    match end {
        Ok(()) => progress.end_receiving(Ok(())),
        Err(End::Stream(error)) => progress.end_receiving(Err(error)),
        Err(End::Output(error)) => progress.stop(Error::Output(error)),
    }
}

fn receive_frames<W: Write>(
    socket: &mut (impl Read + Write),
    printer: &mut ReplyPrinter<W>,
    max_message: usize,
    progress: &Progress,
    print: &mut impl FnMut(&mut ReplyPrinter<W>, u64, Digest) -> Result<(), End>,
) -> Result<(), End> {
    let (unread, mut digest) = (Cell::new(0), Digest::default());
    let reports = Reports {
        wire: Wire::Framed { max_message },
        progress,
        unread: &unread,
    };
    let mut server = FramedStream::with_observer(socket, reports);
    let (mut messages, mut unprinted) = (0, 0);
    loop {
        let received = server.recv_text(max_message);
        if let Ok(Some(text)) = &received {
            messages += 1;
            unprinted += 1;
            digest.add(&header(text.len()).expect("it came with such a header"));
            digest.add(text.as_bytes());
            printer.add_line(text, progress.unended() == Some(messages));
            unread.set(unread.get().saturating_sub(1));
        }
        let is_over = !matches!(received, Ok(Some(_)));
        if unprinted > 0 && (is_over || unread.get() == 0) {
            print(printer, unprinted, digest)?;
            unprinted = 0;
        }
        if is_over {
            return received.map(drop).map_err(End::Stream);
        }
    }
}

/// Logs each read, and counts the messages that were read from the socket and not received yet.
struct Reports<'a> {
    wire: Wire,
    progress: &'a Progress,
    unread: &'a Cell<usize>,
}

impl Observer for Reports<'_> {
    fn on_received(&mut self, bytes: usize, messages: usize) {
        self.progress.received(bytes, messages > 0);
        let amount = self.wire.amount(messages as u64);
        info!("received {bytes} bytes: {amount}");
        self.unread.set(self.unread.get() + messages);
    }

    /// The sender has a stream of its own.
    fn on_sent(&mut self, _: usize, _: usize) {}
}

fn receive_bytes<W: Write>(
    socket: &mut impl Read,
    printer: &mut ReplyPrinter<W>,
    progress: &Progress,
    print: &mut impl FnMut(&mut ReplyPrinter<W>, u64, Digest) -> Result<(), End>,
) -> Result<(), End> {
    let (mut portion, mut digest) = (vec![0; RAW_BYTES], Digest::default());
    loop {
        let received = match socket.read(&mut portion) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(End::Stream(error.into())),
        };
        progress.received(received, true);
        info!("received {received} bytes");
        digest.add(&portion[..received]);
        printer.add_bytes(&portion[..received]);
        print(printer, received as u64, digest)?;
    }
}
