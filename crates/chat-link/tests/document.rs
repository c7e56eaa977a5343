//! CHAT.md's examples are what this implementation does. `CHAT_MD=print cargo test -p chat-link --test document --
//! --nocapture` prints the blocks as they should be.

mod sim;

use std::time::Duration;

use chat_link::message::{Message, Notice, Request};
use chat_link::{
    Acceptor, AcceptorSettings, Connector, ConnectorEvent, Handled, Join, Link, Path, SessionId,
    StaticKey,
};
use chat_link::{Class, CloseReason, Event};
use sim::{CLIENT, NetProfile, SERVER, Sim, address, ms, seconds, server_address};

const DOCUMENT: &str = include_str!("../CHAT.md");

/// The lines of the block of this kind.
fn block(kind: &str) -> Vec<&'static str> {
    let begin = format!("```{kind}");
    let mut lines = DOCUMENT
        .lines()
        .skip_while(|line| *line != begin)
        .skip(1)
        .peekable();
    assert!(lines.peek().is_some(), "CHAT.md has no block {kind:?}");
    lines.take_while(|line| *line != "```").collect()
}

fn check(kind: &str, lines: &[String]) {
    if std::env::var_os("CHAT_MD").is_some() {
        println!("```{kind}\n{}\n```", lines.join("\n"));
    } else {
        assert_eq!(block(kind), lines, "{kind}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes in lines of 56.
fn hex_lines(bytes: &[u8]) -> Vec<String> {
    bytes.chunks(56).map(hex).collect()
}

/// The handshake of the document: fixed keys, and every datagram of it.
fn handshake() -> (Vec<String>, Link, Link) {
    let now = std::time::Instant::now();
    let identity = StaticKey::from_private([1; 32]);
    let mut acceptor = Acceptor::new(
        AcceptorSettings {
            identity,
            cookie_key: [2; 32],
            allow_plaintext: false,
        },
        now,
    );
    let join = Join {
        nick: "Anna".into(),
        history: 50,
        plaintext: false,
    };
    let mut connector = Connector::new(&StaticKey::from_private([3; 32]), join, [4; 48], now);
    let mut lines = Vec::new();
    let mut server = None;
    let mut datagram = Vec::new();
    loop {
        while connector.poll_transmit(now, &mut datagram) {
            lines.push(format!("C: {}", shortened(&datagram)));
            let reply = match acceptor.handle(&datagram, Path::to(address(4_000)), now, [5; 32]) {
                Handled::Reply(reply) => reply,
                Handled::Join(request) => {
                    let (reply, link) = acceptor.accept(
                        *request,
                        "Anna",
                        SessionId::from_bytes([6; 16]),
                        [7; 32],
                        now,
                    );
                    server = Some(link);
                    reply
                }
                Handled::Ignored => panic!("ignored"),
            };
            lines.push(format!("S: {}", shortened(&reply)));
            connector.handle(&reply, Path::to(server_address()), now);
        }
        match connector.poll_event() {
            Some(ConnectorEvent::ServerKey(_)) => connector.trust_server(now),
            Some(ConnectorEvent::Joined { link, .. }) => return (lines, *link, server.unwrap()),
            Some(ConnectorEvent::Heard) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// The padding of a hello is all that is cut.
fn shortened(datagram: &[u8]) -> String {
    let text = String::from_utf8(datagram.to_vec()).unwrap();
    match text.split_once("\"pad\":\"") {
        Some((before, _)) => format!("{before}\"pad\":\"00…\"}}"),
        None => text,
    }
}

#[test]
fn the_handshake_has_these_bytes() {
    check("json handshake", &handshake().0);
}

#[test]
fn the_first_packets_have_these_bytes() {
    let (_, mut client, mut server) = handshake();
    let now = std::time::Instant::now();
    let say = Message::encode(&Request::Say { text: "hi".into() }).unwrap();
    client.send(&say, Class::Live, now).unwrap();
    let mut datagram = Vec::new();
    client.poll_transmit(now, &mut datagram).unwrap();
    check("hex client", &hex_lines(&datagram));
    assert!(server.handle(&datagram, Path::to(address(4_000)), now, &mut || true));
    assert_eq!(
        server.poll_event(),
        Some(Event::Message(say.as_bytes().to_vec()))
    );
    let confirmed = Message::encode(&Notice::Confirmed {
        request: 1,
        id: 1_790_000_000_000_000,
        at: 1_790_000_000_000,
    });
    server.send(&confirmed.unwrap(), Class::Live, now).unwrap();
    server.poll_transmit(now, &mut datagram).unwrap();
    check("hex server", &hex_lines(&datagram));
}

/// Runs a scenario and gives what both ends sent and received, with the time since its beginning in milliseconds.
fn trace(
    seed: u64,
    scenario: impl FnOnce(&mut Sim, &mut dyn FnMut(&mut Sim, Duration)),
) -> Vec<String> {
    let mut sim = Sim::new(
        seed,
        1,
        false,
        [NetProfile {
            delay: ms(20),
            ..NetProfile::default()
        }; 2],
    );
    sim.pairs[0]
        .iter_mut()
        .for_each(|side| side.link.set_tracing(true));
    let start = sim.now;
    let mut lines = Vec::new();
    let mut run = |sim: &mut Sim, time: Duration| {
        let until = sim.now + time;
        loop {
            let more = sim.step(until);
            let at = (sim.now - start).as_millis();
            for (side, name) in [(CLIENT, "client"), (SERVER, "server")] {
                while let Some(text) = sim.pairs[0][side].link.poll_trace() {
                    lines.push(format!("{at:>6}  {name} {text}"));
                }
                for (_, event) in sim.pairs[0][side].events.drain(..) {
                    match event {
                        Event::Moved { .. } => {
                            lines.push(format!("{at:>6}  {name}: the session has moved"))
                        }
                        Event::Ended(end) => {
                            lines.push(format!("{at:>6}  {name}: the session is over: {end:?}"))
                        }
                        Event::Message(_) | Event::Acknowledged(_) => {}
                    }
                }
            }
            if !more {
                return;
            }
        }
    };
    scenario(&mut sim, &mut run);
    lines
}

fn say(sim: &mut Sim, text: &str) {
    let message = Message::encode(&Request::Say { text: text.into() }).unwrap();
    sim.pairs[0][CLIENT]
        .link
        .send(&message, Class::Live, sim.now)
        .unwrap();
}

#[test]
fn a_lost_packet_is_probed_for() {
    let lines = trace(1, |sim, run| {
        let mut count = 0;
        sim.filter = Some(Box::new(move |_, side, _| {
            count += usize::from(side == CLIENT);
            side == CLIENT && count == 1
        }));
        say(sim, "hi");
        run(sim, ms(300));
    });
    check("trace time-out", &lines);
}

#[test]
fn a_client_comes_back_from_a_silence() {
    let lines = trace(1, |sim, run| {
        sim.filter = Some(Box::new(|_, _, _| true));
        say(sim, "hi");
        run(sim, ms(1_500));
        sim.filter = None;
        run(sim, ms(800));
    });
    check("trace return", &lines);
}

#[test]
fn an_unanswered_close_ends_after_three() {
    let lines = trace(1, |sim, run| {
        sim.filter = Some(Box::new(|_, _, _| true));
        sim.pairs[0][CLIENT].link.close(CloseReason::Quit, sim.now);
        run(sim, seconds(2));
    });
    check("trace unanswered-close", &lines);
}

#[test]
fn a_moved_address_is_validated() {
    let lines = trace(1, |sim, run| {
        say(sim, "here");
        run(sim, ms(200));
        sim.pairs[0][CLIENT].address = address(5_000);
        say(sim, "there");
        run(sim, ms(200));
    });
    check("trace moved-address", &lines);
}

#[test]
fn the_client_in_python_is_the_one_in_the_tests() {
    let source = include_str!("../../../tests/interop/minimal.py");
    assert_eq!(
        block("python minimal.py"),
        source.lines().collect::<Vec<_>>()
    );
}
