//! Any datagram, before each step of a handshake, at both ends: it draws nothing longer than itself, and the handshake
//! goes on. Only a datagram with the handshake's own nonce can end it, as anyone on the path could.

use std::net::SocketAddr;
use std::time::Instant;

use chat_link::{
    Acceptor, AcceptorSettings, Connector, ConnectorEvent, Handled, Join, MAX_DATAGRAM_BYTES, Path,
    SessionId, StaticKey,
};

/// The nonce of the handshake, which `random` of the connector gives.
const NONCE: &[u8] = b"p75P9KbmdpXRXuclAI8YgQ";

pub fn check(bytes: &[u8]) {
    let now = Instant::now();
    let mut acceptor = Acceptor::new(
        AcceptorSettings {
            identity: StaticKey::from_private([1; 32]),
            cookie_key: [2; 32],
            allow_plaintext: true,
        },
        now,
    );
    let join = Join {
        nick: "Anna".into(),
        history: 0,
        plaintext: false,
    };
    let mut connector = Connector::new(&StaticKey::from_private([3; 32]), join, [4; 48], now);
    let (client, server, stranger) = (path(4_000), path(9_390), path(6_666));
    let is_told_apart = !bytes.windows(NONCE.len()).any(|window| window == NONCE);
    let mut datagram = Vec::new();
    loop {
        for from in [client, stranger] {
            match acceptor.handle(bytes, from, now, [6; 32]) {
                Handled::Reply(reply) => {
                    assert!(bytes.starts_with(b"{") && reply.len() <= MAX_DATAGRAM_BYTES);
                    assert!(reply.len() <= bytes.len() || !is_told_apart, "{reply:?}");
                }
                Handled::Join(_) => assert!(!is_told_apart),
                Handled::Ignored => {}
            }
        }
        if let Some(reset) = acceptor.reset(bytes, now) {
            assert!(reset.len() < bytes.len());
        }
        connector.handle(bytes, server, now);
        match connector.poll_event() {
            Some(ConnectorEvent::ServerKey(_)) => connector.trust_server(now),
            Some(ConnectorEvent::Joined { nick, .. }) => return assert_eq!(nick, "Anna"),
            Some(ConnectorEvent::Refused(_)) => return assert!(!is_told_apart),
            Some(ConnectorEvent::Heard) => {}
            None if !connector.poll_transmit(now, &mut datagram) => return assert!(!is_told_apart),
            None => {
                let reply = match acceptor.handle(&datagram, client, now, [5; 32]) {
                    Handled::Reply(reply) => reply,
                    Handled::Join(request) => {
                        let session = SessionId::from_bytes([7; 16]);
                        acceptor.accept(*request, "Anna", session, [8; 32], now).0
                    }
                    Handled::Ignored => return assert!(!is_told_apart),
                };
                connector.handle(&reply, server, now);
            }
        }
    }
}

fn path(port: u16) -> Path {
    Path::to(SocketAddr::from(([192, 0, 2, 1], port)))
}
