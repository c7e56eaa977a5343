//! Ten thousand clients that connect and reset, from all sides and in the middle of anything.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::Instant;

use proto::FramedSocket;
use testbed::TIME_LIMIT;

use crate::server::{Server, expect_echo, expect_prompt_echoes, reset};

const STORMERS: usize = 8;
const VISITS: usize = 1250;

/// What a visitor does before the reset.
const DEEDS: [fn(&mut TcpStream); 4] = [
    |_| {},
    |client| client.write_all(b"\0\0\0\x05he").unwrap(),
    |client| client.send_text("never mind").unwrap(),
    |client| expect_echo(client, "I have seen enough"),
];

#[cfg_attr(windows, ignore = "Wine is too slow for it")]
#[test]
fn ten_thousand_resets_harm_nobody_and_leave_nothing_behind() {
    for flags in [&[][..], &["--raw"]] {
        let server = Server::start(flags);
        let mut witness = server.connect();
        expect_echo(&mut witness, "the calm before");
        let calm = (server.descriptors(), server.threads());

        thread::scope(|scope| {
            let storm: Vec<_> = (0..STORMERS)
                .map(|_| scope.spawn(|| storm(&server)))
                .collect();
            expect_prompt_echoes(&mut witness, &storm);
        });
        expect_echo(&mut server.connect(), "I have missed it");

        // Threads wait a moment for the next client before they end.
        let since = Instant::now();
        while (server.descriptors(), server.threads()) != calm {
            expect_echo(&mut witness, "the calm after");
            let now = (server.descriptors(), server.threads());
            assert!(since.elapsed() < TIME_LIMIT, "{calm:?} became {now:?}");
        }
        if cfg!(target_os = "linux") {
            let memory = server.memory().unwrap();
            assert!(memory.peak < 20 << 20, "{memory:?}");
        }
        drop(witness);
        let log = server.stop().log();
        // Elsewhere a client that is gone before it is accepted may never be seen.
        if cfg!(target_os = "linux") {
            for event in ["] client connected: ", "] client disconnected: "] {
                let lines = log.lines_with(event);
                let reported: usize = lines.iter().map(|line| clients(line, event)).sum();
                assert_eq!(reported, STORMERS * VISITS + 2, "{event}");
            }
        }
    }
}

/// How many clients a line of the log reports: 1, or as many as in `client connected: 57 more from 127.0.0.1`.
fn clients(line: &str, event: &str) -> usize {
    let (_, rest) = line.split_once(event).unwrap();
    let sum = rest.split_once(" more from ");
    sum.map_or(1, |(count, _)| count.parse().unwrap())
}

fn storm(server: &Server) {
    for visit in 0..VISITS {
        let mut client = server.connect();
        DEEDS[visit % DEEDS.len()](&mut client);
        reset(client);
    }
}
