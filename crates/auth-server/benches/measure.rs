//! What the server costs, measured with its own program and service messages on: `cargo bench -p auth-server`.
//!
//! - a login beside one bare hash of the same parameters, in turns
//! - an unknown user beside a wrong password, in turns
//! - `resume` and `whoami` in one second, on 1 connection and on 64
//! - the most memory while 1,000 logins wait

use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use auth_server::{Cost, Hasher, Memory, Password};
use proto::Secret;
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};
use testbed::{Program, Running};

const PASSWORD: &str = "correct horse";
const ROUNDS: u32 = 150;
const MEASURED: Duration = Duration::from_secs(2);

fn main() {
    logins();
    memory();
    for connections in [1, 64] {
        requests(connections);
    }
}

/// Each round has an address of its own, so that nothing is an attempt too many.
fn logins() {
    let server = Server::start();
    let hasher = Hasher::new(Cost::LEAST);
    let password = Password::new(&Secret::new(PASSWORD.into()));
    let mut memory = Memory::default();
    let (mut hashes, mut right, mut wrong, mut unknown) = (vec![], vec![], vec![], vec![]);
    for round in 0..ROUNDS {
        let mut client = server.connect(round);
        let user = format!("user {round}");
        assert_eq!(
            client.ask(&enter("register", &user, PASSWORD))["type"],
            "session"
        );
        let mut timed = |request: Value, expected: &str, times: &mut Vec<Duration>| {
            let start = Instant::now();
            let reply = client.ask(&request);
            times.push(start.elapsed());
            assert!(
                reply["type"] == expected || reply["code"] == expected,
                "{reply}"
            );
        };
        timed(enter("login", &user, PASSWORD), "session", &mut right);
        let start = Instant::now();
        let hash = hasher.hash(black_box(&password), [round as u8; 16], &mut memory);
        hashes.push(start.elapsed());
        assert!(hash.is_ok());
        // In turns in both orders, so that whatever slows the machine down slows both.
        let mut guess = |name: &str, times| {
            timed(
                enter("login", name, "wrong horse"),
                "bad_credentials",
                times,
            );
        };
        if round % 2 == 0 {
            guess(&user, &mut wrong);
            guess(&format!("nobody {round}"), &mut unknown);
        } else {
            guess(&format!("nobody {round}"), &mut unknown);
            guess(&user, &mut wrong);
        }
    }
    let differences: Vec<_> = unknown
        .iter()
        .zip(&wrong)
        .map(|(a, b)| millis(a) - millis(b))
        .collect();
    let [hash, right, wrong, unknown] = [hashes, right, wrong, unknown].map(median);
    println!("bare hash       {hash:7.2} ms (medians of {ROUNDS})");
    println!(
        "login           {right:7.2} ms, {:.3} of a hash",
        right / hash
    );
    println!("wrong password  {wrong:7.2} ms");
    println!("unknown user    {unknown:7.2} ms");
    let count = f64::from(ROUNDS);
    let mean = differences.iter().sum::<f64>() / count;
    let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (count - 1.0);
    println!(
        "unknown - wrong {mean:+7.3} ms on average, standard error {:.3}",
        (variance / count).sqrt()
    );
}

fn memory() {
    const CLIENTS: u32 = 1_000;
    let server = Server::start();
    let before = server.running.memory();
    let clients: Vec<_> = (0..CLIENTS).map(|number| server.connect(number)).collect();
    let start = Instant::now();
    let asking = |(number, mut client): (usize, Client)| {
        let ask = move || client.ask(&enter("login", &format!("user {number}"), PASSWORD));
        thread::spawn(ask)
    };
    let threads: Vec<_> = clients.into_iter().enumerate().map(asking).collect();
    let replies: Vec<_> = threads.into_iter().map(|one| one.join().unwrap()).collect();
    let count = |code| replies.iter().filter(|reply| reply["code"] == code).count();
    let mib = |memory: Option<testbed::Memory>| {
        memory.map_or(f64::NAN, |memory| memory.peak as f64 / f64::from(1 << 20))
    };
    println!(
        "{CLIENTS} logins     {:7.1} MiB at most ({:.1} before), {} hashed and {} refused as unavailable in {:.2} s",
        mib(server.running.memory()),
        mib(before),
        count("bad_credentials"),
        count("unavailable"),
        start.elapsed().as_secs_f64()
    );
}

fn requests(connections: u32) {
    let server = Server::start();
    let reply = server.connect(0).ask(&enter("register", "anna", PASSWORD));
    let resume = json!({"type": "resume", "token": reply["token"]});
    let start = Instant::now();
    let talking = |number| {
        let (mut client, resume) = (server.connect(number), resume.clone());
        thread::spawn(move || {
            let mut done = 0_u64;
            while start.elapsed() < MEASURED {
                assert_eq!(client.ask(&resume)["type"], "session");
                assert_eq!(client.ask(&json!({"type": "whoami"}))["user"], "anna");
                done += 2;
            }
            done
        })
    };
    let threads: Vec<_> = (0..connections).map(talking).collect();
    let done: u64 = threads.into_iter().map(|one| one.join().unwrap()).sum();
    let per_second = done as f64 / start.elapsed().as_secs_f64();
    println!(
        "{connections:2} connections  {per_second:8.0} requests a second, resume and whoami in turns"
    );
}

struct Server {
    running: Running,
    address: SocketAddr,
}

impl Server {
    fn start() -> Self {
        let program = Program::new(env!("CARGO_BIN_EXE_auth-server")).args(["--port", "0"]);
        let running = program.spawn();
        let address = running.await_address();
        Self { running, address }
    }

    /// A client at one of 65,000 addresses.
    fn connect(&self, number: u32) -> Client {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let address = Ipv4Addr::from_bits(0x7f01_0001 + number);
        socket.bind(&SocketAddr::from((address, 0)).into()).unwrap();
        socket.connect(&self.address.into()).unwrap();
        socket.set_tcp_nodelay(true).unwrap();
        Client(dialogue::Client::new(socket.into(), ()))
    }
}

struct Client(dialogue::Client<TcpStream>);

impl Client {
    fn ask(&mut self, request: &Value) -> Value {
        self.0.request(request).unwrap()
    }
}

fn enter(kind: &str, user: &str, password: &str) -> Value {
    json!({"type": kind, "user": user, "password": password})
}

fn millis(time: &Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    millis(&times[times.len() / 2])
}
