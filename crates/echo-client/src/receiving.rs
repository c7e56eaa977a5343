//! The receiver's thread: prints the replies, with one write for each read.

use std::cell::RefCell;
use std::io::{self, Read, Write};

use proto::{FramedSocket, FramedStream, Observer, RecvError, header};

use crate::Wire;
use crate::digest::Digest;
use crate::error::Error;
use crate::progress::Progress;
use crate::reply_printer::ReplyPrinter;
use crate::traffic_log::TrafficLog;

/// The most bytes of one raw read.
const RAW_BYTES: usize = 64 << 10;

/// Why receiving ended.
enum End {
    Stream(RecvError),
    Output(io::Error),
}

/// Prints everything that comes until the server closes the connection, and updates `progress`.
/// Calls `on_all_answered` whenever nothing is outstanding any more.
pub(crate) fn receive_all(
    socket: &mut (impl Read + Write),
    printer: &mut ReplyPrinter<impl Write>,
    log: &TrafficLog,
    progress: &Progress,
    mut on_all_answered: impl FnMut(),
) {
    let mut print = |printer: &mut ReplyPrinter<_>, amount, bytes: &[u8], digest| {
        printer.print().map_err(End::Output)?;
        if progress.complete(amount, bytes, digest) == 0 {
            on_all_answered();
        }
        Ok(())
    };
    let end = match log.wire {
        Wire::Framed { max_message } => {
            receive_frames(socket, printer, max_message, log, progress, &mut print)
        }
        Wire::Raw => receive_bytes(socket, printer, log, progress, &mut print),
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
    log: &TrafficLog,
    progress: &Progress,
    print: &mut impl FnMut(&mut ReplyPrinter<W>, u64, &[u8], Digest) -> Result<(), End>,
) -> Result<(), End> {
    let (last_read, mut digest) = (RefCell::default(), Digest::default());
    let reports = Reports {
        log,
        progress,
        last_read: &last_read,
    };
    let mut server = FramedStream::with_observer(socket, reports);
    let (mut messages, mut batch, mut bytes) = (0, Vec::new(), Vec::new());
    loop {
        let received = server.recv_text(max_message);
        if let Ok(Some(text)) = received {
            messages += 1;
            let start = bytes.len();
            bytes.extend(header(text.len()).expect("it came with such a header"));
            bytes.extend(text.as_bytes());
            digest.add(&bytes[start..]);
            printer.add_line(&text, progress.unterminated() == Some(messages));
            batch.push(text);
            if batch.len() < last_read.borrow().messages {
                continue;
            }
            last_read.borrow_mut().log(log, &batch, progress);
            print(printer, batch.len() as u64, &bytes, digest)?;
            batch.clear();
            bytes.clear();
            continue;
        }
        last_read.borrow_mut().log(log, &batch, progress);
        if !batch.is_empty() {
            print(printer, batch.len() as u64, &bytes, digest)?;
        }
        return received.map(drop).map_err(End::Stream);
    }
}

/// Reports each read to `progress`.
struct Reports<'a> {
    log: &'a TrafficLog,
    progress: &'a Progress,
    last_read: &'a RefCell<LastRead>,
}

/// The last read that completed messages. It is logged when they are decoded, so that their text can be counted.
#[derive(Default)]
struct LastRead {
    bytes: usize,
    /// 0 once it is logged.
    messages: usize,
}

impl LastRead {
    /// Logs the read, if it is not logged yet, and the messages that it completed.
    fn log(&mut self, log: &TrafficLog, messages: &[String], progress: &Progress) {
        if self.messages > 0 {
            let text = messages.iter().map(String::len).sum();
            let total = progress.totals().bytes_received;
            log.received(self.bytes, self.messages as u64, Some(text), total);
            messages.iter().for_each(|text| log.received_frame(text));
            self.messages = 0;
        }
    }
}

impl Observer for Reports<'_> {
    fn on_received(&mut self, bytes: usize, messages: usize) {
        self.progress.received(bytes, messages > 0);
        if messages == 0 {
            let total = self.progress.totals().bytes_received;
            self.log.received(bytes, 0, None, total);
        }
        *self.last_read.borrow_mut() = LastRead { bytes, messages };
    }

    /// The sender has a stream of its own.
    fn on_sent(&mut self, _: usize, _: usize) {}
}

fn receive_bytes<W: Write>(
    socket: &mut impl Read,
    printer: &mut ReplyPrinter<W>,
    log: &TrafficLog,
    progress: &Progress,
    print: &mut impl FnMut(&mut ReplyPrinter<W>, u64, &[u8], Digest) -> Result<(), End>,
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
        log.received(received, 0, None, progress.totals().bytes_received);
        digest.add(&portion[..received]);
        printer.add_bytes(&portion[..received]);
        print(printer, received as u64, &portion[..received], digest)?;
    }
}
