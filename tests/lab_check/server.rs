//! A small server inside the test, with a thread for each client.

use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use lab_check::{Target, Verdict, Wire, echo, run};

/// Generous, since test machines stall; a right server answers in microseconds.
const TIMEOUT: Duration = Duration::from_secs(3);

/// What a server shares between its clients, and its switch.
#[derive(Clone, Default)]
pub struct Shared {
    is_broken: Arc<AtomicBool>,
    pub visits: Arc<AtomicUsize>,
}

impl Shared {
    /// From now on no client is served, as if the server had crashed.
    pub fn crash(&self) {
        self.is_broken.store(true, Ordering::SeqCst);
    }
}

/// Starts a server that serves one client after the other.
pub fn start_sequential(serve: impl Fn(TcpStream, &Shared) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let shared = Shared::default();
    thread::spawn(move || {
        while let Ok((client, _)) = listener.accept() {
            serve(client, &shared);
            if shared.is_broken.load(Ordering::SeqCst) {
                return;
            }
        }
    });
    address
}

/// Starts a server that runs `serve` in a thread for each client. The end of the process ends it.
pub fn start(serve: impl Fn(TcpStream, &Shared) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (shared, serve) = (Shared::default(), Arc::new(serve));
    thread::spawn(move || {
        for client in listener.incoming() {
            if shared.is_broken.load(Ordering::SeqCst) {
                return;
            }
            let (client, shared, serve) = (client.unwrap(), shared.clone(), Arc::clone(&serve));
            thread::spawn(move || serve(client, &shared));
        }
    });
    address
}

/// Reads once. 0 is the end, and so is an error.
pub fn read(client: &mut TcpStream, buffer: &mut [u8]) -> usize {
    loop {
        match client.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result.unwrap_or(0),
        }
    }
}

/// The names of the checks that fail, and of those that are noted, in order.
pub fn failing(address: SocketAddr, wire: Wire) -> (Vec<&'static str>, Vec<&'static str>) {
    let target = Target::new(address, wire, TIMEOUT);
    target.find_padding();
    let (mut failed, mut noted) = (vec![], vec![]);
    run(
        &echo::checks(wire),
        &target,
        echo::still_serves,
        |outcome| match &outcome.verdict {
            Verdict::Failed(failure) => {
                println!("{}: {}", outcome.check.name, failure.problem);
                failed.push(outcome.check.name);
            }
            Verdict::Noted(_) => noted.push(outcome.check.name),
            Verdict::Passed | Verdict::Skipped(_) => {}
        },
    );
    (failed, noted)
}
