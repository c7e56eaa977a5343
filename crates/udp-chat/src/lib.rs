//! A chat for many users over UDP.

mod link;

pub use link::{End, Event, Link, MAX_WAITING, QueueFull, WINDOW};
