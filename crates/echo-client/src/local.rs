//! An echo server inside the client, so that one command shows a whole dialogue.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use echo_server::{Echo, EchoService, echo_bytes, echo_messages};
use proto::{FramedStream, Observer};
use tcp_server::{BoxError, Client, EndReason, Limits, Reporter, Service, StopHandle, serve};

use crate::Wire;
use crate::log_order::LogOrder;

/// The most bytes that the server reads at once in raw mode; the lab's task says 1024.
const PORTION: usize = 1024;

/// An echo server on a free port of the loopback.
pub struct LocalServer {
    address: SocketAddr,
    stop: StopHandle,
    thread: JoinHandle<()>,
}

impl LocalServer {
    /// Starts a server that speaks `wire`. With a `log_order`, its service messages stand in order with the client's.
    ///
    /// # Errors
    ///
    /// When the system has no free port or starts no thread.
    pub fn start(wire: Wire, log_order: Option<Arc<LogOrder>>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let echo = match wire {
            Wire::Framed { max_message } => Echo::Framed { max_message },
            Wire::Raw => Echo::Raw { portion: PORTION },
        };
        // Logged here, so that it comes before the first client's messages.
        log::info!("server started, listening on {address}");
        let stop = StopHandle::new();
        let handle = stop.clone();
        let serve = move || {
            let service = LocalEcho { echo, log_order };
            match serve(listener, &Limits::default(), &handle, service) {
                Ok(totals) => log::info!("server stopped: {totals}"),
                Err(error) => log::error!("the server failed: {error}"),
            }
        };
        let thread = thread::Builder::new().name("local-server".into());
        Ok(Self {
            address,
            stop,
            thread: thread.spawn(serve)?,
        })
    }

    /// The address on which it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it, and waits until it has.
    pub fn stop(self) {
        self.stop.stop();
        // The panic hook has reported a panic of the server, and the dialogue is over anyway.
        let _ = self.thread.join();
    }
}

/// The echo service. With a log order, it logs its reads and writes itself, in order with the client's.
struct LocalEcho {
    echo: Echo,
    log_order: Option<Arc<LogOrder>>,
}

impl Service for LocalEcho {
    fn serve(&self, client: &mut Client) -> Result<EndReason, BoxError> {
        let Some(log_order) = &self.log_order else {
            return EchoService::new(self.echo, None).serve(client);
        };
        // The connection is logged by now.
        log_order.server.add(0);
        let log = OrderedLog {
            log_order: Arc::clone(log_order),
            received: 0,
        };
        match self.echo {
            Echo::Framed { max_message } => {
                let observer = OrderedObserver(client.reporter(), log);
                echo_messages(
                    &mut FramedStream::with_observer(client, observer),
                    max_message,
                )
            }
            Echo::Raw { portion } => echo_bytes(&mut OrderedStream(client, log), portion),
        }
    }
}

struct OrderedLog {
    log_order: Arc<LogOrder>,
    received: u64,
}

impl OrderedLog {
    fn received(&mut self, bytes: usize, messages: &str) {
        self.received += bytes as u64;
        self.log_order.client.wait_for(self.received);
        log::info!("received {bytes} bytes{messages}");
    }

    fn sent(&mut self, bytes: usize, messages: &str) {
        log::info!("sent {bytes} bytes{messages}");
        self.log_order.server.add(bytes);
    }
}

/// Logs, and reports to the server's own counters.
struct OrderedObserver(Reporter, OrderedLog);

impl Observer for OrderedObserver {
    fn on_received(&mut self, bytes: usize, messages: usize) {
        self.0.on_received(bytes, messages);
        self.1.received(bytes, &of_messages(messages));
    }

    fn on_sent(&mut self, bytes: usize, messages: usize) {
        self.0.on_sent(bytes, messages);
        self.1.sent(bytes, &of_messages(messages));
    }
}

fn of_messages(count: usize) -> String {
    format!(": {}", proto::Count(count as u64, "message"))
}

/// Logs; the client reports its own reads and writes.
struct OrderedStream<'a>(&'a mut Client, OrderedLog);

impl Read for OrderedStream<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(room)?;
        if count > 0 {
            self.1.received(count, "");
        }
        Ok(count)
    }
}

impl Write for OrderedStream<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.0.write(bytes)?;
        self.1.sent(count, "");
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
