//! Ctrl-C and SIGTERM: over within five seconds whatever clients do, and everything is logged.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use proto::{FramedSocket, HEADER_BYTES};
use testbed::{Finished, Signal};

use crate::server::{LONG_BYTES, Server, expect_echo, reset, rest};

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
    assert!(!end.contains("abandoned"), "{end}");
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

/// Waits until no new client is accepted, which shows that the stop has begun.
fn await_refusal(address: SocketAddr) {
    while let Ok(late) = TcpStream::connect(address) {
        reset(late);
    }
}

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
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
        let forced = finished.log().lines_with("cut off");
        assert!(forced.is_empty(), "{forced:?}");
        for mut client in clients {
            assert_eq!(client.read(&mut [0]).unwrap(), 0, "an end, not a reset");
        }
    }
}

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
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

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn a_client_that_reads_nothing_is_cut_off() {
    let server = Server::start_for_the_deaf();
    let _deaf = server.connect_deaf();
    let log = stop(server, Signal::TERM).log();
    let line = log.wait_for("cut off 1 client, still connected 4 s after the stop");
    assert!(line.contains(" [WARN] "), "{line}");
}

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn what_is_owed_is_sent_before_the_end() {
    let server = Server::start_for_the_deaf();
    let mut client = server.connect_deaf();
    server.terminate();
    await_refusal(server.address);
    // It hears again, in time.
    assert_eq!(rest(&mut client).len(), HEADER_BYTES + LONG_BYTES);
    drop(client);
    let finished = server.into_running().wait_within(STOP_LIMIT);
    let log = finished.expect_success().log();
    log.wait_for(": the server stops; ");
}

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn the_port_is_free_while_clients_finish() {
    let server = Server::start_for_the_deaf();
    let _deaf = server.connect_deaf();
    server.terminate();
    await_refusal(server.address);
    while TcpListener::bind(server.address).is_err() {
        assert!(server.is_running(), "the port was not free before the end");
    }
    assert!(server.is_running(), "nobody had to finish");
}

#[cfg_attr(windows, ignore = "Windows has no signals")]
#[test]
fn a_second_ctrl_c_ends_it_at_once() {
    let server = Server::start_for_the_deaf();
    let _deaf = server.connect_deaf();
    server.interrupt();
    await_refusal(server.address);
    server.interrupt();
    // Otherwise the deaf client would have four seconds, and then the status would be 0.
    let finished = server.into_running().wait_within(STOP_LIMIT);
    finished.expect_code(130);
}
