//! A server that runs in this process, and a service for it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tcp_server::{
    BoxError, Client, ClientList, EndReason, Limits, Service, StopHandle, Totals, serve_listed,
};

/// What a stop promises.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// Every read of a test ends by then, so that a fault is a failure and not a hang.
pub const TIME_LIMIT: Duration = Duration::from_secs(20);

pub struct Running {
    pub address: SocketAddr,
    pub clients: ClientList,
    stop: StopHandle,
    server: JoinHandle<Totals>,
}

impl Running {
    pub fn start(limits: Limits, service: impl Service) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = StopHandle::new();
        let clients = ClientList::default();
        let (handle, listed) = (stop.clone(), clients.clone());
        let serve = move || serve_listed(listener, &limits, &handle, &listed, service);
        let server = thread::spawn(move || serve().unwrap());
        Self {
            address,
            clients,
            stop,
            server,
        }
    }

    pub fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(TIME_LIMIT)).unwrap();
        socket.set_nodelay(true).unwrap();
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

/// Returns every byte.
pub struct Echo;

impl Service for Echo {
    fn serve(&self, client: &mut Client) -> Result<EndReason, BoxError> {
        let mut portion = [0; 1024];
        loop {
            match client.read(&mut portion)? {
                0 => return Ok("the client closed the connection"),
                count => client.write_all(&portion[..count])?,
            }
        }
    }
}
