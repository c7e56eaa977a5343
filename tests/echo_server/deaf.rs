//! Clients that read nothing while they are owed megabytes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use testbed::{TIME_LIMIT, in_parallel};

use crate::server::{Server, expect_prompt_echoes, frame};

const DEAF: usize = 3;
const MESSAGE_BYTES: usize = 1 << 16;
const MESSAGES: usize = 384;

/// A connection that takes nothing for as long as this is full.
const STUCK: Duration = Duration::from_millis(500);

#[cfg_attr(windows, ignore = "Wine is too slow for it")]
#[test]
fn a_client_that_reads_nothing_costs_others_nothing_and_gets_every_byte_once_it_reads() {
    for flags in [&[][..], &["--raw", "--portion", "65536"]] {
        let server = Server::start(flags);
        let mut witness = server.connect();
        let mut deaf: Vec<_> = (0..DEAF)
            .map(|number| Deaf::new(server.connect(), number))
            .collect();
        thread::scope(|scope| {
            let filling: Vec<_> = deaf
                .iter_mut()
                .map(|deaf| scope.spawn(|| deaf.fill()))
                .collect();
            expect_prompt_echoes(&mut witness, &filling);
        });
        // Now nothing moves, and nothing is done for it.
        let before = server.processor_time();
        in_parallel(&mut deaf, Deaf::fill);
        if cfg!(target_os = "linux") {
            let used = server.processor_time().unwrap() - before.unwrap();
            assert!(used < STUCK / 5, "{used:?}");
            let memory = server.memory().unwrap();
            assert!(memory.peak < 20 << 20, "{memory:?}");
        }
        assert!(deaf.iter().all(Deaf::is_stuck));

        thread::scope(|scope| {
            let hearing: Vec<_> = deaf
                .iter_mut()
                .map(|deaf| scope.spawn(|| deaf.hear()))
                .collect();
            expect_prompt_echoes(&mut witness, &hearing);
        });
        drop(deaf);
        server.stop();
    }
}

struct Deaf {
    client: TcpStream,
    wire: Vec<u8>,
    sent: usize,
}

impl Deaf {
    fn new(client: TcpStream, number: usize) -> Self {
        let padding = "x".repeat(MESSAGE_BYTES);
        let message = |at| frame(&format!("{number} {at} {padding}"));
        let wire = (0..MESSAGES).map(message).collect::<Vec<_>>().concat();
        Self {
            client,
            wire,
            sent: 0,
        }
    }

    /// Sends until nothing more is taken, since the server is stuck in writing.
    fn fill(&mut self) {
        self.client.set_write_timeout(Some(STUCK)).unwrap();
        while let rest = &self.wire[self.sent..]
            && !rest.is_empty()
            && let Ok(count) = self.client.write(rest)
        {
            self.sent += count;
        }
    }

    /// Whether it is owed megabytes and cannot send the rest.
    fn is_stuck(&self) -> bool {
        (1 << 20..self.wire.len()).contains(&self.sent)
    }

    /// Sends the rest, and gets all of it.
    fn hear(&mut self) {
        let Self { client, wire, sent } = self;
        client.set_write_timeout(Some(TIME_LIMIT)).unwrap();
        let (mut reader, mut writer) = (&*client, &*client);
        thread::scope(|scope| {
            scope.spawn(|| writer.write_all(&wire[*sent..]).unwrap());
            let mut echo = vec![0; wire.len()];
            reader.read_exact(&mut echo).unwrap();
            assert!(echo == *wire, "not what was sent");
        });
    }
}
