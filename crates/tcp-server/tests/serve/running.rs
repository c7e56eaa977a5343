//! A running service, and the one that most tests use.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use proto::Observer;
use tcp_server::{BoxError, Client, EndReason, Limits, Service, StopHandle, Totals, serve};

/// What a stop promises.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// Every read of a test ends by then, so that a fault is a failure and not a hang.
pub const TIME_LIMIT: Duration = Duration::from_secs(20);

pub struct Running {
    pub address: SocketAddr,
    stop: StopHandle,
    server: JoinHandle<Totals>,
}

impl Running {
    pub fn start(limits: Limits, service: impl Service) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = StopHandle::new();
        let handle = stop.clone();
        let server = thread::spawn(move || serve(listener, &limits, &handle, service).unwrap());
        Self {
            address,
            stop,
            server,
        }
    }

    pub fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(TIME_LIMIT)).unwrap();
        socket
    }

    pub fn stop(self) -> Totals {
        let began = Instant::now();
        self.stop.stop();
        let totals = self.server.join().unwrap();
        assert!(
            began.elapsed() < STOP_LIMIT,
            "the stop took {:?}",
            began.elapsed()
        );
        totals
    }
}

/// Limits that let one client be served at a time.
pub fn one_at_a_time() -> Limits {
    Limits {
        max_clients: 1,
        ..Limits::default()
    }
}

pub fn idle_after(millis: u64) -> Limits {
    Limits {
        idle_timeout: Some(Duration::from_millis(millis)),
        ..Limits::default()
    }
}

/// Gives every byte back. Lines are its messages, so that half a line is half a message.
pub struct LineEcho;

impl Service for LineEcho {
    fn serve(&self, client: &mut Client) -> Result<EndReason, BoxError> {
        let mut reporter = client.reporter();
        let mut portion = vec![0; 1 << 16];
        loop {
            let count = client.read(&mut portion)?;
            if count == 0 {
                return Ok("the client closed the connection");
            }
            let lines = portion[..count]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count();
            reporter.on_received(count, lines);
            client.write_all(&portion[..count])?;
            reporter.on_sent(count, lines);
        }
    }
}

pub fn say(socket: &mut TcpStream, line: &str) -> String {
    socket.write_all(line.as_bytes()).unwrap();
    let mut reply = vec![0; line.len()];
    socket.read_exact(&mut reply).unwrap();
    String::from_utf8(reply).unwrap()
}
