//! Much at once: hundreds of clients, and a long stream from one.

use std::io::{BufWriter, Write};
use std::net::Shutdown;
use std::thread;

use proto::{FramedSocket, FramedStream, MAX_ECHO_BYTES, header};

use crate::server::{Server, expect_reply, rest};

const CLIENTS: usize = 300;

#[cfg_attr(windows, ignore = "Wine is too slow for it")]
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

#[cfg_attr(windows, ignore = "Wine is too slow for it")]
#[test]
fn a_long_stream_passes_through_little_memory() {
    const MESSAGES: usize = 200_000;
    let server = Server::start(&[]);
    let client = server.connect();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut sender = BufWriter::with_capacity(1 << 16, &client);
            for number in 0..MESSAGES {
                let text = number.to_string();
                sender.write_all(&header(text.len()).unwrap()).unwrap();
                sender.write_all(text.as_bytes()).unwrap();
            }
            sender.flush().unwrap();
        });
        let mut receiver = FramedStream::new(&client);
        for number in 0..MESSAGES {
            let text = receiver.recv_text(MAX_ECHO_BYTES).unwrap();
            assert_eq!(text.unwrap(), number.to_string());
        }
    });
    if cfg!(target_os = "linux") {
        let memory = server.memory().unwrap();
        assert!(memory.peak < 20 << 20, "{memory:?}");
    }
    drop(client);
    let log = server.stop().log();
    let totals = log.wait_for("client disconnected");
    assert!(
        totals.contains(&format!("in {MESSAGES} messages, sent ")),
        "{totals}"
    );
}
