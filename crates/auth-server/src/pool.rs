//! A bound on work that takes memory and a core: how much is done at once, and how much waits.
//!
//! The threads are those of the callers, who would wait for an answer anyway; what is pooled is
//! the permission to work, and the memory to work in.

use std::fmt;
use std::iter;
use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Lets as many callers work at once as it has memories to work in, in the order in which they
/// came, and as many wait as its queue is long.
#[derive(Debug)]
pub struct Pool<M> {
    workers: u64,
    queue: u64,
    state: Mutex<State<M>>,
    finished: Condvar,
}

#[derive(Debug)]
struct State<M> {
    /// Callers let in so far. Each has the number that this was before.
    admitted: u64,
    /// Callers who have finished. Number `n` may work once `n - workers` others have.
    finished: u64,
    /// Memories that nobody works in.
    idle: Vec<M>,
}

/// As many as may wait are waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy {
    /// How many that is.
    pub waiting: u64,
}

impl<M> Pool<M> {
    /// A pool where so many work at once, each in a memory made for it, and so many wait.
    #[must_use]
    pub fn new(workers: NonZeroUsize, queue: u64, memory: impl FnMut() -> M) -> Self {
        Self {
            workers: workers.get() as u64,
            queue,
            state: Mutex::new(State {
                admitted: 0,
                finished: 0,
                idle: iter::repeat_with(memory).take(workers.get()).collect(),
            }),
            finished: Condvar::new(),
        }
    }

    /// Waits for its turn, and does the work. Work that panics does so here, and leaves its memory
    /// to the next.
    ///
    /// # Errors
    ///
    /// [`Busy`] at once, when the queue is full.
    pub fn run<T>(&self, work: impl FnOnce(&mut M) -> T) -> Result<T, Busy> {
        let mut permit = self.permit()?;
        Ok(work(
            permit.memory.as_mut().expect("only the drop takes it"),
        ))
    }

    fn permit(&self) -> Result<Permit<'_, M>, Busy> {
        let mut state = self.state();
        if state.admitted - state.finished >= self.workers + self.queue {
            return Err(Busy {
                waiting: self.queue,
            });
        }
        let number = state.admitted;
        state.admitted += 1;
        let mut state = self
            .finished
            .wait_while(state, |state| number >= state.finished + self.workers)
            .unwrap_or_else(PoisonError::into_inner);
        let memory = state.idle.pop();
        Ok(Permit { pool: self, memory })
    }

    /// Nothing that holds the lock can panic halfway.
    fn state(&self) -> MutexGuard<'_, State<M>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives memory and turn back when it goes.
struct Permit<'a, M> {
    pool: &'a Pool<M>,
    memory: Option<M>,
}

impl<M> Drop for Permit<'_, M> {
    fn drop(&mut self) {
        let mut state = self.pool.state();
        state.finished += 1;
        state.idle.extend(self.memory.take());
        drop(state);
        self.pool.finished.notify_all();
    }
}

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} are waiting already", self.waiting)
    }
}

impl std::error::Error for Busy {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::mpsc;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    /// After which a test has failed rather than hangs.
    const LONG: Duration = Duration::from_secs(10);

    fn pool<M>(workers: usize, queue: u64, memory: impl FnMut() -> M) -> Pool<M> {
        Pool::new(NonZeroUsize::new(workers).unwrap(), queue, memory)
    }

    /// Waits until so many are inside, working or waiting.
    fn await_inside<M>(pool: &Pool<M>, inside: u64) {
        let start = Instant::now();
        while {
            let state = pool.state();
            state.admitted - state.finished != inside
        } {
            assert!(start.elapsed() < LONG, "never are {inside} inside");
            thread::yield_now();
        }
    }

    #[test]
    fn as_many_work_as_there_are_memories() {
        let mut memories = 'a'..='c';
        let pool = pool(3, 97, || memories.next().unwrap());
        let at_work = Mutex::new(HashSet::new());
        thread::scope(|scope| {
            for _ in 0..100 {
                scope.spawn(|| {
                    pool.run(|memory| {
                        let alone = at_work.lock().unwrap().insert(*memory);
                        assert!(alone, "two work in {memory}");
                        thread::yield_now();
                        at_work.lock().unwrap().remove(memory);
                    })
                    .unwrap();
                });
            }
        });
        assert_eq!(pool.state().finished, 100);
        assert_eq!(pool.state().idle.len(), 3);
    }

    #[test]
    fn who_finds_the_queue_full_is_told_at_once() {
        let pool = pool(1, 2, || ());
        let (go, wait) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let pool = &pool;
            scope.spawn(move || pool.run(|()| wait.recv_timeout(LONG).unwrap()).unwrap());
            await_inside(pool, 1);
            for waiting in 2..=3 {
                scope.spawn(|| pool.run(|()| ()).unwrap());
                await_inside(pool, waiting);
            }
            assert_eq!(pool.run(|()| ()), Err(Busy { waiting: 2 }));
            go.send(()).unwrap();
        });
        assert_eq!(pool.run(|()| 7), Ok(7));
    }

    #[test]
    fn first_come_is_first_served() {
        let pool = pool(1, 50, || ());
        let served = Mutex::new(vec![]);
        let (go, wait) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let pool = &pool;
            scope.spawn(move || pool.run(|()| wait.recv_timeout(LONG).unwrap()).unwrap());
            await_inside(pool, 1);
            for number in 0..50 {
                let served = &served;
                scope.spawn(move || pool.run(|()| served.lock().unwrap().push(number)).unwrap());
                await_inside(pool, number + 2);
            }
            go.send(()).unwrap();
        });
        assert_eq!(served.into_inner().unwrap(), (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn a_panic_is_its_callers_alone() {
        let pool = pool(1, 0, || String::from("memory"));
        let panic =
            thread::scope(|scope| scope.spawn(|| pool.run(|_| panic!("on purpose"))).join());
        assert!(panic.is_err());
        assert_eq!(pool.run(|memory| memory.clone()).unwrap(), "memory");
    }
}
