//! Service messages: what the `log` macros say, as lines in a file, on stderr, or both.
//!
//! A line costs its caller a fraction of a microsecond and never waits for the disk: record -> `line` -> `queue` -> a `writer`
//! thread -> `file` or stderr. Each destination has a queue of its own, so that a stopped terminal does not stall the file.

mod file;
mod line;
mod queue;
mod stamp;
mod writer;

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::io;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use log::{Level, LevelFilter};

use crate::program::Program;
use crate::reason::Reason;
use crate::say::say;
use file::LogFile;
use line::Router;
use queue::Queue;

/// How long the end waits for a file or terminal that takes no more lines.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// What a server's service messages are and where they go.
#[derive(Args, Clone, Debug)]
pub struct LogFlags {
    /// Where service messages go
    #[arg(
        long,
        value_name = "file|console|both",
        hide_possible_values = true,
        default_value = "file",
        help_heading = "Log"
    )]
    pub log_to: LogTo,

    /// The log file; it is appended to, and created with its folder
    #[arg(long, value_name = "PATH", help_heading = "Log")]
    pub log_file: Option<PathBuf>,

    /// The least severe messages to log
    #[arg(
        long, value_name = "LEVEL", default_value = "info", help_heading = "Log",
        value_parser = PossibleValuesParser::new(["error", "warn", "info", "debug", "trace"])
            .map(|level| level.parse::<LevelFilter>().unwrap_or(LevelFilter::Info))
    )]
    pub log_level: LevelFilter,

    /// Past so many MiB the log file becomes PATH.1 and a new one begins; 0: no limit
    #[arg(long, value_name = "N", default_value = "100", help_heading = "Log")]
    pub log_max_mib: u32,
}

/// Where service messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogTo {
    /// To the log file.
    File,
    /// To stderr.
    Console,
    /// To the log file and to stderr.
    Both,
}

impl LogFlags {
    /// Starts logging as the flags say; stderr tells where the log file is.
    ///
    /// # Errors
    /// When the log file cannot be opened for appending, or logging was started before.
    pub fn start(&self, program: &Program) -> Result<LogGuard, LogError> {
        let mut guard = LogGuard::new();
        if self.log_to != LogTo::Console {
            let path = self.log_file.clone();
            let path = path.unwrap_or_else(|| program.log_file().into());
            let limit = u64::from(self.log_max_mib) << 20;
            let file = LogFile::open(&path, (limit > 0).then_some(limit)).map_err(|source| {
                let path = path.clone();
                LogError::Open { path, source }
            })?;
            guard.add_file(file, &path)?;
            say(format_args!("service messages go to {}", path.display()));
        }
        if self.log_to != LogTo::File {
            guard.add_stderr()?;
        }
        guard.install(self.log_level)
    }
}

/// Starts logging to stderr alone: a client's service messages. Each line is there before the call
/// that logs it returns, so that a person sees it in its place among the client's own output.
///
/// # Errors
/// When logging was started before.
pub fn log_to_stderr(level: LevelFilter) -> Result<(), LogError> {
    LogGuard::new().install(level).map(drop)
}

/// Logging, as long as it lives. Dropping it brings every line to its destination; later lines are discarded.
#[must_use = "dropping the guard ends the log"]
pub struct LogGuard {
    outputs: Vec<Output>,
    warns_aloud: Arc<AtomicBool>,
}

struct Output {
    queue: Arc<Queue>,
    /// `None` for stderr.
    path: Option<PathBuf>,
}

impl LogGuard {
    fn new() -> Self {
        Self {
            outputs: Vec::new(),
            warns_aloud: Arc::default(),
        }
    }

    /// Whether warnings go to stderr as well, should the file alone have them otherwise.
    pub(crate) fn warn_aloud(&self, aloud: bool) {
        let is_shown = self.outputs.iter().any(|output| output.path.is_none());
        self.warns_aloud
            .store(aloud && !is_shown, Ordering::Relaxed);
    }

    fn add_file(&mut self, file: LogFile, path: &Path) -> Result<(), LogError> {
        let complaint = format!("cannot write to the log file {}", path.display());
        let queue = self.add(Some(path.to_owned()));
        writer::spawn("log-file", queue, file, Some(complaint)).map_err(LogError::Thread)
    }

    fn add_stderr(&mut self) -> Result<(), LogError> {
        let queue = self.add(None);
        writer::spawn("log-stderr", queue, io::stderr(), None).map_err(LogError::Thread)
    }

    fn add(&mut self, path: Option<PathBuf>) -> Arc<Queue> {
        let queue = Arc::new(Queue::default());
        self.outputs.push(Output {
            queue: Arc::clone(&queue),
            path,
        });
        queue
    }

    fn install(self, level: LevelFilter) -> Result<Self, LogError> {
        let queues: Arc<[_]> = self
            .outputs
            .iter()
            .map(|output| Arc::clone(&output.queue))
            .collect();
        let router = Router::new(&queues, Arc::clone(&self.warns_aloud));
        log::set_boxed_logger(Box::new(router)).map_err(|_| LogError::Started)?;
        log::set_max_level(level);
        log_panics(queues);
        Ok(self)
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        for output in &self.outputs {
            output.queue.close();
        }
        for output in &self.outputs {
            if !output.queue.drain(DRAIN_TIMEOUT)
                && let Some(path) = &output.path
            {
                let path = path.display();
                say(format_args!(
                    "the log file {path} stalls; the last messages may be missing from it"
                ));
            }
        }
    }
}

/// A thread's panic is a service message too. Past the loggers, whose locks the panicking thread may hold.
fn log_panics(queues: Arc<[Arc<Queue>]>) {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let thread = thread::current();
        let name = thread.name().unwrap_or("unnamed");
        line::push_directly(&queues, Level::Error, format_args!("thread {name}: {info}"));
        usual(info);
    }));
}

/// Why logging did not start.
#[derive(Debug)]
pub enum LogError {
    /// The log file cannot be opened or created.
    Open {
        /// As the flag or the default had it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system has no thread to spare for the writer.
    Thread(io::Error),
    /// The process logs already.
    Started,
}

impl Display for LogError {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { path, source } => write!(
                out,
                "cannot open the log file {}: {}; choose another with --log-file, or --log-to console",
                path.display(),
                Reason(source)
            ),
            Self::Thread(source) => write!(
                out,
                "cannot start the log's thread: {}; raise the limit of threads",
                Reason(source)
            ),
            Self::Started => out.write_str("the log was started before"),
        }
    }
}

impl Error for LogError {}
