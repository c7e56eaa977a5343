//! Servers of this crate over loopback: limits, faults of clients, and the stop.

mod idle;
mod line_echo;
mod running;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use tcp_server::{BoxError, Client, EndReason, Limits, Service};

use idle::Flood;
use line_echo::{LineEcho, one_at_a_time, say};
use running::{Echo, Running, TIME_LIMIT};

#[test]
fn clients_are_served_at_once_and_counted() {
    let server = Running::start(Limits::default(), LineEcho);
    let mut clients: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for (number, client) in clients.iter_mut().enumerate().rev() {
        assert_eq!(
            say(client, &format!("{number:02}\n")),
            format!("{number:02}\n")
        );
    }
    let totals = server.stop();
    assert_eq!(
        (totals.clients, totals.bytes_received, totals.bytes_sent),
        (20, 60, 60)
    );
    assert_eq!(totals.abandoned, 0);
}

#[test]
fn the_list_shows_connected_clients() {
    let server = Running::start(Limits::default(), LineEcho);
    let clients = server.clients.clone();
    assert!(clients.list().is_empty());
    let mut sockets = [(); 2].map(|()| server.connect());
    for socket in &mut sockets {
        say(socket, "hello\n");
    }
    let list = clients.list();
    assert_eq!(list.len(), 2);
    for (info, socket) in list.iter().zip(&sockets) {
        assert_eq!(info.address, socket.local_addr().unwrap());
        assert_eq!(info.bytes_received, 6);
    }
    assert_eq!([list[0].number, list[1].number], [1, 2]);
    server.stop();
    assert!(clients.list().is_empty());
}

#[test]
fn past_the_limit_a_client_waits_until_one_leaves() {
    let server = Running::start(one_at_a_time(), LineEcho);
    let mut first = server.connect();
    assert_eq!(say(&mut first, "a\n"), "a\n");
    let mut second = server.connect();
    second.write_all(b"b\n").unwrap();
    second
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let refused = second.read(&mut [0]).unwrap_err();
    // Which of the two it is depends on the system.
    assert!(
        matches!(refused.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "nobody reads the second client yet: {refused}"
    );

    drop(first);
    second.set_read_timeout(Some(TIME_LIMIT)).unwrap();
    let mut reply = [0; 2];
    second.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"b\n");
    server.stop();
}

#[test]
fn a_stop_at_the_limit_is_not_held_up() {
    let server = Running::start(one_at_a_time(), LineEcho);
    let mut first = server.connect();
    say(&mut first, "a\n");
    let _waiting = server.connect();
    server.stop();
    assert_eq!(first.read(&mut [0]).unwrap(), 0);
}

#[cfg_attr(windows, ignore = "nothing wakes a blocked write on Windows")]
#[test]
fn a_stop_cuts_off_a_client_that_reads_nothing() {
    let server = Running::start(
        Limits {
            idle_timeout: None,
            ..Limits::default()
        },
        Flood,
    );
    let mut socket = server.connect();
    socket.read_exact(&mut [0; 1]).unwrap();
    let totals = server.stop();
    assert_eq!(totals.abandoned, 0);
}

#[test]
fn a_stop_ends_a_client_that_talks_without_pause() {
    let server = Running::start(Limits::default(), LineEcho);
    let mut socket = server.connect();
    say(&mut socket, "a\n");
    let mut writer = socket.try_clone().unwrap();
    let talker = thread::spawn(move || while writer.write_all(b"and another thing\n").is_ok() {});
    let reader =
        thread::spawn(move || while socket.read(&mut [0; 1 << 16]).is_ok_and(|n| n > 0) {});
    let totals = server.stop();
    assert_eq!(totals.abandoned, 0);
    talker.join().unwrap();
    reader.join().unwrap();
}

#[test]
fn a_stopped_server_leaves_its_port_free() {
    let server = Running::start(Limits::default(), LineEcho);
    let (address, mut socket) = (server.address, server.connect());
    say(&mut socket, "a\n");
    server.stop();
    assert_eq!(
        TcpStream::connect(address).unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );
    TcpListener::bind(address).unwrap();
}

/// Says goodbye at once, whatever the client sends.
struct Goodbye;

impl Service for Goodbye {
    fn serve(&self, client: &mut Client) -> Result<EndReason, BoxError> {
        client.read_exact(&mut [0; 1])?;
        client.write_all(b"bye")?;
        Ok("goodbye was said")
    }
}

#[test]
fn what_is_owed_arrives_although_input_was_left_unread() {
    let server = Running::start(Limits::default(), Goodbye);
    for _ in 0..50 {
        let mut socket = server.connect();
        socket.write_all(&[7; 50_000]).unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        let mut reply = vec![];
        socket.read_to_end(&mut reply).expect("an end, not a reset");
        assert_eq!(reply, b"bye");
    }
    server.stop();
}

#[test]
fn urgent_bytes_come_back_in_their_place() {
    let server = Running::start(Limits::default(), Echo);
    let mut socket = server.connect();
    socket.write_all(b"ab").unwrap();
    socket2::SockRef::from(&socket)
        .send_out_of_band(b"!")
        .unwrap();
    socket.write_all(b"cd").unwrap();
    let mut reply = [0; 5];
    socket.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"ab!cd");
    server.stop();
}

/// Panics at every other client.
struct Nervous;

impl Service for Nervous {
    fn serve(&self, client: &mut Client) -> Result<EndReason, BoxError> {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        assert_ne!(byte[0], b'!', "this panic is part of the test");
        client.write_all(&byte)?;
        Ok("a byte was given back")
    }
}

#[test]
fn a_panic_ends_one_conversation_only() {
    let server = Running::start(one_at_a_time(), Nervous);
    for _ in 0..3 {
        let mut socket = server.connect();
        socket.write_all(b"!").unwrap();
        assert_eq!(socket.read(&mut [0]).unwrap(), 0);
        assert_eq!(say(&mut server.connect(), "?"), "?");
    }
    server.stop();
}
