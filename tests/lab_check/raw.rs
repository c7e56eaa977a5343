//! Echo servers without headers.

use std::io::{ErrorKind, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use lab_check::Wire;

use crate::server::{Shared, failing, read, start, start_sequential};

/// Asserts that a server with one fault fails exactly the check of the test's name.
macro_rules! faults {
    ($($test:ident: $check:literal, $serve:expr;)*) => {$(
        #[test]
        fn $test() {
            let (failed, _) = failing(start($serve), Wire::Raw);
            assert_eq!(failed, [$check]);
        }
    )*};
}

/// A right server, but for what `change` makes of each portion; `None` closes the connection.
fn echo(mut client: TcpStream, mut change: impl FnMut(&[u8]) -> Option<Vec<u8>>) {
    let mut buffer = [0; 1024];
    loop {
        let count = read(&mut client, &mut buffer);
        let Some(reply) = (count > 0).then(|| change(&buffer[..count])).flatten() else {
            return;
        };
        if client.write_all(&reply).is_err() {
            return;
        }
    }
}

/// A right server that counts the bytes before a portion, for `change` to look at.
fn echo_counting(client: TcpStream, mut change: impl FnMut(usize, &[u8]) -> Option<Vec<u8>>) {
    let mut before = 0;
    echo(client, |bytes| {
        let reply = change(before, bytes);
        before += bytes.len();
        reply
    });
}

#[test]
fn right_servers_pass_everything_but_urgent_data() {
    let portions = start(|client, _| echo(client, |bytes| Some(bytes.to_vec())));
    assert_eq!(failing(portions, Wire::Raw), (vec![], vec!["urgent"]));
}

#[test]
fn a_server_for_one_client_at_a_time() {
    let server = start_sequential(|client, _| echo(client, |bytes| Some(bytes.to_vec())));
    assert_eq!(failing(server, Wire::Raw).0, ["two-clients"]);
}

#[test]
fn a_server_that_serves_one_client_only() {
    let server = start_sequential(|client, shared| {
        echo(client, |bytes| Some(bytes.to_vec()));
        shared.crash();
    });
    assert_eq!(failing(server, Wire::Raw).0, ["reconnect"]);
}

#[test]
fn a_server_that_accepts_the_next_client_after_the_first_word() {
    let gate = Arc::new(Mutex::new(()));
    let server = start_sequential(move |client, _| {
        let gate = Arc::clone(&gate);
        client.peek(&mut [0]).unwrap_or_default();
        thread::spawn(move || {
            drop(gate);
            echo(client, |bytes| Some(bytes.to_vec()));
        });
    });
    assert_eq!(failing(server, Wire::Raw).0, ["silent-client"]);
}

faults! {
    a_server_that_shouts: "text", |client, _| echo(client, |bytes| Some(bytes.to_ascii_uppercase()));
    a_server_that_greets: "text", |mut client, _| {
        let _ = client.write_all(b"Welcome!\n");
        echo(client, |bytes| Some(bytes.to_vec()));
    };
    a_server_that_waits_for_a_line_end: "no-newline", |client, _| {
        let mut line = vec![];
        echo(client, move |bytes| {
            line.extend_from_slice(bytes);
            Some(if line.ends_with(b"\n") { std::mem::take(&mut line) } else { vec![] })
        });
    };
    a_server_that_reads_once: "turns", |mut client, _| {
        let mut buffer = [0; 1024];
        let count = read(&mut client, &mut buffer);
        let _ = client.write_all(&buffer[..count]);
    };
    a_server_that_strips: "white-space", |client, _| {
        echo(client, |bytes| Some(if bytes.starts_with(b" ") { bytes.trim_ascii().to_vec() } else { bytes.to_vec() }));
    };
    a_server_for_ascii: "cyrillic", |client, _| {
        echo(client, |bytes| Some(bytes.iter().map(|byte| if byte.is_ascii() { *byte } else { b'?' }).collect()));
    };
    a_server_that_decodes_each_portion: "cyrillic-split", |client, _| {
        echo(client, |bytes| str::from_utf8(bytes).ok().map(|text| text.as_bytes().to_vec()));
    };
    a_server_for_the_basic_plane: "emoji", |client, _| echo(client, |bytes| Some(match str::from_utf8(bytes) {
        Ok(text) => text.chars().map(|c| if c > '\u{ffff}' { '?' } else { c }).collect::<String>().into_bytes(),
        Err(_) => bytes.to_vec(),
    }));
    a_server_that_takes_nul_for_the_end: "nul", |client, _| {
        echo(client, |bytes| bytes.split(|byte| *byte == 0).next().map(<[u8]>::to_vec));
    };
    a_server_whose_buffer_is_a_byte_short: "portion", |client, _| {
        echo(client, |bytes| Some(bytes[..bytes.len().min(1023)].to_vec()));
    };
    a_server_that_drops_what_is_over_a_portion: "longer", |mut client, _| {
        let mut buffer = [0; 1024];
        loop {
            let count = read(&mut client, &mut buffer);
            if count == 0 || client.write_all(&buffer[..count]).is_err() {
                return;
            }
            if count == buffer.len() {
                drain(&mut client);
            }
        }
    };
    a_server_with_a_limit_of_32_kb_a_client: "long", |client, _| {
        echo_counting(client, |before, bytes| (before < 32_000).then(|| bytes.to_vec()));
    };
    a_server_with_a_limit_of_a_megabyte_a_client: "bulk", |client, _| {
        echo_counting(client, |before, bytes| (before < 1_000_000).then(|| bytes.to_vec()));
    };
    a_server_for_text_alone: "all-bytes", |client, _| {
        let mut carry = vec![];
        echo(client, move |bytes| {
            carry.extend_from_slice(bytes);
            let valid = match str::from_utf8(&carry) {
                Ok(text) => text.len(),
                Err(error) if error.error_len().is_none() => error.valid_up_to(),
                Err(_) => return None,
            };
            let rest = carry.split_off(valid);
            Some(std::mem::replace(&mut carry, rest))
        });
    };
    a_server_that_forgets_what_it_owes_at_the_end: "half-close", |mut client, _| {
        let (send, portions) = mpsc::channel::<Vec<u8>>();
        let mut out = client.try_clone().unwrap();
        let writer = thread::spawn(move || {
            for portion in portions {
                thread::sleep(Duration::from_millis(2));
                if out.write_all(&portion).is_err() {
                    return;
                }
            }
        });
        let mut buffer = vec![0; 65_536];
        loop {
            let count = read(&mut client, &mut buffer);
            if count == 0 || send.send(buffer[..count].to_vec()).is_err() {
                break;
            }
        }
        let _ = client.shutdown(Shutdown::Both);
        drop(send);
        let _ = writer.join();
    };
    a_server_that_dies_of_a_silent_visit: "silent-visit", |mut client, shared| {
        let mut first = [0];
        match client.peek(&mut first) {
            Ok(0) => shared.crash(),
            _ => echo(client.try_clone().unwrap(), |bytes| Some(bytes.to_vec())),
        }
        let _ = client.flush();
    };
    a_server_that_dies_of_a_reset: "reset", |mut client, shared| loop {
        let mut buffer = [0; 1024];
        let result = std::io::Read::read(&mut client, &mut buffer).and_then(|count| {
            client.write_all(&buffer[..count])?;
            Ok(count)
        });
        match result {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                // Windows reports a reset as aborted where a write meets it.
                if matches!(
                    error.kind(),
                    ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe
                ) {
                    shared.crash();
                }
                return;
            }
        }
    };
    a_server_that_runs_out_after_120_visits: "visits", |client, shared| {
        if shared.visits.fetch_add(1, Ordering::SeqCst) < 120 {
            echo(client, |bytes| Some(bytes.to_vec()));
        }
    };
    a_server_with_one_buffer_for_all: "own-data", {
        let buffer = Mutex::new(vec![]);
        move |client, _| {
            echo(client, |bytes| {
                *buffer.lock().unwrap() = bytes.to_vec();
                thread::sleep(Duration::from_millis(1));
                Some(buffer.lock().unwrap().clone())
            });
        }
    };
    a_server_for_ten_clients: "fifty-clients", |client, shared| {
        if shared.visits.fetch_add(1, Ordering::SeqCst) < 10 {
            echo(client, |bytes| Some(bytes.to_vec()));
        }
        shared.visits.fetch_sub(1, Ordering::SeqCst);
    };
    a_server_that_any_client_can_stop: "exit", |client, shared: &Shared| {
        let shared = shared.clone();
        echo(client, move |bytes| {
            if bytes.trim_ascii() == b"exit" {
                shared.crash();
                return None;
            }
            Some(bytes.to_vec())
        });
    };
}

/// Throws away what has arrived.
fn drain(client: &mut TcpStream) {
    let _ = client.set_read_timeout(Some(Duration::from_millis(50)));
    while read(client, &mut [0; 65_536]) > 0 {}
    let _ = client.set_read_timeout(None);
}
