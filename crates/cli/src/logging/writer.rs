//! The thread that writes a queue's lines to a file or terminal. It does not know where they come from.
//!
//! A failing sink never stops the program: lines that cannot be written are counted, and a later line reports how many
//! were lost.

use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::thread;

use log::Level;

use super::format::line;
use super::queue::Queue;
use crate::print_stderr::print_stderr;
use proto::{Count, Reason};

/// A buffer that grew past this in a stall shrinks again.
const KEPT_BYTES: usize = 2 << 20;

/// Starts a named thread that writes `queue` to `sink` until the queue is closed and drained.
///
/// `failure_report` begins the line on stderr that reports the first failure; a sink that is stderr has none.
pub(super) fn spawn(
    name: &str,
    queue: Arc<Queue>,
    sink: impl Write + Send + 'static,
    failure_report: Option<String>,
) -> io::Result<()> {
    let mut writer = Writer::new(sink, failure_report);
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            let mut batch = Vec::new();
            while let Some(dropped) = queue.take(&mut batch) {
                writer.write(&mut batch, dropped);
                batch.clear();
                batch.shrink_to(KEPT_BYTES);
            }
            writer.report_end();
            queue.end();
        })?;
    Ok(())
}

struct Writer<S> {
    sink: S,
    failure_report: Option<String>,
    is_reported: bool,
    failure: Option<Failure>,
}

/// What failed since the sink last took a batch.
struct Failure {
    why: io::Error,
    lost_lines: u64,
    /// The sink ends with a piece of a line.
    torn: bool,
}

impl<S: Write> Writer<S> {
    fn new(sink: S, failure_report: Option<String>) -> Self {
        Self {
            sink,
            failure_report,
            is_reported: false,
            failure: None,
        }
    }

    /// Writes a batch, and a notice if `dropped` lines are missing after it.
    fn write(&mut self, batch: &mut Vec<u8>, dropped: u64) {
        if dropped > 0 {
            let dropped = Count(dropped, "log line");
            let notice = format_args!("{dropped} dropped: writing was too slow");
            batch.extend(line(Level::Warn, notice));
        }
        if let Some(mut failure) = self.failure.take() {
            let notice = recovery_notice(&failure);
            if let Err((written, why)) = write_whole(&mut self.sink, &notice) {
                failure.why = why;
                failure.lost_lines += count_lines(batch);
                if written > 0 {
                    failure.torn = ends_torn(&notice[..written]);
                }
                self.failure = Some(failure);
                return;
            }
        }
        if let Err((written, why)) = write_whole(&mut self.sink, batch) {
            self.report_once(&why);
            self.failure = Some(Failure {
                why,
                lost_lines: count_lines(&batch[written..]),
                torn: ends_torn(&batch[..written]),
            });
        }
    }

    fn report_once(&mut self, why: &io::Error) {
        if let (Some(failure_report), false) = (&self.failure_report, self.is_reported) {
            self.is_reported = true;
            let why = Reason(why);
            print_stderr(format_args!(
                "{failure_report}: {why}; log lines are dropped until there is room again"
            ));
        }
    }

    fn report_end(&self) {
        if let (Some(failure_report), Some(failure)) = (&self.failure_report, &self.failure) {
            let (lost, why) = (Count(failure.lost_lines, "log line"), Reason(&failure.why));
            print_stderr(format_args!("{failure_report}: {why}; {lost} lost"));
        }
    }
}

/// The line that reports a failure once it is over. It ends a torn line first.
fn recovery_notice(failure: &Failure) -> Vec<u8> {
    let (lost, why) = (Count(failure.lost_lines, "log line"), Reason(&failure.why));
    let notice = line(Level::Warn, format_args!("{lost} lost: {why}"));
    match failure.torn {
        true => [b"\n", &notice[..]].concat(),
        false => notice,
    }
}

/// Like `write_all`, but an error says how many bytes were written before it.
fn write_whole(sink: &mut impl Write, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut written = 0;
    while written < bytes.len() {
        match sink.write(&bytes[written..]) {
            Ok(0) => return Err((written, ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err((written, error)),
        }
    }
    Ok(())
}

fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

fn ends_torn(bytes: &[u8]) -> bool {
    bytes.last().is_some_and(|&byte| byte != b'\n')
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::logging::queue::Priority;

    /// A disk with room for a number of bytes.
    struct Disk {
        content: Vec<u8>,
        room: usize,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.room);
            if taken == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            self.room -= taken;
            self.content.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(writer: &Writer<Disk>) -> Vec<&str> {
        let text = std::str::from_utf8(&writer.sink.content).unwrap();
        text.lines()
            .map(|line| line.split_once("] ").map_or(line, |(_, message)| message))
            .collect()
    }

    #[test]
    fn a_full_disk_costs_lines_and_their_number_is_reported() {
        let disk = Disk {
            content: Vec::new(),
            room: 7,
        };
        let mut writer = Writer::new(disk, None);
        writer.write(&mut b"one\ntwo\nthree\n".to_vec(), 0);
        writer.write(&mut b"four\n".to_vec(), 0);
        writer.sink.room = 30;
        writer.write(&mut b"five\n".to_vec(), 0);
        writer.sink.room = 1000;
        writer.write(&mut b"six\n".to_vec(), 0);
        writer.write(&mut b"seven\n".to_vec(), 3);
        writer.write(&mut b"eight\n".to_vec(), 1);

        let lines = lines(&writer);
        assert_eq!(lines[..2], ["one", "two"]);
        // The recovery notice that found 30 bytes of room.
        assert_eq!(lines[2].len(), 29);
        assert_eq!(
            lines[3..],
            [
                "4 log lines lost: no storage space",
                "six",
                "seven",
                "3 log lines dropped: writing was too slow",
                "eight",
                "1 log line dropped: writing was too slow"
            ]
        );
    }

    /// Forwards each write, and lets it return when the test says so.
    struct Stalled {
        written: mpsc::Sender<Vec<u8>>,
        go_on: mpsc::Receiver<()>,
    }

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.written.send(bytes.to_vec()).unwrap();
            self.go_on.recv().unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stalled_sink_stalls_no_caller_and_gets_everything_in_the_end() {
        let (written, writes) = mpsc::channel();
        let (let_go, go_on) = mpsc::channel();
        let queue = Arc::new(Queue::default());
        let sink = Stalled { written, go_on };
        spawn("stalled", Arc::clone(&queue), sink, None).unwrap();

        queue.push(b"first\n", Priority::Normal);
        assert_eq!(writes.recv().unwrap(), b"first\n");
        for _ in 0..3 {
            queue.push(b"more\n", Priority::Normal);
        }
        assert!(!queue.drain(Duration::from_millis(20)));
        queue.close();
        assert!(!queue.drain(Duration::from_millis(20)));
        let_go.send(()).unwrap();
        let_go.send(()).unwrap();
        assert!(queue.drain(Duration::from_secs(60)));
        assert_eq!(writes.recv().unwrap(), b"more\nmore\nmore\n");
    }
}
