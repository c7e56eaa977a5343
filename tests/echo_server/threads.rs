//! A server that gets no thread for a client goes on as soon as it gets one.

#![cfg(target_os = "linux")]

use std::net::TcpStream;

use proto::FramedSocket;
use testbed::Resource;

use crate::server::{Server, expect_echo, rest};

/// Less than the stack of a thread, and more than all else that a few clients need.
const ROOM_BYTES: u64 = 400 << 10;

const REFUSED: usize = 4;

#[cfg_attr(windows, ignore = "Wine is too slow for it")]
#[test]
fn a_client_without_a_thread_is_disconnected_and_others_live_on() {
    let server = Server::start(&[]);
    let mut clients: Vec<_> = (0..3).map(|_| visit(&server).unwrap()).collect();
    let most = server.memory().unwrap().mapped + ROOM_BYTES;
    server.restrict(Resource::As, Some(most));

    for _ in 0..REFUSED {
        assert_eq!(rest(&mut server.connect()), b"");
    }
    let reported = server
        .log()
        .wait_for("cannot start a thread for 127.0.0.1:");
    assert!(
        reported.contains(" [WARN] ") && reported.contains(", which is disconnected: "),
        "{reported}"
    );
    for client in &mut clients {
        expect_echo(client, "I have mine");
    }

    // A client that leaves makes room for another, though perhaps not for the first that tries.
    server.farewell(clients.remove(0));
    let newcomer = (0..5).find_map(|_| visit(&server));
    clients.push(newcomer.expect("there is a thread to be had"));
    server.log().wait_for("clients are served again, after ");

    server.restrict(Resource::As, None);
    clients.extend((0..5).map(|_| visit(&server).unwrap()));
    for client in &mut clients {
        expect_echo(client, "I am still here");
    }
    let log = server.stop().log();
    assert_eq!(log.lines_with("cannot start a thread").len(), 1);
    // Who was refused was not served.
    log.wait_for("server stopped: served 9 clients, ");
}

/// A client that was served, or None when the server closed the connection at once.
fn visit(server: &Server) -> Option<TcpStream> {
    let mut client = server.connect();
    client.send_text("hello").ok()?;
    let reply = client.recv_text(5).ok()??;
    assert_eq!(reply, "hello");
    Some(client)
}
