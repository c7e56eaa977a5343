//! Security events: a file of their own, which no other message can fill, and a limit of lines for each kind and site.
//!
//! An event is a record with the target [`SECURITY`](proto::log_target::SECURITY) and the values `event`, `network` and
//! `name`, the latter two where there is one.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use log::kv::Key;
use log::{Log, Record};
use proto::{Count, Network};
use simplelog::WriteLogger;

use super::event_limiter::{EventLimiter, EventSum};
use super::format::{LineWriter, logger};
use super::queue::{Priority, Queue};

/// The target of sums of security events, which are not limited again.
pub(super) const SUM_TARGET: &str = "security-sum";

/// How often sums are looked for while events wait for one.
const SUM_INTERVAL: Duration = Duration::from_millis(250);

pub(super) struct SecurityLog {
    queue: Arc<Queue>,
    logger: Box<WriteLogger<LineWriter>>,
    limiter: Mutex<EventLimiter>,
    /// The first event waits for a sum, or the log is closed.
    waiting: Condvar,
}

impl SecurityLog {
    /// Starts the thread that logs sums. Lines go to `queue`.
    pub(super) fn start(queue: &Arc<Queue>) -> io::Result<Arc<Self>> {
        let log = Arc::new(Self {
            queue: Arc::clone(queue),
            logger: logger(LineWriter::new(
                &Arc::from([Arc::clone(queue)]),
                Priority::Normal,
            )),
            limiter: Mutex::new(EventLimiter::new()),
            waiting: Condvar::new(),
        });
        let sums = Arc::clone(&log);
        thread::Builder::new()
            .name("log-security".into())
            .spawn(move || sums.log_sums())?;
        Ok(log)
    }

    /// Whether the event gets a line of its own. If not, it is counted for a sum.
    pub(super) fn admit(&self, record: &Record<'_>) -> bool {
        let value = |key: &str| {
            let value = record.key_values().get(Key::from_str(key))?;
            Some(value.to_string())
        };
        let kind = value("event").unwrap_or_else(|| "event".into());
        let address = value("network").and_then(|network| network.parse().ok());
        let site = address.map(|address| Network::of(address).site());
        let name = value("name");
        let mut limiter = self.lock();
        let admitted = limiter.admit(&kind, site, name.as_deref(), Instant::now());
        drop(limiter);
        if !admitted {
            self.waiting.notify_one();
        }
        admitted
    }

    /// Writes an admitted event.
    pub(super) fn log(&self, record: &Record<'_>) {
        self.logger.log(record);
    }

    /// Waits until all lines are in the file, at most for `timeout`.
    pub(super) fn flush(&self, timeout: Duration) {
        self.queue.drain(timeout);
    }

    /// Logs the events that still wait for a sum.
    pub(super) fn log_last_sums(&self) {
        let sums = self.lock().take_all();
        sums.iter().for_each(log_sum);
    }

    /// Runs as long as the process: it costs nothing while no event waits.
    fn log_sums(&self) {
        loop {
            let none_waits = |limiter: &mut EventLimiter| !limiter.has_waiting();
            let waited = self.waiting.wait_while(self.lock(), none_waits);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
            thread::park_timeout(SUM_INTERVAL);
            let sums = self.lock().take_due(Instant::now());
            sums.iter().for_each(log_sum);
        }
    }

    fn lock(&self) -> MutexGuard<'_, EventLimiter> {
        self.limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `failed login: 57 more from 192.0.2.7, with 12 names`
fn log_sum(sum: &EventSum) {
    let EventSum {
        kind,
        site,
        events,
        names,
    } = sum;
    let from = site.map_or_else(|| "several networks".to_owned(), |site| site.to_string());
    let with = match names {
        0 => String::new(),
        names => format!(", with {}", Count(*names as u64, "name")),
    };
    log::info!(target: SUM_TARGET, "{kind}: {events} more from {from}{with}");
}
