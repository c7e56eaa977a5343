//! The life of a TCP service: accept clients, serve each on a thread of its own, within limits, and stop within five
//! seconds.
//!
//! [`serve`] takes a bound listener, a [`StopHandle`] and a [`Service`], and returns when all clients are gone. It
//! logs the service messages about clients: connected, received, sent, disconnected. It knows nothing of what is
//! served. The file `server.rs` has the whole path of a connection: accept -> thread -> conversation -> close.
//! `service_log.rs` writes the service messages.
//!
//! ```
//! use std::io::{Read, Write};
//! use tcp_server::{BoxError, Client, EndReason, Limits, Service, StopHandle, serve};
//!
//! struct Echo;
//!
//! impl Service for Echo {
//!     fn serve(&self, client: &mut Client) -> Result<EndReason, BoxError> {
//!         let mut portion = [0; 1024];
//!         loop {
//!             match client.read(&mut portion)? {
//!                 0 => return Ok("the client closed the connection"),
//!                 count => client.write_all(&portion[..count])?,
//!             }
//!         }
//!     }
//! }
//!
//! let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! let stop = StopHandle::new();
//! let server = std::thread::spawn({
//!     let stop = stop.clone();
//!     move || serve(listener, &Limits::default(), &stop, Echo)
//! });
//!
//! let mut socket = std::net::TcpStream::connect(address)?;
//! socket.write_all(b"hello")?;
//! let mut reply = [0; 5];
//! socket.read_exact(&mut reply)?;
//! assert_eq!(&reply, b"hello");
//!
//! stop.stop();
//! let totals = server.join().expect("the server does not panic")?;
//! assert_eq!((totals.clients, totals.bytes_sent), (1, 5));
//! # Ok::<(), std::io::Error>(())
//! ```

mod accept_backoff;
mod client;
mod client_list;
mod connection;
mod debug_line;
mod direction_counters;
mod frame_budget;
mod idle_watch;
mod linger;
mod platform;
mod registry;
mod reporter;
mod server;
mod service;
mod service_log;
mod shares;
mod stop;
mod thread_pool;
mod totals;
mod watchdog;

pub use client::Client;
pub use client_list::{ClientInfo, ClientList};
pub use debug_line::debug_line;
pub use reporter::Reporter;
pub use server::{serve, serve_listed};
pub use service::{BoxError, EndReason, Limits, Service};
pub use stop::StopHandle;
pub use totals::Totals;
