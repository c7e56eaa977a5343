//! An echo server inside the client, so that one command shows a whole dialogue.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use echo_server::{Echo, echo_bytes, echo_messages};
use proto::{FramedStream, Observer};
use tcp_server::{BoxError, Client, EndReason, Limits, Reporter, Service, StopHandle, serve};

use crate::Wire;

/// The most bytes that the server reads at once in raw mode, as the lab has it.
const PORTION: usize = 1024;

/// How long a prompt waits at most for what the server tells. That takes microseconds.
const PATIENCE: Duration = Duration::from_secs(1);

/// An echo server on a free port of the loopback.
pub struct LocalServer {
    address: SocketAddr,
    stop: StopHandle,
    thread: JoinHandle<()>,
    told: Arc<Told>,
}

impl LocalServer {
    /// Starts a server that speaks what the client does.
    ///
    /// # Errors
    ///
    /// When there is no port or no thread to be had.
    pub fn start(wire: Wire) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let echo = match wire {
            Wire::Framed { max_message } => Echo::Framed { max_message },
            Wire::Raw => Echo::Raw { portion: PORTION },
        };
        // Told here, so that it stands before what its first client tells.
        log::info!("server started, listening on {address}");
        let stop = StopHandle::new();
        let told = Arc::new(Told::default());
        let (handle, telling) = (stop.clone(), Arc::clone(&told));
        let serve = move || {
            let service = TellingEcho {
                echo,
                told: telling,
            };
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
            told,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has told of so far.
    #[must_use]
    pub fn told(&self) -> Arc<Told> {
        Arc::clone(&self.told)
    }

    /// Stops it, and waits until it has.
    pub fn stop(self) {
        self.stop.stop();
        // A panic of the server was told by the panic itself, and the dialogue is over anyway.
        let _ = self.thread.join();
    }
}

/// What the server has told: that its client connected, and how many bytes it sent. A reply may come
/// before the service message that it was sent, which would then stand behind the prompt.
#[derive(Debug, Default)]
pub struct Told {
    sent: Mutex<Option<u64>>,
    more: Condvar,
}

impl Told {
    /// Waits until the client and so many bytes were told of.
    pub fn wait_for(&self, bytes: u64) {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let untold = |sent: &mut Option<u64>| sent.is_none_or(|sent| sent < bytes);
        drop(self.more.wait_timeout_while(sent, PATIENCE, untold));
    }

    fn add(&self, bytes: usize) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        *sent = Some(sent.unwrap_or(0) + bytes as u64);
        drop(sent);
        self.more.notify_all();
    }
}

/// The echo service. It notes what was logged.
struct TellingEcho {
    echo: Echo,
    told: Arc<Told>,
}

impl Service for TellingEcho {
    fn serve(&self, client: &mut Client) -> Result<EndReason, BoxError> {
        let told = Arc::clone(&self.told);
        told.add(0);
        match self.echo {
            Echo::Framed { max_message } => {
                let observer = TellingObserver(client.reporter(), told);
                echo_messages(
                    &mut FramedStream::with_observer(client, observer),
                    max_message,
                )
            }
            Echo::Raw { portion } => echo_bytes(&mut TellingStream(client, told), portion),
        }
    }
}

struct TellingObserver(Reporter, Arc<Told>);

impl Observer for TellingObserver {
    fn on_received(&mut self, bytes: usize, messages: usize) {
        self.0.on_received(bytes, messages);
    }

    fn on_sent(&mut self, bytes: usize, messages: usize) {
        self.0.on_sent(bytes, messages);
        self.1.add(bytes);
    }
}

/// The client logs its own writes.
struct TellingStream<'a>(&'a mut Client, Arc<Told>);

impl Read for TellingStream<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.0.read(room)
    }
}

impl Write for TellingStream<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.write(bytes)?;
        self.1.add(sent);
        Ok(sent)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
