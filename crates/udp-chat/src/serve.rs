//! `udp-chat serve`: a [`Room`] with the socket, the clock and the files around it.

mod bans;
mod datagram_socket;
mod event;
mod history;
mod history_file;
mod member;
mod networks;
mod nicks;
mod room;
mod server;
mod settings;
mod timer_queue;
mod traffic_log;
mod transport;

pub use event::{EventSum, RoomEvent};
pub use history::StoredText;
pub use history_file::{HistoryError, HistoryFile};
pub use room::{Command, Environment, Room, RoomSettings, RoomTotals};
pub use server::{Orders, ServeTotals, ServerHandle, serve};
pub use settings::{ServeFlags, run_server};
pub use traffic_log::{Direction, Sum};
pub use transport::DatagramCounts;
