//! The threads that clients are served on: a thread for each, which then waits a moment for the next client. To wake a thread
//! costs far less than to start one, and that is most of what a short visit costs. What a thread does, this module does not know.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What a conversation needs of its stack is little, and untouched pages cost nothing; nested JSON
/// takes 128 levels of recursion at most, which fit even in a debug build.
const STACK_BYTES: usize = 512 << 10;

/// How many threads wait for work at most, and for how long.
const MOST_SPARE: usize = 64;
const PATIENCE: Duration = Duration::from_secs(1);

type Job = Box<dyn FnOnce() + Send>;

/// Runs jobs, each on a thread that does nothing else meanwhile. When it is dropped, the threads that wait end, and the
/// others once their jobs are done.
#[derive(Default)]
pub(crate) struct Crew(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Threads that wait, those included that are about to take one of `jobs`.
    waiting: usize,
    /// Never more than threads that wait for them.
    jobs: VecDeque<Job>,
    dismissed: bool,
}

impl Crew {
    /// # Errors
    ///
    /// When no thread waits and none can be started; the job is dropped then.
    pub(crate) fn run(&self, job: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let mut state = self.0.lock();
        if state.jobs.len() < state.waiting {
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

impl Drop for Crew {
    fn drop(&mut self) {
        self.0.lock().dismissed = true;
        self.0.changed.notify_all();
    }
}

impl Shared {
    fn next_job(&self) -> Option<Job> {
        let mut state = self.lock();
        if state.waiting >= MOST_SPARE {
            return None;
        }
        state.waiting += 1;
        let nothing_to_do = |state: &mut State| state.jobs.is_empty() && !state.dismissed;
        let waited = self
            .changed
            .wait_timeout_while(state, PATIENCE, nothing_to_do);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.waiting -= 1;
        state.jobs.pop_front()
    }

    /// Nothing that holds the lock can panic halfway.
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

    /// The threads that run `count` jobs, none of which ends before all have begun.
    fn threads_of(crew: &Crew, count: usize) -> HashSet<ThreadId> {
        let (report, reports) = mpsc::channel();
        let end_of_jobs: Vec<_> = (0..count)
            .map(|_| {
                let (end, ended) = mpsc::channel::<()>();
                let report = report.clone();
                crew.run(move || {
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

    /// Every thread holds what is shared as long as it lives.
    fn wait_for_threads(crew: &Crew, done: impl Fn(usize) -> bool) {
        while !done(Arc::strong_count(&crew.0) - 1) {
            thread::park_timeout(Duration::from_millis(1));
        }
    }

    fn wait_for_spare(crew: &Crew, count: usize) {
        while crew.0.lock().waiting < count {
            thread::yield_now();
        }
    }

    #[test]
    fn each_job_has_a_thread_of_its_own_and_threads_are_used_again() {
        let crew = Crew::default();
        let before = threads_of(&crew, 8);
        assert_eq!(before.len(), 8);
        wait_for_spare(&crew, 8);
        let after = threads_of(&crew, 9);
        assert_eq!(after.len(), 9);
        assert_eq!(after.intersection(&before).count(), 8);
    }

    #[test]
    fn few_threads_wait_and_none_for_long() {
        let crew = Crew::default();
        threads_of(&crew, MOST_SPARE + 20);
        wait_for_threads(&crew, |count| {
            assert!(crew.0.lock().waiting <= MOST_SPARE);
            count == 0
        });
    }

    #[test]
    fn a_job_that_panics_takes_its_thread_with_it_and_nothing_else() {
        let crew = Crew::default();
        crew.run(|| panic!("this panic is part of the test"))
            .unwrap();
        wait_for_threads(&crew, |count| count == 0);
        assert_eq!(threads_of(&crew, 3).len(), 3);
    }

    #[test]
    fn a_job_that_was_taken_on_is_done_although_the_crew_is_dismissed() {
        for _ in 0..100 {
            let crew = Crew::default();
            threads_of(&crew, 1);
            let (report, reports) = mpsc::channel();
            crew.run(move || report.send(()).unwrap()).unwrap();
            drop(crew);
            reports.recv().unwrap();
        }
    }
}
