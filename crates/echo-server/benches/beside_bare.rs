//! How fast `echo-server` is beside a bare echo, a thread for each connection that writes what it reads, without
//! frames, limits or messages; and what service messages cost, beside the same server with `--log-level warn`.
//!
//! `cargo bench -p echo-server [-- ROUNDS]`. The servers are loaded in turn, round after round. A figure is the median
//! of the rounds' ratios, since a machine's speed drifts. One connection is best measured on one core (Linux: `taskset
//! -c 0 cargo bench …`): to wake an idle core costs more than the echo, and whether it is idle is chance.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use echo_bench::{Load, Wire, bench};
use proto::{FramedSocket, MAX_ECHO_BYTES};
use testbed::{Program, Running};
use tls::MaybeTls;

const ROUNDS: usize = 5;

/// How long a server is loaded in a round.
const TIME: Duration = Duration::from_millis(500);

/// Nothing takes as long.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What servers are loaded with.
struct Case {
    name: &'static str,
    wire: Wire,
    connections: usize,
    work: Work,
}

enum Work {
    /// Messages of this size, and this many in flight on each connection.
    Echo { size: usize, window: usize },
    /// Connect, one round trip, close.
    Visits,
}

const CASES: [Case; 7] = [
    Case {
        name: "framed, 1 x 64 B",
        wire: Wire::Framed,
        connections: 1,
        work: Work::Echo {
            size: 64,
            window: 1,
        },
    },
    Case {
        name: "framed, 50 x 512 B",
        wire: Wire::Framed,
        connections: 50,
        work: Work::Echo {
            size: 512,
            window: 1,
        },
    },
    Case {
        name: "framed, 8 x 64 B, 64 in flight",
        wire: Wire::Framed,
        connections: 8,
        work: Work::Echo {
            size: 64,
            window: 64,
        },
    },
    Case {
        name: "framed, visits, 8 at once",
        wire: Wire::Framed,
        connections: 8,
        work: Work::Visits,
    },
    Case {
        name: "raw, 1 x 64 B",
        wire: Wire::Raw,
        connections: 1,
        work: Work::Echo {
            size: 64,
            window: 1,
        },
    },
    Case {
        name: "raw, 50 x 512 B",
        wire: Wire::Raw,
        connections: 50,
        work: Work::Echo {
            size: 512,
            window: 1,
        },
    },
    Case {
        name: "raw, 8 x 64 B, 64 in flight",
        wire: Wire::Raw,
        connections: 8,
        work: Work::Echo {
            size: 64,
            window: 64,
        },
    },
];

/// What came of one load.
struct Measured {
    /// Messages, or visits, a second.
    rate: f64,
    p99: Duration,
}

fn main() -> io::Result<()> {
    if let Ok(portion) = std::env::var("BARE_ECHO") {
        return bare_echo(portion.parse().expect("a number of bytes"));
    }
    let mut numbers = std::env::args().filter_map(|arg| arg.parse().ok());
    let rounds = numbers.next().unwrap_or(ROUNDS);
    println!("{:44} {:>9} {:>21}", "", "", "messages cost");
    println!(
        "{:32} {:>11} {:>9} {:>10} {:>10}",
        "", "1/s", "x bare", "x rate", "x p99"
    );
    for case in CASES {
        let (ours, bare, silent) = (
            echo_server(case.wire, &[]),
            bare(case.wire),
            echo_server(case.wire, &["--log-level", "warn"]),
        );
        let servers = [&ours, &bare, &silent].map(Running::await_address);
        let measured: Vec<_> = (0..rounds)
            .map(|_| servers.map(|server| case.measure(server)))
            .collect();
        println!(
            "{:32} {:11.0} {:9.2} {:10.2} {:10.2}",
            case.name,
            median(measured.iter().map(|[ours, ..]| ours.rate)),
            median(measured.iter().map(|[ours, bare, _]| ours.rate / bare.rate)),
            median(
                measured
                    .iter()
                    .map(|[ours, _, silent]| ours.rate / silent.rate)
            ),
            median(
                measured
                    .iter()
                    .map(|[ours, _, silent]| ours.p99.div_duration_f64(silent.p99))
            ),
        );
    }
    Ok(())
}

impl Case {
    fn measure(&self, server: SocketAddr) -> Measured {
        let connect = || {
            let socket = TcpStream::connect(server).expect("the server accepts");
            socket.set_nodelay(true).expect("a TCP socket");
            socket
        };
        match self.work {
            Work::Echo { size, window } => {
                let sockets = (0..self.connections)
                    .map(|_| MaybeTls::Plaintext(connect()))
                    .collect();
                let load = Load {
                    wire: self.wire,
                    size,
                    window,
                    duration: TIME,
                    timeout: TIMEOUT,
                };
                let report = bench(sockets, load, |_, _| ()).expect("every reply is right");
                Measured {
                    rate: report.messages_per_second(),
                    p99: report.quantile(0.99),
                }
            }
            Work::Visits => visits(self.connections, || {
                let (mut socket, text) = (connect(), "x".repeat(64));
                socket.send_text(&text).expect("the server reads");
                let reply = socket.recv_text(MAX_ECHO_BYTES).expect("a reply");
                assert_eq!(reply, Some(text));
            }),
        }
    }
}

/// This many clients, each of which connects again as soon as it has left.
fn visits(visitors: usize, visit: impl Fn() + Sync) -> Measured {
    let began = Instant::now();
    let visit_until_it_is_over = || {
        let mut times = vec![];
        while began.elapsed() < TIME {
            let start = Instant::now();
            visit();
            times.push(start.elapsed());
        }
        times
    };
    let mut times: Vec<Duration> = thread::scope(|scope| {
        let threads: Vec<_> = (0..visitors)
            .map(|_| scope.spawn(visit_until_it_is_over))
            .collect();
        let visitors = threads.into_iter();
        visitors
            .flat_map(|visitor| visitor.join().expect("every reply is right"))
            .collect()
    });
    times.sort_unstable();
    Measured {
        rate: times.len() as f64 / began.elapsed().as_secs_f64(),
        p99: times[times.len() * 99 / 100],
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn echo_server(wire: Wire, flags: &[&str]) -> Running {
    let raw: &[&str] = if wire == Wire::Raw { &["--raw"] } else { &[] };
    Program::new(env!("CARGO_BIN_EXE_echo-server"))
        .args(["--port", "0"])
        .args(raw)
        .args(flags)
        .spawn()
}

fn bare(wire: Wire) -> Running {
    // What echo-server reads at once: with --raw by default, and framed as soon as much comes.
    let portion = if wire == Wire::Raw { 1 << 10 } else { 64 << 10 };
    Program::new(std::env::current_exe().expect("this program"))
        .env("BARE_ECHO", portion.to_string())
        .spawn()
}

/// The server that others are measured by. It says where it listens, as they do.
fn bare_echo(portion: usize) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let name = std::env::current_exe()?;
    let name = name.file_name().unwrap_or_default().display();
    println!("{name} listening on {}", listener.local_addr()?);
    for socket in listener.incoming() {
        let mut socket = socket?;
        socket.set_nodelay(true)?;
        thread::Builder::new().spawn(move || {
            let mut bytes = vec![0; portion];
            while let Ok(count @ 1..) = socket.read(&mut bytes) {
                if socket.write_all(&bytes[..count]).is_err() {
                    break;
                }
            }
        })?;
    }
    Ok(())
}
