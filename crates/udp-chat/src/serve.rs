//! `udp-chat serve`: the socket and the clock around a [`Room`].

mod cookie;
mod draft;
mod event;
mod history;
mod member;
mod nicks;
mod room;
mod server;
mod wakes;
mod wire;

pub use event::RoomEvent;
pub use room::{Room, RoomSettings, RoomTotals, Transmit, World};
pub use server::{ServeTotals, StopHandle, serve};
pub use wire::Traffic;
