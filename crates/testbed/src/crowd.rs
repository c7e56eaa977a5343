//! Many at once.

use std::thread;

/// Works on each of `all` in a thread of its own, and returns when every one is done.
///
/// # Panics
///
/// When one of them does.
pub fn at_once<T: Send>(all: &mut [T], work: impl Fn(&mut T) + Sync) {
    thread::scope(|scope| {
        for one in all {
            scope.spawn(|| work(one));
        }
    });
}
