//! `echo-server` as it is reached from its own machine, from a second on the same network, and from a third behind a
//! router.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};

use proto::{FramedSocket, MAX_ECHO_BYTES};
use testbed::{Network, Program, TIME_LIMIT};

fn connect(server: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpStream::connect_timeout(&server, TIME_LIMIT)?;
    socket.set_read_timeout(Some(TIME_LIMIT))?;
    Ok(socket)
}

#[test]
fn it_is_reached_from_three_machines() {
    let network = match Network::make() {
        Ok(network) => network,
        Err(missing) => return eprintln!("skipped, since no network can be made: {missing}"),
    };
    let server = Program::new(env!("CARGO_BIN_EXE_echo-server")).args(["--port", "0"]);
    let everywhere = server.args(["--host", "0.0.0.0"]);
    let server = network.local.enter(|| everywhere.spawn());
    let address = SocketAddr::new(network.local.address(), server.await_address().port());
    for host in [&network.local, &network.second, &network.third] {
        let text = format!("Привет из {}", host.address());
        let reply = host.enter(|| {
            let mut socket = connect(address).unwrap();
            socket.send_text(&text).unwrap();
            socket.recv_text(MAX_ECHO_BYTES).unwrap()
        });
        assert_eq!(reply, Some(text));
        let reported = format!("client connected: {}:", host.address());
        server.log().wait_for(&reported);
    }
}

#[test]
fn by_default_it_is_reached_from_its_own_machine_alone() {
    let network = match Network::make() {
        Ok(network) => network,
        Err(missing) => return eprintln!("skipped, since no network can be made: {missing}"),
    };
    let server = Program::new(env!("CARGO_BIN_EXE_echo-server")).args(["--port", "0"]);
    let server = network.local.enter(|| server.spawn());
    let address = server.await_address();
    network.local.enter(|| connect(address)).unwrap();
    let from_outside = SocketAddr::new(network.local.address(), address.port());
    let refused = network.second.enter(|| connect(from_outside)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}
