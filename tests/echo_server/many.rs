//! Hundreds of clients, at once and in storms.

use std::io::Write;
use std::net::Shutdown;
use std::thread;

use proto::FramedSocket;

use crate::server::{Server, expect_echo, expect_reply, reset, rest};

const CLIENTS: usize = 300;

#[test]
fn hundreds_are_served_at_once_and_leave_nothing_behind() {
    cli::raise_descriptor_limit().unwrap();
    let server = Server::start(&[]);
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| server.connect()).collect();
    for round in 0..3 {
        let text = |number| format!("client {number}, message {round}");
        for (number, client) in clients.iter_mut().enumerate() {
            client.send_text(&text(number)).unwrap();
        }
        for (number, client) in clients.iter_mut().enumerate().rev() {
            expect_reply(client, &text(number));
        }
    }
    server.log().wait_for(&format!(", {CLIENTS} connected now"));
    for client in &mut clients {
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(rest(client), b"");
    }
    server.log().wait_for_nth(CLIENTS, "client disconnected");
    let finished = server.stop();
    let bytes = finished.log().wait_for("server stopped");
    assert!(
        bytes.contains(&format!("served {CLIENTS} clients")),
        "{bytes}"
    );
}

#[test]
fn storms_of_resets_are_survived() {
    let server = Server::start(&[]);
    let mut witness = server.connect();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for visit in 0..100 {
                    let mut client = server.connect();
                    match visit % 3 {
                        0 => {}
                        1 => client.send_text("never mind").unwrap(),
                        _ => client.write_all(b"\0\0\0\x05he").unwrap(),
                    }
                    reset(client);
                }
            });
        }
        for number in 0..100 {
            expect_echo(&mut witness, &number.to_string());
        }
    });
    expect_echo(&mut server.connect(), "calm again");
    expect_echo(&mut witness, "and I am still here");
    drop(witness);
    server.stop();
}
