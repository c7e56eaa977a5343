//! From a log record to a finished line in the queues: `2026-11-23T00:15:02.123Z INFO  [PID] message`.
//!
//! simplelog writes a line in pieces, and its own time and level cost more than the rest of the line, so here it hands on the
//! message alone: one `WriteLogger` a level, each over a sink that makes the whole line.

use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use log::{Level, LevelFilter, Log, Metadata, Record};
use proto::Escaped;
use simplelog::{Config, ConfigBuilder, WriteLogger};

use super::DRAIN_TIMEOUT;
use super::queue::Queue;
use super::stamp::Stamp;
use crate::one_line::is_plain;
use crate::say::say;

/// Far above any message of ours; what a line has beyond it is cut.
const MAX_LINE_BYTES: usize = 16 << 10;

/// The `log` facade's one logger: hands each record to the simplelog logger of its level.
pub(super) struct Router {
    /// Indexed by level, the severest first.
    loggers: [Box<WriteLogger<LineSink>>; 5],
    queues: Arc<[Arc<Queue>]>,
    warns_aloud: Arc<AtomicBool>,
}

impl Router {
    /// Without queues each line goes to stderr before the caller goes on. While `warns_aloud` is set, warnings go there too.
    pub(super) fn new(queues: &Arc<[Arc<Queue>]>, warns_aloud: Arc<AtomicBool>) -> Self {
        use Level::{Debug, Error, Info, Trace, Warn};
        let config = message_only();
        let logger = |level| {
            let sink = LineSink::new(level, Arc::clone(queues));
            WriteLogger::new(LevelFilter::Trace, config.clone(), sink)
        };
        Self {
            loggers: [Error, Warn, Info, Debug, Trace].map(logger),
            queues: Arc::clone(queues),
            warns_aloud,
        }
    }
}

impl Log for Router {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        self.loggers[record.level() as usize - 1].log(record);
        if record.level() == Level::Warn && self.warns_aloud.load(Ordering::Relaxed) {
            say(format_args!("warning: {}", record.args()));
        }
    }

    /// Waits until all lines stand where they belong, or the end's patience is over.
    fn flush(&self) {
        for queue in &*self.queues {
            queue.drain(DRAIN_TIMEOUT);
        }
    }
}

fn message_only() -> Config {
    ConfigBuilder::new()
        .set_max_level(LevelFilter::Off)
        .set_time_level(LevelFilter::Off)
        .set_target_level(LevelFilter::Off)
        .set_location_level(LevelFilter::Off)
        .set_thread_level(LevelFilter::Off)
        .build()
}

/// Makes a line of each message, and puts it into every queue, or where there is none on stderr.
pub(super) struct LineSink {
    start: LineStart,
    queues: Arc<[Arc<Queue>]>,
    urgent: bool,
    line: Vec<u8>,
}

impl LineSink {
    pub(super) fn new(level: Level, queues: Arc<[Arc<Queue>]>) -> Self {
        Self {
            start: LineStart::new(level),
            queues,
            urgent: level <= Level::Warn,
            line: Vec::new(),
        }
    }

    /// Writes `message`, which ends with a newline, as one line without any other.
    fn write_line(&mut self, message: fmt::Arguments<'_>) {
        self.line.clear();
        self.start.write_to(&mut self.line);
        let start = self.line.len();
        let cut = Bounded(&mut self.line).write_fmt(message).is_err();
        if !cut {
            self.line.pop();
        }
        if !is_plain(&self.line[start..]) {
            let untrusted = self.line.split_off(start);
            // Memory takes whatever comes.
            let _ = write!(self.line, "{}", Escaped::from_bytes(&untrusted));
        }
        self.line
            .extend_from_slice(if cut { "…\n" } else { "\n" }.as_bytes());
    }
}

impl Write for LineSink {
    /// One call for each message, and simplelog's only one.
    fn write_fmt(&mut self, message: fmt::Arguments<'_>) -> io::Result<()> {
        self.write_line(message);
        for queue in &*self.queues {
            queue.push(&self.line, self.urgent);
        }
        if self.queues.is_empty() {
            // Nobody is left to be told when stderr is gone.
            let _ = io::stderr().write_all(&self.line);
        }
        Ok(())
    }

    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        writeln!(self, "{}", Escaped::from_bytes(message))?;
        Ok(message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A line that takes no more than [`MAX_LINE_BYTES`], and fails then.
struct Bounded<'a>(&'a mut Vec<u8>);

impl fmt::Write for Bounded<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if self.0.len() + piece.len() > MAX_LINE_BYTES {
            return Err(fmt::Error);
        }
        self.0.extend_from_slice(piece.as_bytes());
        Ok(())
    }
}

/// What stands before the message.
pub(super) struct LineStart {
    stamp: Stamp,
    level_and_process: String,
}

impl LineStart {
    pub(super) fn new(level: Level) -> Self {
        Self {
            stamp: Stamp::new(),
            level_and_process: format!(" {level:<5} [{}] ", process::id()),
        }
    }

    pub(super) fn write_to(&mut self, line: &mut Vec<u8>) {
        line.extend_from_slice(self.stamp.at(SystemTime::now()));
        line.extend_from_slice(self.level_and_process.as_bytes());
    }
}

/// Puts one line into the queues past the loggers, for a moment when their locks cannot be relied on.
pub(super) fn push_directly(queues: &Arc<[Arc<Queue>]>, level: Level, message: fmt::Arguments<'_>) {
    let mut sink = LineSink::new(level, Arc::clone(queues));
    let _ = writeln!(sink, "{message}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(level: Level, message: fmt::Arguments<'_>) -> String {
        let queue = Arc::new(Queue::default());
        let router = Router::new(&Arc::from([Arc::clone(&queue)]), Arc::default());
        router.log(&Record::builder().level(level).args(message).build());
        let mut batch = Vec::new();
        queue.take(&mut batch).unwrap();
        String::from_utf8(batch).unwrap()
    }

    #[test]
    fn a_line_has_time_level_process_and_message() {
        let line = logged(Level::Info, format_args!("sent {} bytes", 7));
        let expected = format!(" INFO  [{}] sent 7 bytes\n", process::id());
        assert_eq!(&line[24..], expected);
        assert_eq!((&line[10..11], &line[23..24]), ("T", "Z"));
        assert!(logged(Level::Error, format_args!("x"))[24..].starts_with(" ERROR ["));
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
    fn each_message_has_a_line_of_its_own() {
        let queue = Arc::new(Queue::default());
        let mut sink = LineSink::new(Level::Info, Arc::from([Arc::clone(&queue)]));
        writeln!(sink, "one").unwrap();
        sink.write_all(b"t\xffo\n").unwrap();
        let mut batch = Vec::new();
        queue.take(&mut batch).unwrap();
        let lines = String::from_utf8(batch).unwrap();
        let messages: Vec<_> = lines.lines().map(|line| &line[24..]).collect();
        let start = format!(" INFO  [{}] ", process::id());
        assert_eq!(
            messages,
            [format!("{start}one"), format!("{start}t\\xffo\\n")]
        );
    }

    #[test]
    fn an_endless_message_is_cut() {
        let long = "ы".repeat(MAX_LINE_BYTES);
        let line = logged(Level::Info, format_args!("start {long} end"));
        assert!(line.ends_with("] start …\n"), "{}", line.len());
    }
}
