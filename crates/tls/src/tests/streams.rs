//! What comes out of a stream is what went in, and its end is known for what it is.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use proptest::prelude::*;

use super::{TIME_LIMIT, connected, identity};
use crate::client::handshake;
use crate::{ServerTls, TlsStream};

#[test]
fn a_small_message_takes_one_read_and_one_write() {
    let (mut client, mut server) = connected(usize::MAX);
    let before = (server.socket.reads, server.socket.writes);
    for _ in 0..10 {
        client.write_all(&[7; 64]).unwrap();
        let mut room = [0; 1000];
        assert_eq!(server.read(&mut room).unwrap(), 64);
        server.write_all(&room[..64]).unwrap();
        assert_eq!(client.read(&mut room).unwrap(), 64);
    }
    assert_eq!(
        (server.socket.reads, server.socket.writes),
        (before.0 + 10, before.1 + 10)
    );
}

#[test]
fn a_clean_end_is_distinguished_from_a_cut_off() {
    let (mut client, mut server) = connected(usize::MAX);
    client.write_all(b"last words").unwrap();
    client.close().unwrap();
    let mut all = vec![];
    server.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"last words");
    // The other direction goes on.
    server.write_all(b"answer").unwrap();
    server.close().unwrap();
    let mut all = String::new();
    client.read_to_string(&mut all).unwrap();
    assert_eq!(all, "answer");

    let (mut client, mut server) = connected(usize::MAX);
    client.write_all(b"last words").unwrap();
    drop(client);
    let mut all = vec![];
    let error = server.read_to_end(&mut all).unwrap_err();
    assert_eq!(
        (error.kind(), &all[..]),
        (ErrorKind::UnexpectedEof, &b"last words"[..])
    );
    assert!(error.to_string().contains("cut off"), "{error}");
}

#[test]
fn a_record_cut_in_the_middle_is_a_cut_off() {
    let (mut client, mut server) = connected(usize::MAX);
    client.write_all(&[7; 64]).unwrap();
    client.close().unwrap();
    server.socket.tamper(|bytes| bytes.truncate(30));
    drop(client);
    assert_eq!(
        server.read(&mut [0; 99]).unwrap_err().kind(),
        ErrorKind::UnexpectedEof
    );
}

#[test]
fn a_changed_byte_is_an_error() {
    let (mut client, mut server) = connected(usize::MAX);
    client.write_all(&[7; 64]).unwrap();
    server.socket.tamper(|bytes| bytes[40] ^= 1);
    for _ in 0..2 {
        assert_eq!(
            server.read(&mut [0; 99]).unwrap_err().kind(),
            ErrorKind::InvalidData
        );
    }
}

fn tcp_pair() -> (TlsStream<TcpStream>, TlsStream<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (far, _) = listener.accept().unwrap();
    let tls = ServerTls::new(&identity()).unwrap();
    let server = thread::spawn(move || {
        tls.accept(far, |socket, limit| socket.set_read_timeout(limit))
            .unwrap()
    });
    let set_timeout = |socket: &mut TcpStream, limit| socket.set_read_timeout(limit);
    let (client, _) = handshake(near, None, TIME_LIMIT, set_timeout).unwrap();
    (client, server.join().unwrap())
}

#[test]
fn a_half_that_cannot_write_does_not_stop_the_other_from_reading() {
    let (client, mut server) = tcp_pair();
    let (mut read_half, mut write_half) = client.split();
    let (started, is_started) = mpsc::channel();
    let writer = thread::spawn(move || {
        let block = vec![7; 1 << 20];
        started.send(()).unwrap();
        // More than two sockets hold: it blocks until the server reads, which it never does.
        while write_half.write_all(&block).is_ok() {}
    });
    is_started.recv().unwrap();
    for message in 0..200u8 {
        server.write_all(&[message; 100]).unwrap();
        let mut room = [0; 100];
        read_half.read_exact(&mut room).unwrap();
        assert_eq!(room, [message; 100]);
    }
    // A peer that is gone wakes the writer on every system. A shutdown on this side does not do so on Windows.
    drop(server);
    writer.join().unwrap();
}

#[test]
fn halves_end_cleanly() {
    let (client, mut server) = tcp_pair();
    let (mut read_half, mut write_half) = client.split();
    write_half.write_all(b"last words").unwrap();
    write_half.close().unwrap();
    let mut all = String::new();
    server.read_to_string(&mut all).unwrap();
    server.write_all(all.as_bytes()).unwrap();
    server.close().unwrap();
    let mut all = vec![];
    read_half.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"last words");

    let (client, server) = tcp_pair();
    let (mut read_half, _write_half) = client.split();
    drop(server);
    let end = read_half.read(&mut [0; 9]).unwrap_err();
    assert!(
        matches!(
            end.kind(),
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset
        ),
        "{end}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any data, written in any pieces and read in any others, over a pipe of any portions.
    #[test]
    fn what_is_written_is_read(
        pieces in prop::collection::vec((any::<u8>(), 0..70_000usize), 0..6),
        portion in prop_oneof![1..9usize, Just(4096), Just(usize::MAX)],
        room in 1..40_000usize,
    ) {
        let (mut client, mut server) = connected(portion);
        let sent: Vec<u8> = pieces.iter().flat_map(|(byte, length)| vec![*byte; *length]).collect();
        for (byte, length) in &pieces {
            client.write_all(&vec![*byte; *length]).unwrap();
        }
        client.close().unwrap();
        let (mut received, mut room) = (vec![], vec![0; room]);
        loop {
            let count = server.read(&mut room).unwrap();
            if count == 0 {
                break;
            }
            received.extend_from_slice(&room[..count]);
        }
        prop_assert!(received == sent);
    }
}
