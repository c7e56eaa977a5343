//! A chat for many users over UDP.

mod faults;
mod join;
mod nick;
mod serve;
mod visible;

pub use faults::{FaultFlags, Faults};
pub use join::{Bell, JoinError, JoinFlags, join};
pub use nick::{MAX_NICK_BYTES, MAX_NICK_CHARS, Nick, NickError};
pub use serve::{
    Command, DatagramCounts, Direction, Environment, EventSum, HistoryError, HistoryFile, Orders,
    Room, RoomEvent, RoomSettings, RoomTotals, ServeFlags, ServeTotals, ServerHandle, StoredText,
    Sum, run_server, serve,
};
