//! Any bytes as a datagram of a sealed session, which they leave alone, and as the bodies of plaintext packets, after
//! which the session is over, or takes and delivers messages as before. Nothing that arrives makes an end busy.

#[path = "../sim/mod.rs"]
mod sim;

use std::time::{Duration, Instant};

use chat_link::message::Message;
use chat_link::{Class, Event, Link, Path};

use sim::{address, links, server_address};

/// How many datagrams one that arrived may draw at once.
const MAX_DRAWN: usize = 4;

pub fn check(bytes: &[u8]) {
    let now = Instant::now();
    let ends = links(1, false, now);
    let mut sealed = ends;
    for end in &mut sealed {
        assert!(!end.handle(bytes, Path::to(address(6_666)), now, &mut || true));
        assert_eq!(end.poll_event(), None);
        assert_eq!(drain(end, now), 0);
    }
    deliver(&mut sealed, now);

    let mut open = links(1, true, now);
    let mut number = 0;
    for body in bytes.split(|&byte| byte == b'\n').take(8) {
        number += 1;
        for (index, from) in [server_address(), address(4_001)].into_iter().enumerate() {
            let packet = packet(&open[index], number, body);
            let end = &mut open[index];
            end.handle(&packet, Path::to(from), now, &mut || true);
            while end.poll_event().is_some() {}
            let drawn = drain(end, now);
            assert!(drawn <= MAX_DRAWN, "{drawn} datagrams");
            end.handle_timeout(now);
            let deadline = end.deadline();
            assert!(
                deadline.is_none_or(|at| at > now),
                "it wakes at once, for ever"
            );
        }
    }
}

/// A packet of the peer's, which a plaintext session cannot tell from a true one.
fn packet(end: &Link, number: u64, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![2];
    packet.extend_from_slice(end.session().as_bytes());
    packet.extend_from_slice(&number.to_be_bytes());
    packet.extend_from_slice(body);
    packet
}

fn drain(end: &mut Link, now: Instant) -> usize {
    let mut datagram = Vec::new();
    std::iter::from_fn(|| end.poll_transmit(now, &mut datagram)).count()
}

/// A message still arrives.
fn deliver([client, server]: &mut [Link; 2], now: Instant) {
    let message = Message::encode(&"still here").unwrap();
    client.send(&message, Class::Live, now).unwrap();
    let mut datagram = Vec::new();
    client.poll_transmit(now, &mut datagram).unwrap();
    let later = now + Duration::from_millis(20);
    assert!(server.handle(&datagram, Path::to(address(4_001)), later, &mut || true));
    let expected = Event::Message(message.as_bytes().to_vec());
    assert_eq!(server.poll_event(), Some(expected));
}
