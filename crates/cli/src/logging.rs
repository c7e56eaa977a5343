//! Service messages: the records of the `log` macros, as lines in files, on stderr, or both.
//!
//! record -> `router` -> simplelog with `format` -> `queue` -> a `writer` thread -> `file` or stderr. A line costs its
//! caller about a microsecond and never waits for the disk. Each destination has its own queue, so that a stopped
//! terminal does not stall the file. Security events have a file of their own, beside the log.

mod distinct_files;
mod event_limiter;
mod file;
mod format;
mod queue;
mod router;
mod security;
mod terminal;
mod writer;

use std::io::{self, IsTerminal, Write};
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use log::{Level, LevelFilter, info};
use private_files::name_blocking_file;

use crate::print_stderr::print_stderr;
use crate::program::Program;
use file::LogFile;
use proto::Reason;
use queue::{Priority, Queue};
use router::Router;
use security::SecurityLog;
use terminal::TerminalLog;

pub use terminal::LinePrefix;

/// How long the end waits for a file or terminal that takes no more lines.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// The security log is rotated past this, so that it and the older one stay small enough to read.
const SECURITY_LOG_BYTES: u64 = 10 << 20;

/// Which service messages a server logs, and where they go.
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

    /// Past this many MiB the log file becomes PATH.1 and a new one begins; 0: no limit
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
    /// Starts logging as the flags say; a line on stderr says where the log file is. `data_files` are the files that
    /// the program needs for something else.
    ///
    /// # Errors
    ///
    /// When the log file cannot be opened for appending, or is one of `data_files`, or logging was started before.
    pub fn start(&self, program: &Program, data_files: &[PathBuf]) -> Result<LogGuard, LogError> {
        let mut guard = LogGuard::new();
        let path = self.log_file.clone();
        let path = path.unwrap_or_else(|| program.log_file().into());
        // Absolute, so that it stays valid when the working directory changes and a person can find it.
        let path = std::path::absolute(&path).unwrap_or(path);
        let security_path = path.with_extension("security.log");
        let logs = match self.log_to {
            LogTo::Console => &[&*security_path][..],
            LogTo::File | LogTo::Both => &[&*path, &*security_path],
        };
        if let Some(path) = distinct_files::shared_file(logs, data_files) {
            return Err(LogError::DataFile { path });
        }
        if self.log_to != LogTo::Console {
            let limit = u64::from(self.log_max_mib) << 20;
            let file = LogFile::open(&path, (limit > 0).then_some(limit)).map_err(|cause| {
                let cause = name_blocking_file(cause, &path);
                let path = path.clone();
                LogError::Open { path, cause }
            })?;
            guard.add_file(file, &path)?;
            print_stderr(format_args!("service messages go to {}", path.display()));
        }
        if self.log_to != LogTo::File {
            guard.add_stderr()?;
        }
        guard.add_security_file(&security_path)?;
        guard.install(self.log_level)
    }
}

/// Starts logging to stderr alone: a client's service messages. Each line is written before the call that logs it
/// returns, so that a person sees it in its place among the client's own output.
///
/// # Errors
///
/// When logging was started before.
pub fn log_to_stderr(level: LevelFilter) -> Result<(), LogError> {
    LogGuard::new().install(level).map(drop)
}

/// Like [`log_to_stderr`], but on a person's terminal the lines are short and dimmed: `line_prefix` and message,
/// without time, process and level. `NO_COLOR` and `TERM=dumb` turn dimming off. `output` is the way to stderr that the
/// program uses while it has the terminal.
///
/// # Errors
///
/// When logging was started before.
pub fn log_to_person(
    level: LevelFilter,
    line_prefix: LinePrefix,
    output: impl Write + Send + 'static,
) -> Result<(), LogError> {
    if !io::stderr().is_terminal() {
        return log_to_stderr(level);
    }
    log::set_boxed_logger(Box::new(TerminalLog::new(level, line_prefix, output)))
        .map_err(|_| LogError::Started)?;
    log::set_max_level(level);
    Ok(())
}

/// Logging, as long as it lives. Dropping it writes all lines to their destinations; later ones are discarded.
#[must_use = "dropping the guard ends the log"]
pub struct LogGuard {
    outputs: Vec<Output>,
    security: Option<(Arc<SecurityLog>, Output)>,
    reopen_flags: Vec<Arc<AtomicBool>>,
    mirrors_warnings: Arc<AtomicBool>,
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
            security: None,
            reopen_flags: Vec::new(),
            mirrors_warnings: Arc::default(),
        }
    }

    /// Whether warnings go to stderr too, if otherwise only the file has them.
    pub(crate) fn mirror_warnings(&self, on: bool) {
        let is_shown = self.outputs.iter().any(|output| output.path.is_none());
        self.mirrors_warnings
            .store(on && !is_shown, Ordering::Relaxed);
    }

    /// A function that opens all log files again, for the signal SIGHUP: a tool that rotates logs has moved them
    /// away.
    pub fn reopener(&self) -> impl Fn() + Send + 'static {
        let flags = self.reopen_flags.clone();
        move || {
            for flag in &flags {
                flag.store(true, Ordering::Relaxed);
            }
            // The writer opens the file for this line.
            info!("log files reopened");
        }
    }

    fn add_file(&mut self, file: LogFile, path: &Path) -> Result<(), LogError> {
        let output = self.start_file("log-file", file, path)?;
        self.outputs.push(output);
        Ok(())
    }

    fn add_security_file(&mut self, path: &Path) -> Result<(), LogError> {
        let file = LogFile::open_late(path, Some(SECURITY_LOG_BYTES));
        let output = self.start_file("log-security-file", file, path)?;
        let security = SecurityLog::start(&output.queue).map_err(LogError::Thread)?;
        self.security = Some((security, output));
        Ok(())
    }

    fn add_stderr(&mut self) -> Result<(), LogError> {
        let queue = Arc::new(Queue::default());
        writer::spawn("log-stderr", Arc::clone(&queue), io::stderr(), None)
            .map_err(LogError::Thread)?;
        self.outputs.push(Output { queue, path: None });
        Ok(())
    }

    fn start_file(&mut self, name: &str, file: LogFile, path: &Path) -> Result<Output, LogError> {
        self.reopen_flags.push(file.reopen_flag());
        let queue = Arc::new(Queue::default());
        let failure_report = format!("cannot write to the log file {}", path.display());
        writer::spawn(name, Arc::clone(&queue), file, Some(failure_report))
            .map_err(LogError::Thread)?;
        Ok(Output {
            queue,
            path: Some(path.to_owned()),
        })
    }

    fn install(self, level: LevelFilter) -> Result<Self, LogError> {
        let queue = |output: &Output| Arc::clone(&output.queue);
        let queues: Arc<[_]> = self.outputs.iter().map(queue).collect();
        let security = self.security.as_ref().map(|(log, _)| Arc::clone(log));
        let max_level = match security {
            // Security events are logged whatever the level is.
            Some(_) => level.max(LevelFilter::Info),
            None => level,
        };
        let mirrors_warnings = Arc::clone(&self.mirrors_warnings);
        let router = Router::new(level, &queues, security, mirrors_warnings, DRAIN_TIMEOUT);
        log::set_boxed_logger(Box::new(router)).map_err(|_| LogError::Started)?;
        log::set_max_level(max_level);
        log_panics(queues);
        Ok(self)
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        let mut outputs: Vec<_> = self.outputs.iter().collect();
        if let Some((security, output)) = &self.security {
            security.log_last_sums();
            outputs.push(output);
        }
        for output in &outputs {
            output.queue.close();
        }
        for output in outputs {
            if !output.queue.drain(DRAIN_TIMEOUT)
                && let Some(path) = &output.path
            {
                let path = path.display();
                print_stderr(format_args!(
                    "the log file {path} stalls; the last messages may be missing from it"
                ));
            }
        }
    }
}

/// Logs panics of threads. It bypasses the loggers, because the panicking thread may hold their locks.
fn log_panics(queues: Arc<[Arc<Queue>]>) {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let thread = thread::current();
        let name = thread.name().unwrap_or("unnamed");
        let line = format::line(Level::Error, format_args!("thread {name}: {info}"));
        for queue in &*queues {
            queue.push(&line, Priority::Normal);
        }
        if queues.is_empty() {
            // There is nowhere to report that stderr is gone.
            let _ = io::stderr().write_all(&line);
        }
        usual(info);
    }));
}

/// Why logging did not start.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The log file cannot be opened or created.
    #[error(
        "cannot open the log file {}: {}; choose another with --log-file, or --log-to console",
        .path.display(), Reason(.cause)
    )]
    Open {
        /// The absolute path.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// A file of the log is one of the program's data files.
    #[error(
        "the log would be written to {}, which belongs to the program's data; choose another --log-file",
        .path.display()
    )]
    DataFile {
        /// The data file.
        path: PathBuf,
    },
    /// The thread of a writer cannot be started.
    #[error("cannot start the log's thread: {}; raise the limit of threads", Reason(.0))]
    Thread(io::Error),
    /// The process logs already.
    #[error("the log was started before")]
    Started,
}
