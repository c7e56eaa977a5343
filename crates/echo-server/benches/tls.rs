//! How fast `echo-server --tls` is beside other echo servers over TLS: socat (OpenSSL), and a small one on rustls with
//! a thread for each connection. All echo raw bytes; every byte that comes back is checked.
//!
//! `cargo bench -p echo-server --bench tls [-- ROUNDS]`. The servers are loaded in turn, round after round, and a
//! figure is the median of the rounds. Memory is what 1,000 connections hold after the handshake (Linux: proportional
//! set size, with child processes).

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use echo_bench::{Load, Wire, bench};
use testbed::{Folder, Program, Running, installed};
use tls::{ServerTls, TlsStream, client_handshake};
use trust::TlsIdentity;

const ROUNDS: usize = 5;
/// How long a server is loaded in a round.
const TIME: Duration = Duration::from_secs(1);
/// Nothing takes as long.
const TIMEOUT: Duration = Duration::from_secs(30);
const HELD: usize = 1_000;
/// Makes this program the small server. Its value is the folder of its identity.
const PEER: &str = "TLS_ECHO_PEER";

struct Server {
    name: &'static str,
    running: Running,
    address: SocketAddr,
}

fn main() -> io::Result<()> {
    if let Some(folder) = std::env::var_os(PEER) {
        return rustls_peer(folder.as_ref());
    }
    let rounds = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(ROUNDS);
    let folder = Folder::new();
    let servers: Vec<Server> = [Some(ours()), Some(peer(&folder)), socat(&folder)]
        .into_iter()
        .flatten()
        .collect();
    type Measure = fn(&Server) -> f64;
    let cases: [(&str, Measure); 4] = [
        ("64 B, one in flight: messages/s", |server| {
            echo(server, 64, 1)
        }),
        ("64 KiB, one in flight: messages/s", |server| {
            echo(server, 64 << 10, 1)
        }),
        ("64 KiB, 16 in flight: messages/s", |server| {
            echo(server, 64 << 10, 16)
        }),
        ("connect, handshake, one round trip: visits/s", visits),
    ];
    for (name, measure) in cases {
        println!("{name}");
        let mut figures = vec![vec![]; servers.len()];
        for _ in 0..rounds {
            for (server, figures) in servers.iter().zip(&mut figures) {
                figures.push(measure(server));
            }
        }
        for (server, mut figures) in servers.iter().zip(figures) {
            figures.sort_unstable_by(f64::total_cmp);
            println!("  {:<22}{:>10.0}", server.name, figures[figures.len() / 2]);
        }
    }
    println!("{HELD} connections held: KiB each");
    for server in &servers {
        println!("  {:<22}{:>10.1}", server.name, held(server));
    }
    Ok(())
}

fn connect(server: &Server) -> TlsStream<TcpStream> {
    let socket = TcpStream::connect(server.address).expect("the server accepts");
    socket.set_nodelay(true).expect("a TCP socket");
    let set_timeout = |socket: &mut TcpStream, limit| socket.set_read_timeout(limit);
    client_handshake(socket, None, TIMEOUT, set_timeout)
        .expect("a handshake")
        .0
}

fn echo(server: &Server, size: usize, window: usize) -> f64 {
    let load = Load {
        wire: Wire::Raw,
        size,
        window,
        duration: TIME,
        timeout: TIMEOUT,
    };
    let report =
        bench(vec![connect(server).into()], load, |_, _| ()).expect("every reply is right");
    report.messages_per_second()
}

fn visits(server: &Server) -> f64 {
    let (start, mut visits) = (Instant::now(), 0);
    while start.elapsed() < TIME {
        let (mut stream, mut echo) = (connect(server), [0; 64]);
        stream.write_all(&[7; 64]).expect("the server reads");
        stream.read_exact(&mut echo).expect("a reply");
        stream.close().expect("the server is there");
        visits += 1;
    }
    f64::from(visits) / start.elapsed().as_secs_f64()
}

/// KiB for each of many connections, above those of the server alone.
fn held(server: &Server) -> f64 {
    let before = memory_kib(server.running.pid());
    let streams: Vec<_> = (0..HELD)
        .map(|_| {
            let (mut stream, mut echo) = (connect(server), [0; 64]);
            stream.write_all(&[7; 64]).expect("the server reads");
            stream.read_exact(&mut echo).expect("a reply");
            stream
        })
        .collect();
    let after = memory_kib(server.running.pid());
    drop(streams);
    (after - before) / HELD as f64
}

/// The proportional set size of a process and its children.
fn memory_kib(pid: u32) -> f64 {
    let own = |pid: u32| {
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        kib.unwrap_or(0.0)
    };
    let children =
        fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    own(pid)
        + children
            .split_whitespace()
            .filter_map(|child| child.parse().ok())
            .map(own)
            .sum::<f64>()
}

fn ours() -> Server {
    let flags = ["--port", "0", "--tls", "--raw", "--portion", "65536"];
    let running = Program::new(env!("CARGO_BIN_EXE_echo-server"))
        .args(flags)
        .spawn();
    let address = running.await_address();
    Server {
        name: "echo-server --tls",
        running,
        address,
    }
}

fn peer(folder: &Folder) -> Server {
    let program = Program::new(std::env::current_exe().expect("this program"));
    let running = program.env(PEER, folder.join("peer").as_os_str()).spawn();
    let address = running.await_address();
    Server {
        name: "rustls with threads",
        running,
        address,
    }
}

fn socat(folder: &Folder) -> Option<Server> {
    let socat = installed("socat", "-V")?;
    let identity = folder.join("socat.identity");
    TlsIdentity::load_or_create(&identity).expect("a folder that can be written");
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port();
    let listen = format!(
        "OPENSSL-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,backlog=1024,nodelay,cert={path},key={path},verify=0",
        path = identity.display()
    );
    let running = socat.args(["-b", "65536", &listen, "PIPE"]).spawn();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    while TcpStream::connect(address).is_err() {
        thread::sleep(Duration::from_millis(10));
    }
    Some(Server {
        name: "socat (OpenSSL)",
        running,
        address,
    })
}

/// A thread for each connection that writes what it reads.
fn rustls_peer(folder: &std::path::Path) -> io::Result<()> {
    let identity =
        TlsIdentity::load_or_create(&folder.join("identity")).map_err(io::Error::other)?;
    let tls = ServerTls::new(&identity).map_err(io::Error::other)?;
    let config = tls.config();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let program = std::env::current_exe()?;
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    println!("{name} listening on {}", listener.local_addr()?);
    for socket in listener.incoming() {
        let (mut socket, config) = (socket?, config.clone());
        thread::spawn(move || {
            socket.set_nodelay(true)?;
            let mut connection = rustls::ServerConnection::new(config).map_err(io::Error::other)?;
            let (mut stream, mut bytes) = (
                rustls::Stream::new(&mut connection, &mut socket),
                vec![0; 64 << 10],
            );
            loop {
                match stream.read(&mut bytes)? {
                    0 => return io::Result::Ok(()),
                    count => stream.write_all(&bytes[..count])?,
                }
            }
        });
    }
    Ok(())
}
