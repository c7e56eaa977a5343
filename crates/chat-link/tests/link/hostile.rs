//! What forged, repeated and wrong datagrams do: nothing.

use chat_link::{Acceptor, AcceptorSettings, CloseReason, End, Event, Path, SessionId, StaticKey};
use proptest::prelude::*;

use super::sim::{CLIENT, NetProfile, SERVER, Sim, address, links, ms, seconds};
use super::{arrived, numbered, send};

#[test]
fn a_copied_datagram_from_elsewhere_draws_nothing() {
    let clean = NetProfile {
        delay: ms(10),
        ..NetProfile::default()
    };
    let mut sim = Sim::new(1, 1, false, [clean; 2]);
    let mut copied = Vec::new();
    sim.pairs[0][CLIENT]
        .link
        .send(&numbered(1), chat_link::Class::Live, sim.now)
        .unwrap();
    assert!(
        sim.pairs[0][CLIENT]
            .link
            .poll_transmit(sim.now, &mut copied)
            .is_some()
    );
    let server = &mut sim.pairs[0][SERVER].link;
    assert!(server.handle(&copied, Path::to(address(4_000)), sim.now, &mut || true));
    // Later, from a forged source, for a minute.
    for _ in 0..60 {
        sim.run(seconds(1));
        let server = &mut sim.pairs[0][SERVER].link;
        assert!(!server.handle(&copied, Path::to(address(6_666)), sim.now, &mut || true));
        assert_eq!(server.path(), Path::to(address(4_000)));
    }
}

#[test]
fn the_first_copy_of_a_datagram_draws_at_most_three_times_its_bytes() {
    let [mut client, mut server] = links(1, false, std::time::Instant::now());
    let now = std::time::Instant::now();
    let mut datagram = Vec::new();
    client
        .send(&numbered(1), chat_link::Class::Live, now)
        .unwrap();
    client.poll_transmit(now, &mut datagram).unwrap();
    let (forged, length) = (Path::to(address(6_666)), datagram.len());
    assert!(server.handle(&datagram, forged, now, &mut || true));
    for number in 0..100 {
        server
            .send(&numbered(number), chat_link::Class::Live, now)
            .unwrap();
    }
    let mut there = 0;
    for second in 0..60 {
        let now = now + seconds(second);
        server.handle_timeout(now);
        while let Some(path) = server.poll_transmit(now, &mut datagram) {
            there += if path == forged { datagram.len() } else { 0 };
        }
    }
    assert!(
        there <= 3 * length,
        "{there} bytes to a forged source of {length}"
    );
}

#[test]
fn only_the_right_token_resets_a_session() {
    let now = std::time::Instant::now();
    let [mut client, mut server] = links(1, false, now);
    let mut datagram = Vec::new();
    client
        .send(&numbered(1), chat_link::Class::Live, now)
        .unwrap();
    client.poll_transmit(now, &mut datagram).unwrap();
    let acceptor = |identity| {
        let identity = StaticKey::from_private([identity; 32]);
        Acceptor::new(
            AcceptorSettings {
                identity,
                cookie_key: [7; 32],
                allow_plaintext: false,
            },
            now,
        )
    };
    let path = Path::to(address(9_390));
    let forged = acceptor(2).reset(&datagram, now).unwrap();
    assert!(!client.handle(&forged, path, now, &mut || true));
    let reset = acceptor(1).reset(&datagram, now).unwrap();
    assert!(
        !server.handle(&reset, path, now, &mut || true),
        "a client cannot reset a server"
    );
    assert!(client.handle(&reset, path, now, &mut || true));
    assert_eq!(client.poll_event(), Some(Event::Ended(End::Reset)));
    assert_eq!(client.deadline(), None);
    assert_eq!(SessionId::of_datagram(&reset), None);
}

#[test]
fn the_end_of_a_session_is_final() {
    let mut sim = Sim::new(
        1,
        1,
        false,
        [NetProfile {
            delay: ms(10),
            ..NetProfile::default()
        }; 2],
    );
    sim.pairs[0][SERVER]
        .link
        .close(CloseReason::Kicked, sim.now);
    send(&mut sim, CLIENT, 0..5);
    sim.run(seconds(5));
    let ends: Vec<_> = sim.pairs[0]
        .iter()
        .map(|side| side.end().map(|(_, end)| end))
        .collect();
    assert_eq!(
        ends,
        [
            Some(End::PeerClosed(CloseReason::Kicked)),
            Some(End::Closed)
        ]
    );
    assert!(arrived(&sim, SERVER).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_changed_datagram_changes_nothing(at in 0..60_usize, bit in 0..8_u32, length in 0..70_usize) {
        let now = std::time::Instant::now();
        let [mut client, mut server] = links(1, false, now);
        let mut datagram = Vec::new();
        client.send(&numbered(12_345), chat_link::Class::Live, now).unwrap();
        client.poll_transmit(now, &mut datagram).unwrap();
        let at = at % datagram.len();
        let mut changed = datagram.clone();
        changed[at] ^= 1 << bit;
        let path = Path::to(address(4_001));
        prop_assert!(!server.handle(&changed, path, now, &mut || true));
        prop_assert!(!server.handle(&datagram[..length.min(datagram.len() - 1)], path, now, &mut || true));
        prop_assert!(server.poll_event().is_none());
        prop_assert!(server.handle(&datagram, path, now, &mut || true));
    }

    #[test]
    fn a_malformed_body_changes_nothing(body in prop::collection::vec(any::<u8>(), 0..100)) {
        let now = std::time::Instant::now();
        let [client, mut server] = links(1, true, now);
        let mut datagram = vec![2];
        datagram.extend_from_slice(client.session().as_bytes());
        datagram.extend_from_slice(&1_u64.to_be_bytes());
        datagram.extend_from_slice(&body);
        server.handle(&datagram, Path::to(address(4_001)), now, &mut || true);
        while server.poll_event().is_some() {}
        while server.poll_transmit(now, &mut datagram).is_some() {}
        server.handle_timeout(now + seconds(1));
    }
}
