//! What passed over a connection in one direction: all of it, and the part that has no line in the log yet.

use std::fmt;
use std::ops::AddAssign;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use proto::Count;

/// Sums of reads or writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) bytes: u64,
    /// Reads or writes.
    pub(crate) operations: u64,
    /// 0 where bytes have no frames.
    pub(crate) messages: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.operations += other.operations;
        self.messages += other.messages;
    }
}

/// The traffic of one connection in one direction. Only the connection's thread adds to it; any thread may read.
#[derive(Debug, Default)]
pub(crate) struct DirectionCounters {
    bytes: AtomicU64,
    operations: AtomicU64,
    messages: AtomicU64,
    /// The part of the total that is in the log, in a line of its own or in a sum.
    logged: Mutex<Counts>,
}

impl DirectionCounters {
    /// Adds one read or write, which a later sum will include. This is all that most messages cost: no lock, no clock,
    /// no atomic addition.
    pub(crate) fn add(&self, bytes: usize, messages: usize) {
        let plus = |sum: &AtomicU64, count: usize| sum.load(Ordering::Relaxed) + count as u64;
        self.operations
            .store(plus(&self.operations, 1), Ordering::Relaxed);
        self.messages
            .store(plus(&self.messages, messages), Ordering::Relaxed);
        // Last, so that no reader sees bytes without the read and the messages that they belong to.
        self.bytes
            .store(plus(&self.bytes, bytes), Ordering::Release);
    }

    /// Adds one read or write that gets a line of its own.
    pub(crate) fn add_logged(&self, bytes: usize, messages: usize) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        *logged += Counts {
            bytes: bytes as u64,
            operations: 1,
            messages: messages as u64,
        };
        self.add(bytes, messages);
    }

    /// What is in no line yet. The caller logs it, so from now on it counts as logged.
    pub(crate) fn take_unlogged(&self) -> Option<Counts> {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let total = self.total();
        if total.bytes == logged.bytes {
            return None;
        }
        let unlogged = Counts {
            bytes: total.bytes - logged.bytes,
            operations: total.operations - logged.operations,
            messages: total.messages - logged.messages,
        };
        *logged = total;
        Some(unlogged)
    }

    /// Whether there is something in no line yet.
    pub(crate) fn has_unlogged(&self) -> bool {
        let logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        logged.bytes < self.total().bytes
    }

    pub(crate) fn total(&self) -> Counts {
        // Bytes first: see `add`.
        let bytes = self.bytes.load(Ordering::Acquire);
        Counts {
            bytes,
            operations: self.operations.load(Ordering::Relaxed),
            messages: self.messages.load(Ordering::Relaxed),
        }
    }
}

/// `4096 bytes in 12 messages`; without messages where bytes have no frames.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes)?;
        match self.messages {
            0 => Ok(()),
            messages => write!(f, " in {}", Count(messages, "message")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Add(usize, usize),
        AddLogged(usize, usize),
        Sum,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (1..9usize, 0..3usize).prop_map(|(bytes, messages)| Step::Add(bytes, messages)),
            (1..9usize, 0..3usize).prop_map(|(bytes, messages)| Step::AddLogged(bytes, messages)),
            Just(Step::Sum),
        ]
    }

    proptest! {
        #[test]
        fn lines_and_sums_add_up_to_the_total(steps in prop::collection::vec(step(), 0..60)) {
            let (traffic, mut logged) = (DirectionCounters::default(), Counts::default());
            let one = |bytes: usize, messages: usize| Counts {
                bytes: bytes as u64,
                operations: 1,
                messages: messages as u64,
            };
            for step in steps.into_iter().chain([Step::Sum]) {
                match step {
                    Step::Add(bytes, messages) => traffic.add(bytes, messages),
                    Step::AddLogged(bytes, messages) => {
                        traffic.add_logged(bytes, messages);
                        logged += one(bytes, messages);
                    }
                    Step::Sum => {
                        let has_unlogged = traffic.has_unlogged();
                        let sum = traffic.take_unlogged();
                        prop_assert_eq!(sum.is_some(), has_unlogged);
                        logged += sum.unwrap_or_default();
                    }
                }
            }
            prop_assert_eq!(logged, traffic.total());
            prop_assert_eq!(traffic.take_unlogged(), None);
        }
    }

    #[test]
    fn sums_of_another_thread_add_up_too() {
        const READS: u64 = 200_000;
        let traffic = DirectionCounters::default();
        let mut summed = Counts::default();
        std::thread::scope(|scope| {
            let reads = scope.spawn(|| (0..READS).for_each(|_| traffic.add(3, 1)));
            while !reads.is_finished() {
                summed += traffic.take_unlogged().unwrap_or_default();
            }
        });
        summed += traffic.take_unlogged().unwrap_or_default();
        assert_eq!(summed, traffic.total());
        assert_eq!(summed.bytes, 3 * READS);
    }
}
