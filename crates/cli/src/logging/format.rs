//! The form of a log line: `2026-11-23T00:15:02.123Z 4711 [INFO] message`, where 4711 is the process id. simplelog
//! writes time, level and message into a [`LineWriter`], which puts the finished line into queues.

use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::process;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use log::{Level, LevelFilter, Log, Record};
use proto::Escaped;
use simplelog::{Config, ConfigBuilder, LevelPadding, WriteLogger};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::queue::{Priority, Queue};
use crate::one_line::is_plain;

/// Far above any message of these programs; the rest of a longer one is cut off.
const MAX_MESSAGE_BYTES: usize = 16 << 10;

/// UTC with milliseconds, and the process id.
static TIME_AND_PROCESS: LazyLock<[BorrowedFormatItem<'static>; 2]> = LazyLock::new(|| {
    let time =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z ");
    let process = process::id().to_string().leak();
    [
        BorrowedFormatItem::Compound(time),
        BorrowedFormatItem::StringLiteral(process),
    ]
});

fn config() -> Config {
    ConfigBuilder::new()
        .set_time_format_custom(&*TIME_AND_PROCESS)
        .set_time_level(LevelFilter::Error)
        .set_level_padding(LevelPadding::Off)
        .set_thread_level(LevelFilter::Off)
        .set_target_level(LevelFilter::Off)
        .set_location_level(LevelFilter::Off)
        .build()
}

/// A simplelog logger whose lines go to `writer`.
pub(super) fn logger<W: Write + Send + 'static>(writer: W) -> Box<WriteLogger<W>> {
    WriteLogger::new(LevelFilter::Trace, config(), writer)
}

/// The message of a record as one line: bounded, and without control characters.
pub(super) fn message(args: fmt::Arguments<'_>) -> String {
    let mut message = Bounded(String::new());
    let is_cut = message.write_fmt(args).is_err();
    let Bounded(text) = message;
    let end = if is_cut { "…" } else { "" };
    if is_plain(text.as_bytes()) {
        format!("{text}{end}")
    } else {
        format!("{}{end}", Escaped::new(&text))
    }
}

/// One line outside the loggers, for a moment when their locks cannot be relied on, and for a writer's own notices.
pub(super) fn line(level: Level, args: fmt::Arguments<'_>) -> Vec<u8> {
    let buffer = SharedBuffer::default();
    let message = message(args);
    let args = format_args!("{message}");
    logger(buffer.clone()).log(&Record::builder().level(level).args(args).build());
    std::mem::take(&mut buffer.0.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Collects the pieces of a line as simplelog writes them, and puts the line into every queue; without queues it goes
/// to stderr before the caller goes on.
pub(super) struct LineWriter {
    queues: Arc<[Arc<Queue>]>,
    priority: Priority,
    line: Vec<u8>,
}

impl LineWriter {
    pub(super) fn new(queues: &Arc<[Arc<Queue>]>, priority: Priority) -> Self {
        Self {
            queues: Arc::clone(queues),
            priority,
            line: Vec::new(),
        }
    }
}

impl Write for LineWriter {
    /// Only the last piece of a line ends with a newline, because messages have none.
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(piece);
        if piece.last() == Some(&b'\n') {
            for queue in &*self.queues {
                queue.push(&self.line, self.priority);
            }
            if self.queues.is_empty() {
                // There is nowhere to report that stderr is gone.
                let _ = io::stderr().write_all(&self.line);
            }
            self.line.clear();
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Clone, Default)]
struct SharedBuffer(Arc<Mutex<Vec<u8>>>);

impl Write for SharedBuffer {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A message that takes no more than [`MAX_MESSAGE_BYTES`], and fails then.
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if self.0.len() + piece.len() > MAX_MESSAGE_BYTES {
            return Err(fmt::Error);
        }
        self.0.push_str(piece);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(level: Level, args: fmt::Arguments<'_>) -> String {
        let queue = Arc::new(Queue::default());
        let writer = LineWriter::new(&Arc::from([Arc::clone(&queue)]), Priority::Normal);
        let message = message(args);
        let args = format_args!("{message}");
        logger(writer).log(&Record::builder().level(level).args(args).build());
        let mut batch = Vec::new();
        queue.take(&mut batch).unwrap();
        String::from_utf8(batch).unwrap()
    }

    #[test]
    fn a_line_has_time_level_process_and_message() {
        let line = logged(Level::Info, format_args!("sent {} bytes", 7));
        let expected = format!(" {} [INFO] sent 7 bytes\n", process::id());
        assert_eq!(&line[24..], expected);
        let shape: String = line[..24]
            .chars()
            .map(|c| if c.is_ascii_digit() { '0' } else { c })
            .collect();
        assert_eq!(shape, "0000-00-00T00:00:00.000Z");
        assert!(logged(Level::Error, format_args!("x")).ends_with(" [ERROR] x\n"));
    }

    #[test]
    fn a_line_outside_the_loggers_looks_the_same() {
        let outside = String::from_utf8(line(Level::Warn, format_args!("x\ny"))).unwrap();
        assert_eq!(
            outside[24..],
            logged(Level::Warn, format_args!("x\ny"))[24..]
        );
    }

    #[test]
    fn a_message_cannot_forge_a_second_line() {
        for message in ["\n", "a\nb", "a\n", "\u{9b}2J"] {
            let line = logged(Level::Warn, format_args!("{message}{}", "\n"));
            assert_eq!(line.matches('\n').count(), 1, "{line:?}");
            assert!(line.ends_with("\\n\n"), "{line:?}");
            assert!(!line.contains('\u{9b}'));
        }
    }

    #[test]
    fn a_long_message_is_cut() {
        let line = logged(
            Level::Info,
            format_args!("{}{}", "x".repeat(9000), "y".repeat(9000)),
        );
        assert!(
            line.ends_with("xx…\n") && line.len() < 10_000,
            "{}",
            line.len()
        );
    }
}
