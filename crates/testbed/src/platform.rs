//! What differs between systems: a child's signals and its end.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(crate) use system::{
    Child, await_end, child_in_terminal, child_with_pipes, ended_by, send, spawn, succeeded,
};
pub use system::{Signal, is_interrupted};
