//! A chat for many users over UDP.

mod faults;
mod join;
mod link;
mod nick;
mod pace;
mod serve;
pub mod trace;
#[cfg(test)]
mod weather;

pub use faults::{FaultFlags, Faults};
pub use join::{Bell, JoinError, JoinFlags, join};
pub use link::{End, Event, Link, MAX_WAITING, QueueFull, WINDOW};
pub use nick::{MAX_NICK_BYTES, MAX_NICK_CHARS, Nick, NickError};
pub use pace::Pace;
pub use serve::{
    Room, RoomEvent, RoomSettings, RoomTotals, ServeTotals, StopHandle, Traffic, Transmit, World,
    serve,
};
