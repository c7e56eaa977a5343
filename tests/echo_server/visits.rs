//! Clients come, leave in every way there is, and come again.

use std::net::TcpStream;
use std::thread;

use proto::FramedSocket;
use testbed::{Program, Signal};

use crate::server::{Server, connect, expect_echo, reset, rest};

#[test]
fn one_can_come_again_after_exit() {
    let server = Server::start(&[]);
    for _ in 0..3 {
        let mut client = server.connect();
        expect_echo(&mut client, "hello");
        client.send_text("exit").unwrap();
        assert_eq!(rest(&mut client), b"");
    }
    server.log().wait_for_nth(3, ": the client said exit;");
    server.stop();
}

#[cfg_attr(windows, ignore = "Wine reports a reset as the end of the stream")]
#[test]
fn one_can_come_again_after_a_reset() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    let address = client.local_addr().unwrap();
    expect_echo(&mut client, "hello");
    reset(client);
    assert_eq!(server.why_disconnected(address), "connection reset by peer");
    expect_echo(&mut server.connect(), "again");
    server.stop();
}

#[test]
fn one_can_come_again_after_a_kill() {
    let server = Server::start(&[]);
    let client = Program::new(std::env::current_exe().unwrap())
        .args(["--exact", "visits::to_be_killed", "--nocapture"])
        .env("ADDRESS", server.address.to_string())
        .spawn();
    client.wait_for_line("greeted");
    client.kill();
    client.wait().expect_signal(Signal::KILL);
    server.log().wait_for("client disconnected");
    expect_echo(&mut server.connect(), "again");
    server.stop();
}

/// A client in a process of its own, which `one_can_come_again_after_a_kill` starts.
#[test]
fn to_be_killed() {
    let Ok(address) = std::env::var("ADDRESS") else {
        return;
    };
    let mut client = connect(address.parse().unwrap());
    expect_echo(&mut client, "hello");
    println!("greeted");
    loop {
        thread::park();
    }
}

#[test]
fn clients_are_served_at_the_same_time() {
    let server = Server::start(&[]);
    let (mut first, mut second) = (server.connect(), server.connect());
    expect_echo(&mut first, "I was first");
    expect_echo(&mut second, "I do not wait");
    expect_echo(&mut first, "neither do I");
    drop(first);
    server.log().wait_for("client disconnected");
    expect_echo(&mut second, "I am still here");
}

#[test]
fn a_client_that_leaves_without_its_replies_harms_nobody() {
    let server = Server::start(&[]);
    let mut witness = server.connect();
    let leave: [fn(TcpStream); 2] = [drop, reset];
    for leave in leave {
        let mut client = server.connect();
        let address = client.local_addr().unwrap();
        for _ in 0..20 {
            client.send_text(&"x".repeat(10_000)).unwrap();
        }
        leave(client);
        server.why_disconnected(address);
        expect_echo(&mut witness, "what was that?");
    }
    server.stop();
}
