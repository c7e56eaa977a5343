//! The server under test, and its clients at the wire.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::ops::Deref;
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use proto::{FramedSocket, MAX_ECHO_BYTES, header};
use socket2::SockRef;
use testbed::{Finished, LogFile, Program, Running, TIME_LIMIT};

/// Systems buffer a few MiB of a connection that is not read.
pub(crate) const LONG_BYTES: usize = 32 << 20;

/// Far more than an echo takes while a thousand others are served on a busy machine.
const PROMPT: Duration = Duration::from_secs(1);

/// The binary, without flags.
pub(crate) fn echo_server() -> Program {
    Program::new(env!("CARGO_BIN_EXE_echo-server"))
}

/// A server that accepts clients. Dropped, it is killed.
pub(crate) struct Server {
    running: Running,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// On a free port of the loopback.
    #[track_caller]
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::spawn(&echo_server().args(["--port", "0"]).args(flags))
    }

    /// Wherever the program's own flags say.
    #[track_caller]
    pub(crate) fn spawn(program: &Program) -> Self {
        let running = program.spawn();
        let address = running.await_address();
        Self { running, address }
    }

    /// A client whose reads and writes end within the time limit.
    #[track_caller]
    pub(crate) fn connect(&self) -> TcpStream {
        connect(self.address)
    }

    /// With longer messages, so that [`connect_deaf`](Self::connect_deaf) is possible.
    #[track_caller]
    pub(crate) fn start_for_the_deaf() -> Self {
        Self::start(&["--max-message", &LONG_BYTES.to_string()])
    }

    /// A client that takes nothing of what it is owed, which is more than fits into all buffers
    /// between the two: the server is stuck in writing. It must be the first client.
    #[track_caller]
    pub(crate) fn connect_deaf(&self) -> TcpStream {
        let mut client = self.connect();
        client.send_text(&"x".repeat(LONG_BYTES)).unwrap();
        // In a line of its own or in a sum, as it comes in few reads or in many.
        self.log().wait_for(" 1 message");
        client
    }

    /// Leaves, and gives the reason for the end of the connection that the server logs.
    #[track_caller]
    pub(crate) fn farewell(&self, client: TcpStream) -> String {
        let address = client.local_addr().unwrap();
        drop(client);
        self.why_disconnected(address)
    }

    /// Waits for the server's last word on a client, and gives the reason in it.
    #[track_caller]
    pub(crate) fn why_disconnected(&self, client: SocketAddr) -> String {
        let line = self
            .log()
            .wait_for(&format!("client disconnected: {client} "));
        let (_, reported) = line.split_once("): ").unwrap();
        reported.split("; received").next().unwrap().to_owned()
    }

    /// Stops it as `kill PID` does, and waits for its end.
    #[track_caller]
    pub(crate) fn stop(self) -> Finished {
        self.running.terminate();
        self.running.wait().expect_success()
    }

    /// Gives up the address, for ends of another kind.
    pub(crate) fn into_running(self) -> Running {
        self.running
    }
}

impl Deref for Server {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

#[track_caller]
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let client = TcpStream::connect_timeout(&address, TIME_LIMIT).unwrap();
    client.set_nodelay(true).unwrap();
    client.set_read_timeout(Some(TIME_LIMIT)).unwrap();
    client.set_write_timeout(Some(TIME_LIMIT)).unwrap();
    client
}

/// A message as it is on the wire.
pub(crate) fn frame(text: &str) -> Vec<u8> {
    [&header(text.len()).unwrap()[..], text.as_bytes()].concat()
}

/// Sends a message and gets it back.
#[track_caller]
pub(crate) fn expect_echo(client: &mut TcpStream, text: &str) {
    client.send_text(text).unwrap();
    expect_reply(client, text);
}

#[track_caller]
pub(crate) fn expect_reply(client: &mut TcpStream, text: &str) {
    let reply = client.recv_text(MAX_ECHO_BYTES).unwrap();
    assert!(
        reply.as_deref() == Some(text),
        "not what was sent: {reply:.80?}"
    );
}

/// Has an ordinary client served, message after message, until all others are done. However busy they keep the machine,
/// it never waits as long as [`PROMPT`].
#[track_caller]
pub(crate) fn expect_prompt_echoes(client: &mut TcpStream, others: &[ScopedJoinHandle<'_, ()>]) {
    while !others.iter().all(ScopedJoinHandle::is_finished) {
        let asked = Instant::now();
        expect_echo(client, "I am in a hurry");
        let time = asked.elapsed();
        assert!(time < PROMPT, "an echo took {time:?}");
    }
}

/// Everything until the server closes the connection.
#[track_caller]
pub(crate) fn rest(client: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).unwrap();
    rest
}

/// Closes with a reset, as a client does that crashes with unread data.
pub(crate) fn reset(client: TcpStream) {
    let socket = SockRef::from(&client);
    socket.set_linger(Some(Duration::ZERO)).unwrap();
}

/// The numbers N of all `VERB N bytes` so far, from the first to the last.
pub(crate) fn amounts(log: &LogFile, verb: &str) -> Vec<usize> {
    let start = format!("] {verb} ");
    let lines = log.lines_with(&start);
    let numbers = lines.iter().map(|line| {
        let (_, rest) = line.split_once(&start).unwrap();
        let (number, _) = rest.split_once(" bytes").unwrap();
        number.parse().unwrap()
    });
    numbers.collect()
}
