//! Measures registrations over TCP on a real disk, service messages included: how many a second one client makes and
//! how many 64 make at once, with the fsyncs they take; one client when 1,000 and when 1,000,000 are known; and the
//! start-up with 1,000,000. A registration is a name from a connection whose address is new, and the welcome;
//! connecting comes before and is not measured.
//!
//! `cargo run --release -p ident-server --example registrations -- FOLDER` (a folder on the disk to measure; default:
//! the current one)

use std::error::Error;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use cli::{LogFlags, LogTo, Program};
use ident_server::{Ident, Names, Record};
use log::LevelFilter;
use proto::ident::{Reply, Request};
use proto::{FramedSocket, FramedStream, MAX_DIALOGUE_BYTES, Name};
use socket2::{Domain, Socket, Type};
use store::Store;
use tcp_server::{Limits, StopHandle, serve};

const FEW: u32 = 1_000;
const MANY: u32 = 1_000_000;
const TURNS: u32 = 10;
/// Connections of a turn. Each has an address of its own, and a thread of the server. All turns stay within the number
/// of names that the loopback network may have.
const CONNECTIONS: u32 = 64;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).unwrap_or_else(|| ".".into());
    let folder = tempfile::tempdir_in(folder)?;
    let log = LogFlags {
        log_to: LogTo::File,
        log_file: Some(folder.path().join("log")),
        log_level: LevelFilter::Info,
        log_max_mib: 100,
    };
    let program = Program {
        name: "measure",
        default_port: 0,
    };
    let _log = log.start(&program, &[])?;
    let rows = [(FEW, 1), (FEW, 64), (MANY, 1)];
    let rows = rows.map(|(known, clients)| Row::start(folder.path(), known, clients));
    let mut rows = rows.into_iter().collect::<Result<Vec<_>, _>>()?;
    // In turns, since the speed of a disk drifts.
    for _ in 0..TURNS {
        rows.iter_mut().try_for_each(Row::run)?;
    }
    rows.iter().for_each(Row::print);
    Ok(())
}

/// A server that knows some clients, and as many new ones at once as it says.
struct Row {
    names: Arc<Names>,
    server: SocketAddr,
    known: u32,
    clients: u32,
    connected: u32,
    time: Duration,
    registrations: u64,
    syncs: u64,
}

impl Row {
    fn start(folder: &Path, known: u32, clients: u32) -> Result<Self, Box<dyn Error>> {
        let path = folder.join(format!("{known}-{clients}.jsonl"));
        fill(&path, known)?;
        let begun = Instant::now();
        let names = Arc::new(Names::open(&path)?);
        println!("{known:>7} known: open in {:.2?}", begun.elapsed());
        assert_eq!(names.known(), u64::from(known));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let server = listener.local_addr()?;
        let ident = Ident::new(Arc::clone(&names), None);
        // It serves until the process ends.
        thread::spawn(move || serve(listener, &Limits::default(), &StopHandle::new(), ident));
        Ok(Self {
            names,
            server,
            known,
            clients,
            connected: 0,
            time: Duration::ZERO,
            registrations: 0,
            syncs: 0,
        })
    }

    fn run(&mut self) -> io::Result<()> {
        let numbers = self.connected..self.connected + CONNECTIONS;
        self.connected = numbers.end;
        let asked = numbers.map(|number| Asked::connect(self.server, number));
        let mut asked = asked.collect::<io::Result<Vec<_>>>()?;

        let before = self.names.stats();
        let begun = Instant::now();
        thread::scope(|scope| {
            let shares = asked.chunks_mut((CONNECTIONS / self.clients) as usize);
            let clients =
                shares.map(|share| scope.spawn(|| share.iter_mut().try_for_each(Asked::register)));
            let clients: Vec<_> = clients.collect();
            clients
                .into_iter()
                .try_for_each(|client| client.join().expect("a client does not panic"))
        })?;
        self.time += begun.elapsed();
        let after = self.names.stats();
        self.registrations += after.updates - before.updates;
        self.syncs += after.syncs - before.syncs;
        Ok(())
    }

    fn print(&self) {
        let (known, clients) = (self.known, self.clients);
        let (registrations, syncs) = (self.registrations, self.syncs);
        let rate = registrations as f64 / self.time.as_secs_f64();
        let each = Duration::from_secs_f64(f64::from(clients) / rate);
        println!(
            "{known:>7} known, {clients:>2} clients: {rate:>6.0} registrations/s, {each:>7.1?} each; \
             {registrations} with {syncs} fsyncs"
        );
    }
}

/// Makes clients known whose addresses come in no order that would flatter the loading.
fn fill(path: &Path, known: u32) -> Result<(), store::Error> {
    Store::<Record>::open(path)?.update(|all| {
        for number in 0..known {
            // An odd multiplier gives each number an address of its own; none of them is 127.0.0.0/8.
            let host = number.wrapping_mul(2_654_435_761) & 0x00ff_ffff;
            let address = Ipv4Addr::from(0x0a00_0000 | host);
            let name = Name::parse(&format!("client {number}")).expect("it breaks no rule");
            all.put(&address.to_string(), Record::new(name));
        }
    })
}

/// A connection that was asked for a name.
struct Asked {
    stream: FramedStream<TcpStream>,
    name: String,
}

impl Asked {
    /// Connects from an unused address of the loopback network.
    fn connect(server: SocketAddr, number: u32) -> io::Result<Self> {
        let [_, a, b, c] = (number + 2).to_be_bytes();
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(IpAddr::from([127, a, b, c]), 0).into())?;
        socket.connect(&server.into())?;
        socket.set_tcp_nodelay(true)?;
        let mut asked = Self {
            stream: FramedStream::new(socket.into()),
            name: format!("new {number}"),
        };
        asked.expect(|reply| matches!(reply, Reply::WhoAreYou))?;
        Ok(asked)
    }

    fn register(&mut self) -> io::Result<()> {
        let name = self.name.clone();
        let sent = self.stream.send_json(&Request::Name { name });
        sent.map_err(io::Error::other)?;
        self.expect(|reply| matches!(reply, Reply::Welcome { .. }))
    }

    fn expect(&mut self, expected: fn(&Reply) -> bool) -> io::Result<()> {
        let reply = self.stream.recv_json(MAX_DIALOGUE_BYTES);
        match reply.map_err(io::Error::other)? {
            Some(reply) if expected(&reply) => Ok(()),
            other => Err(io::Error::other(format!("not registered: {other:?}"))),
        }
    }
}
