//! One child process: signals, memory and other figures, its end. It does not handle the streams.

use std::fs;
use std::process::ExitStatus;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

#[cfg(target_os = "linux")]
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

use crate::failure;
use crate::folder::{Folder, LogFile};
use crate::platform::{self, Child, Signal};
use crate::program::Program;

/// Held while a child starts. `portable-pty` marks a terminal close-on-exec only after opening it; a child of another
/// test that started in between would inherit it and hold it open.
static STARTING: Mutex<()> = Mutex::new(());

/// How long a failed wait still waits for what explains it: output on the other stream, the exit status.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(1);

/// The unit of processor times in `/proc` (USER_HZ, 100 everywhere but on the Alpha).
const TICK: Duration = Duration::from_millis(10);

/// A child process. [`Running`](crate::Running) and [`Terminal`](crate::Terminal) add streams to it. Dropping it kills
/// it and waits for it.
pub struct Process {
    program: Program,
    folder: Folder,
    pid: u32,
    life: Arc<Life>,
    waiter: Option<JoinHandle<()>>,
}

struct Life {
    state: Mutex<State>,
    ended: Condvar,
}

struct State {
    child: Child,
    /// None while it runs, that is, until its process id may belong to another process.
    status: Option<ExitStatus>,
    sent: Option<Signal>,
}

/// A process's memory in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// What it uses now (`VmRSS`).
    pub resident: u64,
    /// The most it ever used (`VmHWM`).
    pub peak: u64,
    /// What it may use without asking for more (`VmSize`).
    pub mapped: u64,
}

impl Process {
    /// Owns the child that `start` starts.
    #[track_caller]
    pub(crate) fn start<S>(
        program: &Program,
        start: impl FnOnce(&Folder) -> Result<(Child, S), String>,
    ) -> (Self, S) {
        let folder = program.folder.clone().unwrap_or_else(Folder::new);
        let started = {
            let _alone = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
            start(&folder)
        };
        let (child, streams) = match started {
            Ok(started) => started,
            Err(error) => panic!("cannot start {program}: {error}"),
        };
        let pid = child.id();
        let life = Arc::new(Life {
            state: Mutex::new(State {
                child,
                status: None,
                sent: None,
            }),
            ended: Condvar::new(),
        });
        let waiter = thread::Builder::new()
            .name("testbed-wait".to_owned())
            .spawn({
                let life = life.clone();
                move || life.await_end(pid)
            })
            .expect("the machine has a thread left for the test");
        let process = Self {
            program: program.clone(),
            folder,
            pid,
            life,
            waiter: Some(waiter),
        };
        (process, streams)
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Asks it to stop, as `kill PID` does (SIGTERM). On Windows every signal kills.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Interrupts it, as Ctrl-C does (SIGINT).
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Ends it at once (SIGKILL).
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Sends any signal. A process that has ended gets none.
    pub fn signal(&self, signal: Signal) {
        if let Some(mut alive) = self.alive() {
            platform::send(&mut alive.child, signal);
            alive.sent = Some(signal);
        }
    }

    pub(crate) fn last_signal(&self) -> Option<Signal> {
        self.life.lock().sent
    }

    /// Whether it has not ended yet.
    pub fn is_running(&self) -> bool {
        self.alive().is_some()
    }

    /// Its memory; None on systems other than Linux and after its end.
    pub fn memory(&self) -> Option<Memory> {
        let status = self.proc_status()?;
        let kib = |field| Some(field_of(&status, field)? * 1024);
        Some(Memory {
            resident: kib("VmRSS")?,
            peak: kib("VmHWM")?,
            mapped: kib("VmSize")?,
        })
    }

    /// How many threads it has; None on systems other than Linux and after its end.
    pub fn threads(&self) -> Option<u64> {
        field_of(&self.proc_status()?, "Threads")
    }

    /// How many files and sockets it has open; None on systems other than Linux and after its end.
    pub fn descriptors(&self) -> Option<usize> {
        let _alive = self.alive()?;
        Some(fs::read_dir(self.proc("fd")).ok()?.count())
    }

    /// The processor time it has used (user and system), in steps of 10 ms; None on systems other than Linux and after
    /// its end.
    pub fn processor_time(&self) -> Option<Duration> {
        let _alive = self.alive()?;
        ticks_of(&fs::read_to_string(self.proc("stat")).ok()?).map(|ticks| ticks * TICK)
    }

    /// Sets one of its limits while it runs (prlimit(2)); None lifts it.
    #[cfg(target_os = "linux")]
    pub fn restrict(&self, resource: Resource, most: Option<u64>) {
        // The hardest limit that it may have is the test's own, which it inherited.
        let maximum = getrlimit(resource).maximum;
        let current = most.or(maximum);
        let _alive = self.alive().expect("only what runs can be limited");
        prlimit(
            Pid::from_raw(self.pid as i32),
            resource,
            Rlimit { current, maximum },
        )
        .expect("a child can be limited");
    }

    /// The folder it works in.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The log file where our servers write by default: `logs/NAME.log` in its folder.
    pub fn log(&self) -> LogFile {
        self.program.log_in(&self.folder)
    }

    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    pub(crate) fn limit(&self) -> Duration {
        self.program.limit
    }

    /// Waits for its end; None when it outlives the limit.
    pub(crate) fn wait_for_end(&self, limit: Duration) -> Option<ExitStatus> {
        let running = |state: &mut State| state.status.is_none();
        let waited = self
            .life
            .ended
            .wait_timeout_while(self.life.lock(), limit, running);
        waited.unwrap_or_else(PoisonError::into_inner).0.status
    }

    /// Fails the test with a full report.
    #[track_caller]
    pub(crate) fn fail(&self, what: &str, streams: &[(&str, Vec<u8>)]) -> ! {
        let state = match self.life.lock().status {
            None => format!("still running as process {}", self.pid()),
            Some(status) => format!("ended with {status}"),
        };
        let report = failure::report(what, &self.program, &state, streams, &self.folder);
        panic!("{report}");
    }

    fn proc_status(&self) -> Option<String> {
        let _alive = self.alive()?;
        fs::read_to_string(self.proc("status")).ok()
    }

    fn proc(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.pid())
    }

    /// None once it has ended. While the guard lives, its process id cannot pass to another process.
    fn alive(&self) -> Option<MutexGuard<'_, State>> {
        let state = self.life.lock();
        state.status.is_none().then_some(state)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if let Some(waiter) = self.waiter.take() {
            let _ = waiter.join();
        }
    }
}

impl Life {
    /// Waits without reaping, then reaps under the lock, so that no signal reaches another process with the same id.
    fn await_end(&self, pid: u32) {
        platform::await_end(pid, || {
            let waited = self.lock().child.try_wait();
            waited.expect("a child can be waited for").is_some()
        });
        let mut state = self.lock();
        state.status = Some(state.child.wait().expect("an ended child can be reaped"));
        self.ended.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number in the text of `/proc/PID/status` (proc_pid_status(5)), such as `Threads: 7`.
fn field_of(status: &str, field: &str) -> Option<u64> {
    let value = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    value.split_whitespace().next()?.parse().ok()
}

/// User's and system's time in the text of `/proc/PID/stat` (proc_pid_stat(5)), the fields 14 and
/// 15. Field 2 is a name in parentheses that can hold anything.
fn ticks_of(stat: &str) -> Option<u32> {
    let (_, from_third) = stat.rsplit_once(") ")?;
    let mut ticks = from_third.split(' ').skip(11).map(str::parse::<u32>);
    Some(ticks.next()?.ok()? + ticks.next()?.ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_by_their_whole_name() {
        let status = "Name:\tsh\nVmRSSx:\t1 kB\nVmRSS:\t    1234 kB\nThreads:\t7\n";
        assert_eq!(field_of(status, "VmRSS"), Some(1234));
        assert_eq!(field_of(status, "Threads"), Some(7));
        assert_eq!(field_of(status, "VmHWM"), None);
        assert_eq!(field_of(status, "Name"), None);
    }

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 91 0 0 0 12 34 0 0 20 0 1 0";
        assert_eq!(ticks_of(stat), Some(46));
        assert_eq!(ticks_of("7 (a) S 1"), None);
    }
}
