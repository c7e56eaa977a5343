//! A thousand clients whose bytes come one at a time.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use crate::server::{Server, expect_prompt_echoes, frame};

const CLIENTS: usize = 1000;
const THREADS: usize = 4;

#[cfg_attr(windows, ignore = "Wine is too slow for it")]
#[test]
fn a_thousand_slow_clients_get_what_they_sent_and_hold_up_nobody() {
    cli::raise_descriptor_limit().unwrap();
    for flags in [&[][..], &["--raw"]] {
        let server = Server::start(flags);
        let mut witness = server.connect();
        let mut clients: Vec<_> = (0..CLIENTS)
            .map(|number| (server.connect(), frame(&format!("медленно {number:03}"))))
            .collect();
        thread::scope(|scope| {
            let trickles: Vec<_> = clients
                .chunks_mut(CLIENTS / THREADS)
                .map(|clients| scope.spawn(|| trickle(clients)))
                .collect();
            expect_prompt_echoes(&mut witness, &trickles);
        });
        if cfg!(target_os = "linux") {
            let memory = server.memory().unwrap();
            assert!(memory.peak < 40 << 20, "{memory:?}");
        }
        drop(clients);
        server.stop();
    }
}

/// Sends a byte of one client after the other until each has sent its frame, all of one length, and gets all of them
/// back.
fn trickle(clients: &mut [(TcpStream, Vec<u8>)]) {
    let length = clients[0].1.len();
    for at in 0..length {
        for (client, frame) in &mut *clients {
            client.write_all(&frame[at..=at]).unwrap();
        }
    }
    for (client, frame) in clients {
        let mut echo = vec![0; frame.len()];
        client.read_exact(&mut echo).unwrap();
        assert_eq!(echo, *frame);
    }
}
