//! Handshakes between both halves, with losses, repetitions and forgeries.

mod sim;

use std::time::Instant;

use chat_link::{
    Acceptor, AcceptorSettings, Connector, ConnectorEvent, Handled, Join, Link, Path, RefusalCode,
    SessionId, StaticKey,
};
use sim::{address, ms, seconds, server_address};
use testbed::Random;

fn acceptor(plaintext: bool, now: Instant) -> Acceptor {
    let identity = StaticKey::from_private([1; 32]);
    Acceptor::new(
        AcceptorSettings {
            identity,
            cookie_key: [2; 32],
            allow_plaintext: plaintext,
        },
        now,
    )
}

fn connector(plaintext: bool, now: Instant) -> Connector {
    let join = Join {
        nick: "Anna".into(),
        history: 50,
        plaintext,
    };
    Connector::new(&StaticKey::from_private([3; 32]), join, [4; 48], now)
}

/// What came of an attempt.
#[derive(Debug)]
enum Outcome {
    Joined(Box<Link>, Box<Link>),
    Refused(RefusalCode),
    Nothing,
}

/// Lets both halves speak for up to 30 seconds. `drop` decides whether a datagram is lost, by its direction.
fn attempt(
    acceptor: &mut Acceptor,
    connector: &mut Connector,
    mut now: Instant,
    refuse: bool,
    mut drop: impl FnMut(&'static str, &[u8]) -> bool,
) -> Outcome {
    let (here, there) = (Path::to(address(4_000)), Path::to(server_address()));
    let mut server = None;
    let mut datagram = Vec::new();
    let until = now + seconds(30);
    while now < until {
        while connector.poll_transmit(now, &mut datagram) {
            if drop("up", &datagram) {
                continue;
            }
            let reply = match acceptor.handle(&datagram, here, now, [5; 32]) {
                Handled::Reply(reply) => reply,
                Handled::Join(request) if refuse => {
                    acceptor.refuse(&request, RefusalCode::NickTaken, "the nick is taken", now)
                }
                Handled::Join(request) => {
                    assert_eq!(request.key, StaticKey::from_private([3; 32]).public());
                    assert_eq!(
                        (request.join.nick.as_str(), request.join.history),
                        ("Anna", 50)
                    );
                    let session = SessionId::from_bytes([6; 16]);
                    let (reply, link) = acceptor.accept(*request, "Anna", session, [7; 32], now);
                    assert!(server.replace(Box::new(link)).is_none(), "decided twice");
                    reply
                }
                Handled::Ignored => continue,
            };
            assert!(reply.len() <= datagram.len().max(1_200));
            if !drop("down", &reply) {
                connector.handle(&reply, there, now);
            }
        }
        match connector.poll_event() {
            Some(ConnectorEvent::ServerKey(key)) => {
                assert_eq!(key, StaticKey::from_private([1; 32]).public());
                connector.trust_server(now);
            }
            Some(ConnectorEvent::Joined { link, nick }) => {
                assert_eq!(nick, "Anna");
                return Outcome::Joined(link, server.expect("the server has let it in"));
            }
            Some(ConnectorEvent::Refused(refused)) => {
                return Outcome::Refused(refused.code);
            }
            Some(ConnectorEvent::Heard) => {}
            None => {
                now = connector
                    .deadline()
                    .unwrap_or(until)
                    .min(until)
                    .max(now + ms(1))
            }
        }
    }
    Outcome::Nothing
}

#[test]
fn both_ends_have_one_session_however_much_is_lost() {
    for seed in 0..50 {
        let now = Instant::now();
        let mut random = Random::new(seed);
        let outcome = attempt(
            &mut acceptor(false, now),
            &mut connector(false, now),
            now,
            false,
            |_, _| random.chance(0.4),
        );
        let Outcome::Joined(client, server) = outcome else {
            panic!("seed {seed}: {outcome:?}")
        };
        assert_eq!(client.session(), server.session());
    }
}

#[test]
fn a_hello_is_1200_bytes_and_its_answer_is_not_longer() {
    let now = Instant::now();
    let mut hello = Vec::new();
    assert!(connector(false, now).poll_transmit(now, &mut hello));
    assert_eq!(hello.len(), 1_200);
    let Handled::Reply(cookie) =
        acceptor(false, now).handle(&hello, Path::to(address(1)), now, [0; 32])
    else {
        panic!("no cookie");
    };
    assert!(cookie.len() < 300);
    let shorter = &hello[..1_199];
    assert!(matches!(
        acceptor(false, now).handle(shorter, Path::to(address(1)), now, [0; 32]),
        Handled::Ignored
    ));
}

#[test]
fn a_refusal_is_sealed_and_reaches_the_client() {
    let now = Instant::now();
    let mut seen = Vec::new();
    let outcome = attempt(
        &mut acceptor(false, now),
        &mut connector(false, now),
        now,
        true,
        |_, datagram| {
            seen.push(datagram.to_vec());
            false
        },
    );
    assert!(
        matches!(outcome, Outcome::Refused(RefusalCode::NickTaken)),
        "{outcome:?}"
    );
    assert!(
        seen.iter()
            .all(|datagram| !String::from_utf8_lossy(datagram).contains("taken"))
    );
    assert!(
        seen.iter()
            .all(|datagram| !String::from_utf8_lossy(datagram).contains("Anna"))
    );
}

#[test]
fn plaintext_needs_both_ends() {
    let now = Instant::now();
    let outcome = attempt(
        &mut acceptor(false, now),
        &mut connector(true, now),
        now,
        false,
        |_, _| false,
    );
    assert!(
        matches!(outcome, Outcome::Refused(RefusalCode::PlaintextRefused)),
        "{outcome:?}"
    );
    let outcome = attempt(
        &mut acceptor(true, now),
        &mut connector(true, now),
        now,
        false,
        |_, _| false,
    );
    let Outcome::Joined(client, server) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(client.protection(), chat_link::Protection::Plaintext);
    assert_eq!(server.protection(), chat_link::Protection::Plaintext);
}

#[test]
fn a_stripped_feature_breaks_the_handshake() {
    let now = Instant::now();
    let mut changed = acceptor(true, now);
    // Somebody on the way changes the cookie datagram: the prologues differ, so the handshake goes no further.
    let (here, there) = (Path::to(address(4_000)), Path::to(server_address()));
    let mut client = connector(false, now);
    let mut datagram = Vec::new();
    assert!(client.poll_transmit(now, &mut datagram));
    let Handled::Reply(cookie) = changed.handle(&datagram, here, now, [5; 32]) else {
        panic!("no cookie")
    };
    let stripped = String::from_utf8(cookie)
        .unwrap()
        .replace(",\"plaintext\"", "");
    client.handle(stripped.as_bytes(), there, now);
    assert!(client.poll_transmit(now, &mut datagram));
    let Handled::Reply(second) = changed.handle(&datagram, here, now, [5; 32]) else {
        panic!("no reply")
    };
    client.handle(&second, there, now);
    let mut events = std::iter::from_fn(|| client.poll_event());
    assert!(events.all(|event| matches!(event, ConnectorEvent::Heard)));
}

#[test]
fn a_flood_from_one_network_leaves_room_for_others() {
    let now = Instant::now();
    let mut acceptor = acceptor(false, now);
    let mut begun = 0;
    let first_message = |acceptor: &mut Acceptor, host: u8, port: u16, at: Instant| {
        let path = Path::to(([192, 0, 2, host], port).into());
        let mut random = [0; 48];
        random[..2].copy_from_slice(&port.to_be_bytes());
        random[2] = host;
        let join = Join {
            nick: "x".into(),
            history: 0,
            plaintext: false,
        };
        let mut client = Connector::new(&StaticKey::from_private([3; 32]), join, random, at);
        let mut datagram = Vec::new();
        client.poll_transmit(at, &mut datagram);
        let Handled::Reply(cookie) = acceptor.handle(&datagram, path, at, [5; 32]) else {
            panic!("no cookie")
        };
        client.handle(&cookie, path, at);
        client.poll_transmit(at, &mut datagram);
        matches!(
            acceptor.handle(&datagram, path, at, [5; 32]),
            Handled::Reply(_)
        )
    };
    for port in 1..60 {
        begun += usize::from(first_message(&mut acceptor, 1, port, now));
    }
    assert_eq!(begun, 20, "a network begins 20 a second");
    assert!(first_message(&mut acceptor, 2, 1, now));
    assert!(first_message(&mut acceptor, 1, 100, now + seconds(1)));
}

#[test]
fn garbage_is_ignored() {
    let now = Instant::now();
    let mut acceptor = acceptor(false, now);
    let mut client = connector(false, now);
    for datagram in [
        &b""[..],
        b"{",
        b"[]",
        b"{\"type\":\"hello\"}",
        b"\x01short",
        &[0xff; 1_200],
    ] {
        assert!(matches!(
            acceptor.handle(datagram, Path::to(address(1)), now, [0; 32]),
            Handled::Ignored
        ));
        client.handle(datagram, Path::to(server_address()), now);
    }
    let mut random = Random::new(1);
    let mut hello = Vec::new();
    client.poll_transmit(now, &mut hello);
    for _ in 0..2_000 {
        let mut changed = hello.clone();
        for _ in 0..3 {
            let at = (random.bits() % 200) as usize;
            changed[at] = random.bits() as u8;
        }
        acceptor.handle(&changed, Path::to(address(1)), now, [0; 32]);
    }
}
