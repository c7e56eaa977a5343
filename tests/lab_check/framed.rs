//! Echo servers with headers.

use std::io::{BufRead, Read, Write};
use std::net::TcpStream;

use lab_check::{Header, Padding, Wire};

use crate::server::{Shared, failing, read, start};

const BE4: Wire = Wire::Framed(Header::Be4);

/// Asserts that a server with one fault fails exactly the check of the test's name.
macro_rules! faults {
    ($($test:ident: $check:literal, $serve:expr;)*) => {$(
        #[test]
        fn $test() {
            let (failed, _) = failing(start($serve), BE4);
            assert_eq!(failed, [$check]);
        }
    )*};
}

/// A right server for messages of any length, but for what `reply` makes of each payload; `None` closes the connection.
fn echo(mut client: TcpStream, header: Header, mut reply: impl FnMut(&[u8]) -> Option<Vec<u8>>) {
    while let Some(payload) = receive(&mut client, header) {
        let Some(wire) = reply(&payload) else { return };
        if client.write_all(&wire).is_err() {
            return;
        }
    }
}

/// One whole payload of at most 1 MiB; nothing at the end or at any error.
fn receive(client: &mut TcpStream, header: Header) -> Option<Vec<u8>> {
    let mut head = vec![0; header.size()];
    client.read_exact(&mut head).ok()?;
    let length = header
        .decode(&head)
        .ok()
        .filter(|length| *length <= 1 << 20)?;
    let mut payload = vec![0; length];
    client.read_exact(&mut payload).ok()?;
    Some(payload)
}

fn frame(payload: &[u8]) -> Vec<u8> {
    [&Header::Be4.encode(payload.len()), payload].concat()
}

/// What our own server does: text alone, and `exit` ends the dialogue.
fn right(payload: &[u8]) -> Option<Vec<u8>> {
    (payload != b"exit" && str::from_utf8(payload).is_ok()).then(|| frame(payload))
}

#[test]
fn right_servers_pass_everything() {
    let server = start(|client, _| echo(client, Header::Be4, right));
    assert_eq!(failing(server, BE4), (vec![], vec![]));
}

#[test]
fn right_servers_with_other_headers_pass() {
    let ascii = |digits, padding| Header::Ascii { digits, padding };
    for header in [
        Header::Be2,
        Header::Le4,
        ascii(4, Padding::BlanksRight),
        ascii(10, Padding::ZerosLeft),
    ] {
        let server = start(move |client, _| {
            echo(client, header, |payload| {
                right(payload)?;
                Some([&header.encode(payload.len()), payload].concat())
            });
        });
        let (failed, noted) = failing(server, Wire::Framed(header));
        assert_eq!(failed, [""; 0], "{header}");
        // Two bytes and four digits cannot announce more than such a server takes, so it waits for the rest.
        let is_short = header.longest_payload() < 1 << 20;
        assert_eq!(
            noted,
            if is_short { vec!["giant"] } else { vec![] },
            "{header}"
        );
    }
}

#[test]
fn the_padding_of_a_server_that_takes_only_one_is_found() {
    let header = Header::Ascii {
        digits: 10,
        padding: Padding::ZerosLeft,
    };
    let server = start(move |mut client, _| {
        let mut head = [0; 10];
        while client.read_exact(&mut head).is_ok() && head.iter().all(u8::is_ascii_digit) {
            let Ok(length) = header.decode(&head) else {
                return;
            };
            let mut payload = vec![0; length.min(1 << 20)];
            let whole = client.read_exact(&mut payload);
            if whole.is_err() || right(&payload).is_none() {
                return;
            }
            let _ = client.write_all(&[&header.encode(length), &payload[..]].concat());
        }
    });
    let blanks_first = Header::Ascii {
        digits: 10,
        padding: Padding::BlanksRight,
    };
    assert_eq!(failing(server, Wire::Framed(blanks_first)).0, [""; 0]);
}

#[test]
fn what_is_only_noted_fails_nothing() {
    let server = start(|mut client, _| {
        // It believes every header, and does not look at the text.
        let mut head = [0; 4];
        while client.read_exact(&mut head).is_ok() {
            let mut payload = vec![];
            let length = u32::from_be_bytes(head);
            let got = (&client)
                .take(length.into())
                .read_to_end(&mut payload)
                .unwrap_or(0);
            if got < length as usize || payload == b"exit" {
                return;
            }
            let _ = client.write_all(&frame(&payload));
        }
    });
    assert_eq!(failing(server, BE4), (vec![], vec!["giant", "not-utf8"]));
}

faults! {
    a_header_that_counts_characters: "cyrillic", |client, _| echo(client, Header::Be4, |payload| {
        right(payload)?;
        let characters = str::from_utf8(payload).ok()?.chars().count();
        Some([&Header::Be4.encode(characters), payload].concat())
    });
    a_header_that_is_read_once: "header-pieces", |mut client, _| loop {
        let mut head = [0; 4];
        if read(&mut client, &mut head) < 4 {
            return;
        }
        let mut payload = vec![0; (u32::from_be_bytes(head) as usize).min(1 << 21)];
        if payload.len() > 1 << 20 || client.read_exact(&mut payload).is_err() {
            return;
        }
        let Some(reply) = right(&payload) else { return };
        let _ = client.write_all(&reply);
    };
    a_payload_that_is_read_once: "payload-pieces", |mut client, _| loop {
        let mut head = [0; 4];
        if client.read_exact(&mut head).is_err() {
            return;
        }
        let length = u32::from_be_bytes(head) as usize;
        let mut payload = vec![0; length.min(1 << 20)];
        if length > 1 << 20 || (length > 0 && read(&mut client, &mut payload) < length) {
            return;
        }
        let Some(reply) = right(&payload) else { return };
        let _ = client.write_all(&reply);
    };
    a_server_that_drops_what_came_behind: "frames-together", |client, _| {
        let mut client = std::io::BufReader::with_capacity(2 << 20, client);
        loop {
            let mut head = [0; 4];
            if client.read_exact(&mut head).is_err() {
                return;
            }
            let length = u32::from_be_bytes(head) as usize;
            let mut payload = vec![0; length.min(1 << 20)];
            if length > 1 << 20 || client.read_exact(&mut payload).is_err() {
                return;
            }
            // A bulk transfer is answered; only short messages that came together are lost.
            if length < 100 {
                let waiting = client.buffer().len();
                client.consume(waiting);
            }
            let Some(reply) = right(&payload) else { return };
            let _ = client.get_mut().write_all(&reply);
        }
    };
    a_server_that_takes_an_empty_message_for_the_end: "empty", |client, _| {
        echo(client, Header::Be4, |payload| right(payload).filter(|_| !payload.is_empty()));
    };
    a_server_with_a_low_limit: "one-mib", |client, _| {
        echo(client, Header::Be4, |payload| right(payload).filter(|_| payload.len() < 100_000));
    };
    a_server_that_knows_no_exit: "exit", |client, _| {
        echo(client, Header::Be4, |payload| str::from_utf8(payload).ok().map(|_| frame(payload)));
    };
    a_server_that_looks_for_exit_anywhere: "exit-inside", |client, _| echo(client, Header::Be4, |payload| {
        right(payload).filter(|_| !payload.windows(4).any(|word| word == b"exit"))
    });
    a_server_that_dies_inside_a_header: "cut-header", |mut client, shared: &Shared| loop {
        let mut head = [0; 4];
        let got = (&client).take(4).read(&mut head).unwrap_or(0);
        if got == 0 {
            return;
        }
        if client.read_exact(&mut head[got..]).is_err() {
            return shared.crash();
        }
        let mut payload = vec![0; (u32::from_be_bytes(head) as usize).min(1 << 21)];
        if payload.len() > 1 << 20 || client.read_exact(&mut payload).is_err() {
            return;
        }
        let Some(reply) = right(&payload) else { return };
        let _ = client.write_all(&reply);
    };
    a_server_that_echoes_half_a_message: "cut-payload", |mut client, _| {
        let mut head = [0; 4];
        while client.read_exact(&mut head).is_ok() {
            let length = u32::from_be_bytes(head);
            if length > 1 << 20 {
                return;
            }
            let mut payload = vec![];
            let _ = (&client).take(length.into()).read_to_end(&mut payload);
            let Some(reply) = right(&payload) else { return };
            let _ = client.write_all(&reply);
        }
    };
    a_server_that_dies_of_a_promise: "giant", |client, shared: &Shared| {
        let shared = shared.clone();
        let mut client = client;
        let mut head = [0; 4];
        while client.read_exact(&mut head).is_ok() {
            let length = u32::from_be_bytes(head) as usize;
            if length > 1 << 20 {
                return shared.crash();
            }
            let mut payload = vec![0; length];
            let whole = client.read_exact(&mut payload);
            let Some(reply) = whole.ok().and_then(|()| right(&payload)) else { return };
            let _ = client.write_all(&reply);
        }
    };
    a_server_that_dies_of_bytes_that_are_no_text: "not-utf8", |client, shared: &Shared| {
        let shared = shared.clone();
        echo(client, Header::Be4, move |payload| {
            if str::from_utf8(payload).is_err() {
                shared.crash();
            }
            right(payload)
        });
    };
    a_server_that_adds_a_line_end: "text", |client, _| {
        echo(client, Header::Be4, |payload| right(&[payload, b"\n"].concat()));
    };
}
