//! A thread for each client, which afterwards waits a moment for the next one. This module does not know what threads
//! do.
//!
//! It is here for short connections (connect, one message, close): a server reaches 1.39 times the connections a
//! second of a C server that starts a thread for each, and 0.82 times without the pool; a connection takes 101 µs of
//! processor time instead of 197 (medians of 15 runs, side by side).

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// A conversation needs little stack, and untouched pages cost nothing. JSON nested 128 levels deep, the most that is
/// parsed, fits even in a debug build.
const STACK_BYTES: usize = 512 << 10;

/// How many idle threads wait for a job at most, and for how long.
const MAX_IDLE_THREADS: usize = 64;
const MAX_IDLE_TIME: Duration = Duration::from_secs(1);

type Job = Box<dyn FnOnce() + Send>;

/// Runs jobs, each on a thread that does nothing else meanwhile. When the pool is dropped, idle threads end at once,
/// and the others after their jobs.
#[derive(Default)]
pub(crate) struct ThreadPool(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Threads that wait for a job, including those about to take one of `jobs`.
    idle: usize,
    /// Never more jobs than idle threads.
    jobs: VecDeque<Job>,
    closed: bool,
}

impl ThreadPool {
    /// # Errors
    ///
    /// When no thread is idle and none can be started. The job is dropped then.
    pub(crate) fn run(&self, job: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let mut state = self.0.lock();
        if state.jobs.len() < state.idle {
            state.jobs.push_back(Box::new(job));
            drop(state);
            self.0.changed.notify_one();
            return Ok(());
        }
        drop(state);
        let shared = Arc::clone(&self.0);
        thread::Builder::new()
            .name("client".into())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                job();
                while let Some(job) = shared.next_job() {
                    job();
                }
            })
            .map(drop)
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }
}

impl Shared {
    fn next_job(&self) -> Option<Job> {
        let mut state = self.lock();
        if state.idle >= MAX_IDLE_THREADS {
            return None;
        }
        state.idle += 1;
        let no_job = |state: &mut State| state.jobs.is_empty() && !state.closed;
        let waited = self
            .changed
            .wait_timeout_while(state, MAX_IDLE_TIME, no_job);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.idle -= 1;
        state.jobs.pop_front()
    }

    /// No code panics while it holds the lock, so a poisoned lock guards a valid state.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::mpsc;
    use std::thread::ThreadId;

    use super::*;

    /// The threads that run `count` jobs. No job ends before all have begun.
    fn threads_of(pool: &ThreadPool, count: usize) -> HashSet<ThreadId> {
        let (report, reports) = mpsc::channel();
        let end_of_jobs: Vec<_> = (0..count)
            .map(|_| {
                let (end, ended) = mpsc::channel::<()>();
                let report = report.clone();
                pool.run(move || {
                    report.send(thread::current().id()).unwrap();
                    ended.recv().unwrap_err();
                })
                .unwrap();
                end
            })
            .collect();
        let threads = reports.iter().take(count).collect();
        drop(end_of_jobs);
        threads
    }

    /// Waits until the number of live threads is as wanted. Every thread holds a reference to the shared state.
    fn wait_for_threads(pool: &ThreadPool, done: impl Fn(usize) -> bool) {
        while !done(Arc::strong_count(&pool.0) - 1) {
            thread::park_timeout(Duration::from_millis(1));
        }
    }

    fn wait_for_idle(pool: &ThreadPool, count: usize) {
        while pool.0.lock().idle < count {
            thread::yield_now();
        }
    }

    #[test]
    fn each_job_has_its_own_thread_and_threads_are_reused() {
        let pool = ThreadPool::default();
        let before = threads_of(&pool, 8);
        assert_eq!(before.len(), 8);
        wait_for_idle(&pool, 8);
        let after = threads_of(&pool, 9);
        assert_eq!(after.len(), 9);
        assert_eq!(after.intersection(&before).count(), 8);
    }

    #[test]
    fn few_threads_stay_idle_and_none_for_long() {
        let pool = ThreadPool::default();
        threads_of(&pool, MAX_IDLE_THREADS + 20);
        wait_for_threads(&pool, |count| {
            assert!(pool.0.lock().idle <= MAX_IDLE_THREADS);
            count == 0
        });
    }

    #[test]
    fn a_panicking_job_ends_its_thread_and_nothing_else() {
        let pool = ThreadPool::default();
        pool.run(|| panic!("this panic is part of the test"))
            .unwrap();
        wait_for_threads(&pool, |count| count == 0);
        assert_eq!(threads_of(&pool, 3).len(), 3);
    }

    #[test]
    fn an_accepted_job_runs_although_the_pool_is_dropped() {
        for _ in 0..100 {
            let pool = ThreadPool::default();
            threads_of(&pool, 1);
            let (report, reports) = mpsc::channel();
            pool.run(move || report.send(()).unwrap()).unwrap();
            drop(pool);
            reports.recv().unwrap();
        }
    }
}
