//! What a message to a room of 10, 100 and 1,000 members costs the server's processor, beside a
//! bare loop of `recv_from` and `send_to` that moves as many datagrams of the same length.
//!
//! `cargo bench -p udp-chat --bench fan_out [-- MEMBERS AUTHORS SECONDS]`; Linux, whose `/proc` tells
//! the time. The members are links of ours, many behind each of a few sockets.

mod crowd;

use std::borrow::Cow;
use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use proto::chat::{
    Ack, Body, Data, Datagram, Kind, MAX_DATAGRAM_BYTES, Notice, Request, SessionId,
};
use testbed::{Program, Running};
use udp_chat::Pace;

use crowd::{Crowd, nick, socket};

/// Sockets, and threads, that the members share.
const CROWDS: usize = 4;

/// An author's pace, just below what makes it a flood.
const INTERVAL: Duration = Duration::from_millis(26);

/// How often timers and authors are looked after.
const TICK: Duration = Duration::from_millis(2);

const TEXT: &str = "The quick brown fox jumps over the lazy dog.";

fn main() {
    let numbers: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|arg| arg.parse().ok())
        .collect();
    if let Some(members) = std::env::var_os("BARE_RELAY") {
        let members = members.to_string_lossy().parse().expect("a number");
        return bare_relay(members);
    }
    println!("members authors  messages/s  deliveries/s  core  us/delivery  bare core  us  ratio");
    let runs = match numbers[..] {
        [members, authors, seconds] => vec![(members, authors, seconds)],
        _ => vec![(10, 10, 5), (100, 20, 5), (1_000, 1, 5), (1_000, 10, 5)],
    };
    for (members, authors, seconds) in runs {
        run(members, authors, Duration::from_secs(seconds as u64));
    }
}

/// One row: the chat, then the bare loop at the rate that the chat kept.
fn run(members: usize, authors: usize, time: Duration) {
    let chat = chat(members, authors, time);
    let bare = bare(members, chat.messages, time);
    let seconds = time.as_secs_f64();
    let cost = |measured: &Measured| measured.cpu.as_secs_f64() * 1e6 / measured.deliveries as f64;
    println!(
        "{members:7} {authors:7} {:11.0} {:13.0} {:5.2} {:12.2} {:10.2} {:3.2} {:6.2}",
        chat.messages as f64 / seconds,
        chat.deliveries as f64 / seconds,
        chat.cpu.as_secs_f64() / seconds,
        cost(&chat),
        bare.cpu.as_secs_f64() / seconds,
        cost(&bare),
        cost(&chat) / cost(&bare),
    );
}

#[derive(Debug)]
struct Measured {
    messages: u64,
    deliveries: u64,
    cpu: Duration,
}

/// What the crowds have done, and what they are to do.
#[derive(Default)]
struct Shared {
    joined: AtomicU64,
    messages: AtomicU64,
    deliveries: AtomicU64,
    is_talking: AtomicBool,
    is_over: AtomicBool,
}

impl Shared {
    /// Lets the crowds talk for a second, and measures the time after it.
    fn measure(&self, server: &Running, time: Duration) -> Measured {
        let now = || Measured {
            messages: self.messages.load(Relaxed),
            deliveries: self.deliveries.load(Relaxed),
            cpu: processor_time(server.pid()),
        };
        self.is_talking.store(true, Relaxed);
        thread::sleep(Duration::from_secs(1));
        let before = now();
        thread::sleep(time);
        let after = now();
        self.is_over.store(true, Relaxed);
        Measured {
            messages: after.messages - before.messages,
            deliveries: after.deliveries - before.deliveries,
            cpu: after.cpu - before.cpu,
        }
    }
}

fn chat(members: usize, authors: usize, time: Duration) -> Measured {
    let server = Program::new(env!("CARGO_BIN_EXE_udp-chat"))
        .args(["serve", "--host", "127.0.0.1", "--port", "0"])
        .spawn();
    let address = server.await_address();
    let shared = Arc::new(Shared::default());
    let crowds: Vec<_> = (0..CROWDS)
        .map(|first| {
            let shared = Arc::clone(&shared);
            let numbers: Vec<_> = (first..members).step_by(CROWDS).collect();
            thread::spawn(move || talk(address, &shared, &numbers, authors))
        })
        .collect();
    while shared.joined.load(Relaxed) < members as u64 {
        assert!(!crowds.iter().any(|crowd| crowd.is_finished()));
        thread::sleep(Duration::from_millis(10));
    }
    // Until all have heard of all.
    thread::sleep(Duration::from_secs(2));
    let measured = shared.measure(&server, time);
    crowds
        .into_iter()
        .for_each(|crowd| crowd.join().expect("a crowd that does not panic"));
    let lost = server.log().lines_with(" left: ");
    assert!(lost.is_empty(), "{lost:?}");
    measured
}

/// Members behind one socket; the first `authors` of all talk, until it is over.
fn talk(server: SocketAddr, shared: &Shared, numbers: &[usize], authors: usize) {
    let mut crowd = Crowd::new(server, |message| {
        if message.get().starts_with(r#"{"type":"said""#) {
            shared.deliveries.fetch_add(1, Relaxed);
        }
    });
    let mut writers = Vec::new();
    for &number in numbers {
        let session = crowd.join(number);
        if number < authors {
            writers.push((session, Pace::new(INTERVAL, 1)));
        }
        shared.joined.fetch_add(1, Relaxed);
    }
    let (text, more) = (TEXT.to_owned(), false);
    let message = Body::new(&Request::Say { text, more }).expect("it is short");
    let mut ticked = Instant::now();
    while !shared.is_over.load(Relaxed) {
        crowd.receive();
        let now = Instant::now();
        if now < ticked + TICK {
            continue;
        }
        ticked = now;
        for (session, pace) in &mut writers {
            let link = crowd.link(*session);
            let talks = shared.is_talking.load(Relaxed) && link.is_writable();
            if talks && pace.take(now).is_ok() {
                link.send(message.clone()).expect("it is writable");
                shared.messages.fetch_add(1, Relaxed);
            }
        }
        crowd.tick(now);
    }
}

/// As many messages in the same time through [`bare_relay`], whose members acknowledge every
/// second datagram with as many bytes.
fn bare(members: usize, messages: u64, time: Duration) -> Measured {
    let server = Program::new(std::env::current_exe().expect("this program"))
        .env("BARE_RELAY", members.to_string())
        .stdin_pipe()
        .spawn();
    let line = server.wait_for_line("bare relay on ");
    let address: SocketAddr = line["bare relay on ".len()..].parse().expect("an address");
    let shared = Arc::new(Shared::default());
    let (data, ack) = datagrams();
    let crowds: Vec<_> = (0..CROWDS)
        .map(|crowd| {
            let (shared, data, ack) = (Arc::clone(&shared), data.clone(), ack.clone());
            thread::spawn(move || {
                let socket = socket();
                socket.send_to(b"join", address).expect("loopback takes it");
                shared.joined.fetch_add(1, Relaxed);
                // The first crowd has the author.
                let interval = time.as_secs_f64() / messages as f64;
                let mut next = None;
                let mut got = 0_u64;
                let mut bytes = [0; MAX_DATAGRAM_BYTES];
                while !shared.is_over.load(Relaxed) {
                    if socket.recv(&mut bytes).is_ok() {
                        shared.deliveries.fetch_add(1, Relaxed);
                        got += 1;
                        if got.is_multiple_of(2) {
                            let _ = socket.send_to(&ack, address);
                        }
                    }
                    let now = Instant::now();
                    while crowd == 0
                        && shared.is_talking.load(Relaxed)
                        && *next.get_or_insert(now) <= now
                    {
                        next = next.map(|at| at + Duration::from_secs_f64(interval));
                        let _ = socket.send_to(&data, address);
                        shared.messages.fetch_add(1, Relaxed);
                    }
                }
            })
        })
        .collect();
    let measured = shared.measure(&server, time);
    crowds
        .into_iter()
        .for_each(|crowd| crowd.join().expect("a crowd that does not panic"));
    measured
}

/// Sends each datagram of data to all members but one, who are spread over the addresses that
/// wrote, and takes what else comes. Nothing else: no sessions, no numbers, no memory.
fn bare_relay(members: usize) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has a free port");
    println!(
        "bare relay on {}",
        socket.local_addr().expect("it is bound")
    );
    let mut addresses = Vec::new();
    let mut bytes = [0; MAX_DATAGRAM_BYTES];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut bytes) else {
            continue;
        };
        match &bytes[..length] {
            b"join" => addresses.push(from),
            data if data.starts_with(br#"{"type":"data""#) => {
                for to in addresses.iter().cycle().take(members - 1) {
                    let _ = socket.send_to(data, to);
                }
            }
            _ => {}
        }
    }
}

/// What the chat sends for a message, and what comes back for two.
fn datagrams() -> (Vec<u8>, Vec<u8>) {
    let session = SessionId::from_bytes([7; 16]);
    let notice = Notice::Said {
        id: 1_790_000_000_000_000,
        at: 1_790_000_000_000,
        from: nick(1),
        kind: Kind::Say,
        text: TEXT.to_owned(),
        more: false,
        history: false,
    };
    let body = Body::new(&notice).expect("it is short");
    let (seq, ack, ranges, message) = (1_000, 0, Vec::new(), body.as_json());
    let (mut data, mut acked) = (Vec::new(), Vec::new());
    let datagram = Datagram::Data(Data {
        session,
        seq,
        ack,
        ranges,
        message: Cow::Borrowed(message),
    });
    datagram.encode(&mut data).expect("it fits");
    let datagram = Datagram::Ack(Ack {
        session,
        ack: seq,
        ranges: Vec::new(),
    });
    datagram.encode(&mut acked).expect("it fits");
    (data, acked)
}

/// What a process has had of the processors, in user and system mode.
fn processor_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("Linux tells");
    // Behind the name, which may hold anything, field 14 is the 12th (man 5 proc).
    let fields = stat.rsplit_once(')').expect("it has a name").1;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks
        .map(|field| field.parse::<u64>().expect("a number"))
        .sum();
    // A tick is a hundredth of a second, whatever the kernel's own.
    Duration::from_millis(10 * ticks)
}
