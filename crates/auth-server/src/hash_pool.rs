//! A bound on hashing: how many hashes are computed at once, and how many attempts wait.
//!
//! Connection threads hash themselves, since they wait for the result anyway. Each needs one of the pool's memories to
//! hash in, so at most as many hash at once as there are memories.

use std::iter;
use std::num::NonZeroUsize;
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::fair_queue::{FairQueue, Pushed, Ticket};

/// Lets as many callers work at once as it has memories, in the order of its [`FairQueue`].
#[derive(Debug)]
pub struct HashPool<M> {
    state: Mutex<State<M>>,
}

#[derive(Debug)]
struct State<M> {
    /// Memories that are not in use. While there is one, the queue holds nothing that may start.
    idle: Vec<M>,
    /// Callers that wait. A memory is sent to each in its turn; the sender of one that has lost its slot is dropped.
    queue: FairQueue<Sender<M>>,
}

/// There is no slot in the queue, or the turn did not come in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts wait for a hash")]
pub struct QueueFull;

impl<M> HashPool<M> {
    /// A pool of `workers`, each with a memory from `memory`.
    #[must_use]
    pub fn new(workers: NonZeroUsize, memory: impl FnMut() -> M) -> Self {
        Self {
            state: Mutex::new(State {
                idle: iter::repeat_with(memory).take(workers.get()).collect(),
                queue: FairQueue::default(),
            }),
        }
    }

    /// Waits for the caller's turn and does the work. Work that panics does so in the caller, and leaves its memory to
    /// the next one.
    ///
    /// # Errors
    ///
    /// [`QueueFull`] when there is no slot, at once or once another network takes this one's, or when the turn does not
    /// come within [`MAX_WAIT`](crate::MAX_WAIT).
    pub fn run<T>(&self, ticket: Ticket, work: impl FnOnce(&mut M) -> T) -> Result<T, QueueFull> {
        let memory = self.wait(ticket)?;
        let mut permit = Permit {
            pool: self,
            ticket,
            memory: Some(memory),
        };
        let memory = permit.memory.as_mut();
        Ok(work(memory.expect(
            "it was Some when `permit` was made, and only `Permit::drop` takes it",
        )))
    }

    fn wait(&self, ticket: Ticket) -> Result<M, QueueFull> {
        let (turn, my_turn) = mpsc::channel();
        let mut state = self.state();
        if !state.idle.is_empty() && state.queue.try_start(&ticket) {
            return state.idle.pop().ok_or(QueueFull);
        }
        if let Pushed::Full(_) = state.queue.push(ticket, turn, Instant::now()) {
            return Err(QueueFull);
        }
        drop(state);
        my_turn.recv().map_err(|_| QueueFull)
    }

    /// Nothing that holds the lock can panic halfway.
    fn state(&self) -> MutexGuard<'_, State<M>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M> State<M> {
    /// Hands idle memories to the callers whose turn it is.
    fn dispatch(&mut self) {
        // Their callers stop waiting, since this drops their senders.
        drop(self.queue.take_overdue(Instant::now()));
        while let Some(memory) = self.idle.pop() {
            let Some((ticket, turn)) = self.queue.pop() else {
                self.idle.push(memory);
                return;
            };
            if let Err(mpsc::SendError(memory)) = turn.send(memory) {
                // The caller is gone, which cannot happen while it waits; its turn must not be lost all the same.
                self.queue.finish(&ticket);
                self.idle.push(memory);
            }
        }
    }
}

/// The right to work. It gives memory and turn back when it is dropped.
struct Permit<'a, M> {
    pool: &'a HashPool<M>,
    ticket: Ticket,
    memory: Option<M>,
}

impl<M> Drop for Permit<'_, M> {
    fn drop(&mut self) {
        let mut state = self.pool.state();
        state.queue.finish(&self.ticket);
        state.idle.extend(self.memory.take());
        state.dispatch();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use proto::Network;

    use super::*;
    use crate::fair_queue::{MAX_WAIT, UNKNOWN_SLOTS};

    /// After which a test has failed rather than hangs.
    const LONG: Duration = Duration::from_secs(10);

    fn pool<M>(workers: usize, memory: impl FnMut() -> M) -> HashPool<M> {
        HashPool::new(NonZeroUsize::new(workers).unwrap(), memory)
    }

    fn ticket(number: u32, exclusive_key: Option<u64>) -> Ticket {
        Ticket {
            network: Network::of(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number))),
            is_known: false,
            exclusive_key,
        }
    }

    fn await_waiting<M>(pool: &HashPool<M>, waiting: usize) {
        let start = Instant::now();
        while pool.state().queue.len() != waiting {
            assert!(start.elapsed() < LONG, "never do {waiting} wait");
            thread::yield_now();
        }
    }

    #[test]
    fn as_many_work_as_there_are_memories() {
        let mut memories = 'a'..='c';
        let pool = pool(3, || memories.next().unwrap());
        let at_work = Mutex::new(HashSet::new());
        thread::scope(|scope| {
            for number in 0..UNKNOWN_SLOTS {
                let (pool, at_work) = (&pool, &at_work);
                scope.spawn(move || {
                    pool.run(ticket(number as u32, None), |memory| {
                        let alone = at_work.lock().unwrap().insert(*memory);
                        assert!(alone, "two work in {memory}");
                        thread::yield_now();
                        at_work.lock().unwrap().remove(memory);
                    })
                    .unwrap();
                });
            }
        });
        assert_eq!(pool.state().idle.len(), 3);
    }

    #[test]
    fn attempts_with_one_key_work_one_after_another_and_others_pass_them() {
        let pool = pool(2, || ());
        let (go, wait) = mpsc::channel::<()>();
        let (started, starts) = mpsc::channel::<()>();
        let order = Mutex::new(vec![]);
        thread::scope(|scope| {
            let (pool, order) = (&pool, &order);
            scope.spawn(move || {
                pool.run(ticket(0, Some(1)), |()| {
                    started.send(()).unwrap();
                    wait.recv_timeout(LONG).unwrap();
                    order.lock().unwrap().push("first");
                })
            });
            starts.recv_timeout(LONG).unwrap();
            scope.spawn(move || {
                pool.run(ticket(0, Some(1)), |()| order.lock().unwrap().push("same"))
            });
            await_waiting(pool, 1);
            pool.run(ticket(0, Some(2)), |()| {
                order.lock().unwrap().push("other");
            })
            .unwrap();
            go.send(()).unwrap();
        });
        assert_eq!(order.into_inner().unwrap(), ["other", "first", "same"]);
    }

    #[test]
    fn a_full_queue_refuses_at_once_and_a_displaced_attempt_learns_it() {
        let pool = pool(1, || ());
        let (go, wait) = mpsc::channel::<()>();
        let (started, starts) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let pool = &pool;
            scope.spawn(move || {
                pool.run(ticket(0, None), |()| {
                    started.send(()).unwrap();
                    wait.recv_timeout(LONG).unwrap();
                })
                .unwrap();
            });
            starts.recv_timeout(LONG).unwrap();
            let waiting: Vec<_> = (0..UNKNOWN_SLOTS)
                .map(|number| {
                    let waiting = scope.spawn(move || pool.run(ticket(1, None), |()| ()));
                    await_waiting(pool, number + 1);
                    waiting
                })
                .collect();
            assert_eq!(pool.run(ticket(1, None), |()| ()), Err(QueueFull));
            let newcomer = scope.spawn(move || pool.run(ticket(2, None), |()| 7));
            // One of the waiting has lost its place by then.
            let start = Instant::now();
            while !waiting.iter().any(|one| one.is_finished()) {
                assert!(start.elapsed() < LONG, "nobody is displaced");
                thread::yield_now();
            }
            go.send(()).unwrap();
            assert_eq!(newcomer.join().unwrap(), Ok(7));
            let outcomes = waiting.into_iter().map(|one| one.join().unwrap());
            let refused = outcomes.filter(Result::is_err).count();
            assert_eq!(refused, 1);
        });
    }

    #[test]
    fn an_attempt_whose_turn_comes_too_late_is_refused() {
        let pool = pool(1, || ());
        let long_ago = Instant::now().checked_sub(MAX_WAIT).unwrap();
        let (turn, wait) = mpsc::channel();
        let pushed = pool.run(ticket(0, None), |()| {
            pool.state().queue.push(ticket(1, None), turn, long_ago)
        });
        assert!(matches!(pushed, Ok(Pushed::Waiting)));
        assert!(wait.recv_timeout(LONG).is_err(), "it got its turn");
    }

    #[test]
    fn a_panic_is_its_callers_alone() {
        let pool = pool(1, || String::from("memory"));
        let run = || pool.run(ticket(0, Some(1)), |_| panic!("on purpose"));
        let panic = thread::scope(|scope| scope.spawn(run).join());
        assert!(panic.is_err());
        let memory = pool.run(ticket(0, Some(1)), |memory| memory.clone());
        assert_eq!(memory.unwrap(), "memory");
    }
}
