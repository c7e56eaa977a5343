//! Ctrl-C and SIGTERM: over within five seconds whatever clients do, and everything is logged.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use proto::FramedSocket;
use testbed::{Finished, Signal};

use crate::server::{Server, connect, expect_echo, reset};

/// What a stop promises.
const STOP_LIMIT: Duration = Duration::from_secs(5);

#[track_caller]
fn stop(server: Server, signal: Signal) -> Finished {
    server.signal(signal);
    let finished = server.into_running().wait_within(STOP_LIMIT);
    let finished = finished.expect_success();
    let log = finished.log();
    let end = log.text();
    let end = end.lines().last().unwrap_or_default();
    assert!(end.contains("] server stopped: served "), "{end}");
    let (came, went) = ("client connected", "client disconnected");
    assert_eq!(log.lines_with(came).len(), log.lines_with(went).len());
    finished
}

/// Sends as fast as the server takes it, and reads on the side, until the connection breaks.
fn chatter(client: &TcpStream) {
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut bin = vec![0; 1 << 16];
            while matches!({ client }.read(&mut bin), Ok(1..)) {}
        });
        while { client }.send_text("and another thing").is_ok() {}
    });
}

/// Sends until the connection breaks. `stuck` hears when the server takes no more, since nobody
/// takes its replies.
fn read_nothing(mut client: &TcpStream, stuck: mpsc::Sender<()>) {
    let moment = Duration::from_millis(500);
    client.set_write_timeout(Some(moment)).unwrap();
    let messages = b"\0\0\0\x04text".repeat(1 << 15);
    let mut sent = 0;
    loop {
        match client.write(&messages[sent % messages.len()..]) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let _ = stuck.send(());
            }
            Err(_) => return,
        }
    }
}

#[test]
fn idle_clients_are_let_go() {
    for signal in [Signal::INT, Signal::TERM] {
        let server = Server::start(&[]);
        let mut clients: Vec<_> = (0..10).map(|_| server.connect()).collect();
        for client in &mut clients {
            expect_echo(client, "hello");
        }
        let finished = stop(server, signal);
        let let_go = finished
            .log()
            .lines_with(": the server stops; received 9 bytes in 1 message");
        assert_eq!(let_go.len(), clients.len());
        for mut client in clients {
            assert_eq!(client.read(&mut [0]).unwrap(), 0, "an end, not a reset");
        }
    }
}

#[test]
fn a_client_that_talks_without_pause_is_let_go() {
    for flags in [&[][..], &["--raw"]] {
        let server = Server::start(flags);
        let client = server.connect();
        thread::scope(|scope| {
            scope.spawn(|| chatter(&client));
            server.log().wait_for_nth(10, "] sent ");
            stop(server, Signal::TERM);
        });
    }
}

#[test]
fn a_client_that_reads_nothing_is_cut_off() {
    let server = Server::start(&[]);
    let client = server.connect();
    thread::scope(|scope| {
        let (stuck, is_stuck) = mpsc::channel();
        scope.spawn(|| read_nothing(&client, stuck));
        is_stuck.recv().unwrap();
        let log = stop(server, Signal::TERM).log();
        let line =
            log.wait_for("1 clients were still connected 4 s after the stop and are cut off");
        assert!(line.contains(" WARN  "), "{line}");
        log.wait_for("client disconnected: ");
    });
}

#[test]
fn what_was_received_is_answered_before_the_end() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    let message = "x".repeat(1 << 20);
    let frame = [&(1_u32 << 20).to_be_bytes()[..], message.as_bytes()].concat();
    let mut received = vec![0; 1 << 10];
    client.write_all(&frame).unwrap();
    // The reply is on its way, and most of it is not read yet.
    client.read_exact(&mut received).unwrap();
    server.signal(Signal::TERM);
    client.read_to_end(&mut received).unwrap();
    assert!(received == frame, "{} bytes", received.len());
    drop(client);
    server
        .into_running()
        .wait_within(STOP_LIMIT)
        .expect_success();
}

#[test]
fn nobody_new_is_accepted_and_the_port_is_free() {
    let server = Server::start(&[]);
    let address = server.address;
    let (client, waiting) = (server.connect(), server.connect());
    drop(waiting);
    server.signal(Signal::TERM);
    while TcpStream::connect(address).is_ok_and(|late| {
        reset(late);
        true
    }) {}
    drop(client);
    server
        .into_running()
        .wait_within(STOP_LIMIT)
        .expect_success();
    drop(TcpListener::bind(address).unwrap());
}

#[test]
fn a_second_ctrl_c_ends_it_at_once() {
    let server = Server::start(&[]);
    let address = server.address;
    let client = connect(address);
    thread::scope(|scope| {
        let (stuck, is_stuck) = mpsc::channel();
        scope.spawn(|| read_nothing(&client, stuck));
        is_stuck.recv().unwrap();
        server.interrupt();
        // The stop has begun when nobody new gets in.
        while TcpStream::connect(address).is_ok_and(|late| {
            reset(late);
            true
        }) {}
        server.interrupt();
        // Without it, the client that reads nothing would have four seconds, and the status be 0.
        server
            .into_running()
            .wait_within(STOP_LIMIT)
            .expect_code(130);
    });
}
