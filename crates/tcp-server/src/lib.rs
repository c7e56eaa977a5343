//! The life of a TCP service: accepting clients, a thread for each, limits, and a stop that is
//! over within five seconds.
//!
//! [`serve`] is handed a bound listener, a [`StopHandle`] and a [`Service`], and returns when all
//! clients are gone. It tells of clients that connect, disconnect, or cannot be served as service
//! messages through the `log` facade. What is served, it does not know.
//!
//! ```
//! use std::io::{Read, Write};
//! use tcp_server::{Client, Ended, Limits, Service, StopHandle, serve};
//!
//! struct Echo;
//!
//! impl Service for Echo {
//!     fn converse(&self, client: &mut Client) -> Ended {
//!         let mut portion = [0; 1024];
//!         loop {
//!             match client.read(&mut portion)? {
//!                 0 => return Ok("the client closed the connection"),
//!                 got => client.write_all(&portion[..got])?,
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

mod client;
mod connection;
mod crew;
mod floor;
mod lingering;
mod server;
mod stop;
mod turns;

pub use client::{Client, Peer};
pub use server::{Ended, Limits, Service, Totals, serve};
pub use stop::StopHandle;
