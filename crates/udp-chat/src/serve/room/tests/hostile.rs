//! What hostile and broken clients do to others, and to the server's memory.

use std::net::SocketAddr;
use std::time::Duration;

use chat_link::message::{MAX_TEXT_BYTES, Message, Request};
use chat_link::{Class, CloseReason, End, Path, SessionId};

use super::super::notices::MAX_QUEUED_BYTES;
use super::super::{Command, Direction, RoomEvent};
use super::sim::{SimServer, address, closed, seconds};

#[test]
fn garbage_and_unknown_sessions_get_no_more_bytes_than_they_sent() {
    let mut server = SimServer::new();
    server.join("Anna", 2);
    let mut unknown = vec![1];
    unknown.extend_from_slice(&[9; 59]);
    assert!(SessionId::of_datagram(&unknown).is_some());
    let mut datagram = Vec::new();
    let mut drawn = 0;
    for bytes in [
        &b""[..],
        b"{",
        b"{\"type\":\"hello\"}",
        &[0xff; 1_200],
        &unknown,
    ] {
        server
            .room
            .handle(bytes, Path::to(address(9, 9)), server.now);
        while let Some(path) = server.room.poll_transmit(server.now, &mut datagram) {
            assert_eq!(path, Path::to(address(9, 9)));
            assert!(datagram.len() < bytes.len());
            drawn += 1;
        }
    }
    assert_eq!(drawn, 1, "the unknown session is reset");
}

#[test]
fn copies_of_a_members_datagrams_from_elsewhere_draw_at_most_three_times_their_bytes() {
    let mut server = SimServer::new();
    let (anna, boris) = (server.join("Anna", 2), server.join("Boris", 3));
    server.run(seconds(1));
    let forged = Path::to(address(66, 66));
    let message = Message::encode(&Request::Say { text: "hi".into() }).unwrap();
    server.clients[anna]
        .link
        .send(&message, Class::Live, server.now)
        .unwrap();
    let mut copied = Vec::new();
    server.clients[anna]
        .link
        .poll_transmit(server.now, &mut copied)
        .unwrap();
    let mut drawn = 0;
    let mut datagram = Vec::new();
    for second in 0..60 {
        server.now += seconds(1);
        server.room.handle(&copied, forged, server.now);
        server.say(boris, &format!("text {second}"));
        server.room.handle_timeout(server.now);
        while let Some(path) = server.room.poll_transmit(server.now, &mut datagram) {
            drawn += if path == forged { datagram.len() } else { 0 };
        }
    }
    assert!(
        drawn <= 3 * copied.len(),
        "{drawn} bytes for copies of {}",
        copied.len()
    );
}

#[test]
fn a_member_that_acknowledges_nothing_is_removed_however_much_it_pings() {
    let mut server = SimServer::new();
    let (anna, eve) = (server.join("Anna", 2), server.join("Eve", 3));
    server.clients[eve].is_deaf = true;
    server.say(anna, "hi");
    for _ in 0..59 {
        server.run(seconds(1));
        server.request(eve, &Request::Who);
    }
    assert_eq!(server.room.members(), 2);
    server.run(seconds(5));
    assert_eq!(server.room.members(), 1);
}

#[test]
fn too_many_messages_slow_their_network_down_and_remove_nobody() {
    let mut server = SimServer::new();
    let eves = [server.join("Eve", 3), server.join("Evelyn", 3)];
    let anna = server.join("Anna", 2);
    server.notices(anna);
    let began = server.now;
    for number in 0..400 {
        for eve in eves {
            server.say(eve, &format!("spam {number}"));
        }
    }
    server.run(seconds(5));
    let texts = server.texts(anna).len();
    let most = 100 + (server.now - began).as_secs() as usize * 40;
    assert!(
        (100..=most + 2).contains(&texts),
        "{texts} of at most {most}"
    );
    assert!(eves.iter().all(|&eve| server.clients[eve].end.is_none()));
    server.run(seconds(30));
    assert_eq!(texts + server.texts(anna).len(), 800, "nothing is lost");
}

#[test]
fn the_log_gets_few_lines_about_much_traffic_and_its_bytes_add_up() {
    let mut server = SimServer::new();
    let (anna, boris) = (server.join("Anna", 2), server.join("Boris", 3));
    for _ in 0..10 {
        for number in 0..40 {
            server.say(anna, &format!("text {number}"));
            server.run(seconds(1) / 40);
        }
    }
    server.clients[boris]
        .link
        .close(CloseReason::Quit, server.now);
    server.run(seconds(1));
    let (mut lines, mut bytes, mut has_left) = (0, 0, false);
    for event in &server.events {
        match event {
            RoomEvent::Traffic {
                direction: Direction::Sent,
                nick,
                bytes: more,
                ..
            } if nick == "Boris" => {
                assert!(!has_left, "a sum comes before the member has left");
                (lines, bytes) = (lines + 1, bytes + more);
            }
            RoomEvent::Left { nick, .. } => has_left |= nick == "Boris",
            _ => {}
        }
    }
    assert!(has_left && lines <= 14 * 51, "{lines} lines");
    // The first packets come before the simulated client counts them, and the answer to the close after it has left.
    let received = server.clients[boris].received_bytes as u64;
    assert!(bytes.abs_diff(received) < 400, "{bytes} of {received}");
}

#[test]
fn a_member_that_moves_all_the_time_does_not_flood_the_log() {
    let mut server = SimServer::new();
    let eve = server.join("Eve", 3);
    for round in 0..1_000 {
        server.clients[eve].address = address(3, 5_000 + round % 2);
        server.request(eve, &Request::Who);
        server.run(Duration::from_millis(2));
    }
    let moves = server
        .events
        .iter()
        .filter(|event| matches!(event, RoomEvent::Moved { .. }))
        .count();
    assert!((1..=4).contains(&moves), "{moves} lines in 2 s");
}

#[test]
fn clients_on_loopback_do_not_flood_the_log() {
    let mut server = SimServer::new();
    let mut join = |number: u8| {
        let address = SocketAddr::from(([127, 0, 0, 1], 5_000 + u16::from(number)));
        server.try_join(&format!("Eve{number}"), 10 + number, address, false)
    };
    let eves = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(|number| join(number).unwrap());
    for round in 0..100 {
        for eve in eves {
            let nick = format!("Eve{eve}-{}", round % 2);
            server.request(eve, &Request::Nick { nick });
        }
    }
    server.run(seconds(5));
    let (mut lines, mut summed) = (0, 0);
    for event in &server.events {
        match event {
            RoomEvent::Renamed { .. } => lines += 1,
            RoomEvent::Summed { sum, .. } => summed += sum.renamed,
            _ => {}
        }
    }
    assert!(lines <= 500 + 5 * 100, "{lines} lines");
    assert!(summed > 0);
    assert_eq!(lines + summed, 1_000, "each is in a line or in a sum");
}

#[test]
fn queues_are_bounded_and_the_largest_loses_its_member() {
    let mut server = SimServer::new();
    // A queue takes 4,096 messages; those of 20 members with the longest texts are over 256 MiB.
    for number in 0..20 {
        let member = server.join(&format!("Deaf{number}"), 10 + number);
        server.clients[member].is_deaf = true;
    }
    let text = "x".repeat(MAX_TEXT_BYTES);
    let mut datagram = Vec::new();
    for _ in 0..3_500 {
        server.command(Command::Say(text.clone())).unwrap();
        while server
            .room
            .poll_transmit(server.now, &mut datagram)
            .is_some()
        {}
    }
    let queued: usize = server
        .room
        .members
        .values()
        .map(|member| member.link.queued_bytes())
        .sum();
    assert!(queued <= MAX_QUEUED_BYTES, "{queued}");
    assert!(
        (10..20).contains(&server.room.members()),
        "{} are left",
        server.room.members()
    );
}

#[test]
fn a_restarted_server_resets_the_sessions_of_the_one_before() {
    let mut server = SimServer::new();
    let anna = server.join("Anna", 2);
    let mut restarted = SimServer::new();
    std::mem::swap(&mut server.room, &mut restarted.room);
    server.say(anna, "hello?");
    server.run(seconds(1));
    assert_eq!(server.clients[anna].end, Some(End::Reset));
}

#[test]
fn a_message_over_the_limit_ends_only_its_session() {
    let mut server = SimServer::new();
    let (anna, eve) = (server.join("Anna", 2), server.join("Eve", 3));
    server.clients[eve]
        .link
        .close(CloseReason::Other, server.now);
    server.run(seconds(1));
    assert_ne!(server.clients[eve].end, closed(CloseReason::Kicked));
    assert_eq!((server.clients[anna].end, server.room.members()), (None, 1));
}
