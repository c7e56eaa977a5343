//! A chat for many users over UDP.

mod faults;
mod join;
mod link;

pub use faults::{FaultFlags, Faults};
pub use join::{JoinError, JoinFlags, join};
pub use link::{End, Event, Link, MAX_WAITING, QueueFull, WINDOW};
