//! `ident-server` as it knows its own machine, a second on the same network, and a third behind a router.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{IpAddr, SocketAddr, TcpStream};

use proto::ident::{Reply, Request};
use proto::{FramedSocket, MAX_DIALOGUE_BYTES, Name};
use testbed::{Network, Program, TIME_LIMIT};

struct Client(TcpStream);

impl Client {
    fn connect(server: SocketAddr) -> Self {
        let socket = TcpStream::connect_timeout(&server, TIME_LIMIT).unwrap();
        socket.set_read_timeout(Some(TIME_LIMIT)).unwrap();
        Self(socket)
    }

    fn hear(&mut self) -> Reply {
        self.0.recv_json(MAX_DIALOGUE_BYTES).unwrap().unwrap()
    }

    fn ask(&mut self, request: &Request) -> Reply {
        self.0.send_json(request).unwrap();
        self.hear()
    }
}

fn name_of(address: IpAddr) -> Name {
    Name::parse(&format!("the host at {address}")).unwrap()
}

#[test]
fn three_machines_are_three_clients() {
    let network = match Network::make() {
        Ok(network) => network,
        Err(missing) => return eprintln!("skipped, since no network can be made: {missing}"),
    };
    let server = Program::new(env!("CARGO_BIN_EXE_ident-server"));
    let server = server.args(["--port", "0", "--host", "0.0.0.0"]);
    let server = network.local.enter(|| server.spawn());
    let there = SocketAddr::new(network.local.address(), server.await_address().port());
    let hosts = [&network.local, &network.second, &network.third];
    for host in hosts {
        let name = name_of(host.address());
        host.enter(|| {
            let mut client = Client::connect(there);
            assert_eq!(client.hear(), Reply::WhoAreYou);
            let given = client.ask(&Request::Name {
                name: name.to_string(),
            });
            assert_eq!(given, Reply::Welcome { name });
        });
    }
    for host in hosts {
        let (name, address) = (name_of(host.address()), host.address());
        host.enter(|| {
            let mut client = Client::connect(there);
            assert_eq!(client.hear(), Reply::Welcome { name: name.clone() });
            let known = client.ask(&Request::Whoami);
            assert_eq!(known, Reply::YouAre { name, address });
        });
    }
    for host in hosts {
        server
            .log()
            .wait_for_nth(2, &format!(" greeted {}:", host.address()));
    }
}
