//! Runs one closure for many values at once.

use std::thread;

/// Runs `work` on each value in a thread of its own; returns when all are done.
///
/// # Panics
///
/// When one of the calls panics.
pub fn in_parallel<T: Send>(values: &mut [T], work: impl Fn(&mut T) + Sync) {
    thread::scope(|scope| {
        for value in values {
            scope.spawn(|| work(value));
        }
    });
}
