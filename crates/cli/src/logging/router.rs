//! The logger of the `log` facade: sends each record to the destinations of its target.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use log::{Level, LevelFilter, Log, Metadata, Record};
use proto::log_target;
use simplelog::WriteLogger;

use super::format::{LineWriter, logger, message};
use super::queue::{Priority, Queue};
use super::security::{self, SecurityLog};
use crate::print_stderr::print_stderr;

pub(super) struct Router {
    level: LevelFilter,
    normal: Box<WriteLogger<LineWriter>>,
    traffic: Box<WriteLogger<LineWriter>>,
    security: Option<Arc<SecurityLog>>,
    queues: Arc<[Arc<Queue>]>,
    mirrors_warnings: Arc<AtomicBool>,
    /// How long a flush waits for a file or terminal that takes no more lines.
    timeout: Duration,
}

impl Router {
    /// Without queues each line goes to stderr before the caller goes on. While `mirrors_warnings` is set, warnings go
    /// there too.
    pub(super) fn new(
        level: LevelFilter,
        queues: &Arc<[Arc<Queue>]>,
        security: Option<Arc<SecurityLog>>,
        mirrors_warnings: Arc<AtomicBool>,
        timeout: Duration,
    ) -> Self {
        Self {
            level,
            normal: logger(LineWriter::new(queues, Priority::Normal)),
            traffic: logger(LineWriter::new(queues, Priority::Traffic)),
            security,
            queues: Arc::clone(queues),
            mirrors_warnings,
            timeout,
        }
    }
}

impl Router {
    /// The security log, if it takes lines of this target.
    fn security_log(&self, target: &str) -> Option<&SecurityLog> {
        let is_security = matches!(target, log_target::SECURITY | security::SUM_TARGET);
        self.security.as_deref().filter(|_| is_security)
    }
}

impl Log for Router {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.level || self.security_log(metadata.target()).is_some()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let security = self.security_log(record.target());
        if let Some(security) = security
            && record.target() == log_target::SECURITY
            && !security.admit(record)
        {
            return;
        }
        // Before a logger's lock is taken, so that a value which panics as it is displayed does no harm to other
        // threads.
        let message = message(*record.args());
        let args = format_args!("{message}");
        let metadata = record.metadata().clone();
        let record = Record::builder().metadata(metadata).args(args).build();
        if let Some(security) = security {
            security.log(&record);
        }
        if record.level() > self.level {
            return;
        }
        match record.target() {
            // Dropped first when the disk stalls.
            log_target::TRAFFIC => self.traffic.log(&record),
            _ => self.normal.log(&record),
        }
        if record.level() == Level::Warn && self.mirrors_warnings.load(Ordering::Relaxed) {
            print_stderr(format_args!("warning: {message}"));
        }
    }

    /// Waits until all lines are where they belong, at most for the time-out.
    fn flush(&self) {
        for queue in &*self.queues {
            queue.drain(self.timeout);
        }
        if let Some(security) = &self.security {
            security.flush(self.timeout);
        }
    }
}
