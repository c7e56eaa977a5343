//! What members say, and what others get of it.

use std::time::Duration;

use chat_link::message::{ErrorCode, Kind, MAX_TEXT_BYTES, Notice, Request};
use chat_link::{CloseReason, End};

use super::super::Command;
use super::sim::{SimServer, closed, key, seconds};

#[test]
fn a_text_reaches_all_others_once_and_is_confirmed_to_its_author() {
    let mut server = SimServer::new();
    let (anna, boris, clara) = (
        server.join("Anna", 2),
        server.join("Boris", 3),
        server.join("Clara", 4),
    );
    server.notices(anna);
    server.say(anna, "hi");
    server.run(seconds(1));
    for other in [boris, clara] {
        assert_eq!(server.texts(other), ["Anna: hi"]);
    }
    let notices = server.notices(anna);
    let [Notice::Confirmed { request: 1, id, .. }] = notices[..] else {
        panic!("{notices:?}")
    };
    server.request(
        anna,
        &Request::Me {
            text: "waves".into(),
        },
    );
    server.run(seconds(1));
    let Some(Notice::Confirmed {
        request: 2,
        id: next,
        ..
    }) = server.notices(anna).pop()
    else {
        panic!()
    };
    assert_eq!(next, id + 1);
    let Some(Notice::Said {
        kind: Kind::Me,
        key: author,
        ..
    }) = server.notices(boris).pop()
    else {
        panic!()
    };
    assert_eq!(author, key(2).public().key_id());
}

#[test]
fn the_longest_text_arrives_as_one_and_a_longer_one_does_not() {
    let mut server = SimServer::new();
    let (anna, boris) = (server.join("Anna", 2), server.join("Boris", 3));
    let longest = "\0x".repeat(MAX_TEXT_BYTES / 2);
    server.notices(anna);
    server.say(anna, &longest);
    server.say(anna, &format!("{longest}x"));
    server.say(anna, " \u{a0}\n");
    server.run(seconds(2));
    assert_eq!(server.texts(boris), [format!("Anna: {longest}")]);
    let errors = server
        .notices(anna)
        .into_iter()
        .filter_map(|notice| match notice {
            Notice::Error { request, code, .. } => Some((request, code)),
            _ => None,
        });
    assert!(errors.eq([(Some(2), ErrorCode::TooLong), (Some(3), ErrorCode::Empty)]));
}

#[test]
fn a_private_text_goes_to_the_person_that_the_author_means() {
    let mut server = SimServer::new();
    let (anna, boris) = (server.join("Anna", 2), server.join("Boris", 3));
    let private = |to: u8| Request::Private {
        to: "boris".into(),
        key: Some(key(to).public().key_id()),
        text: "psst".into(),
    };
    server.notices(anna);
    server.request(anna, &private(3));
    server.request(anna, &private(4));
    server.request(
        anna,
        &Request::Private {
            to: "Nobody".into(),
            key: None,
            text: "psst".into(),
        },
    );
    server.run(seconds(1));
    assert_eq!(server.texts(boris), ["Anna: psst"]);
    let codes = server
        .notices(anna)
        .into_iter()
        .filter_map(|notice| match notice {
            Notice::Error { code, .. } => Some(code),
            _ => None,
        });
    assert!(codes.eq([ErrorCode::OtherPerson, ErrorCode::NoSuchNick]));
}

#[test]
fn the_latest_texts_are_sent_to_who_joins_and_live_ones_do_not_wait_for_them() {
    let mut server = SimServer::new();
    let anna = server.join("Anna", 2);
    for number in 0..60 {
        server.say(anna, &format!("text {number}"));
        server.run(seconds(1));
    }
    let boris = server.join("Boris", 3);
    server.run(seconds(2));
    let notices = server.notices(boris);
    assert!(
        matches!(&notices[0], Notice::Members { members, more: false } if members.len() == 2),
        "{notices:?}"
    );
    assert_eq!(notices.last(), Some(&Notice::CaughtUp));
    let ids: Vec<_> = notices
        .iter()
        .filter_map(|notice| match notice {
            Notice::Said {
                id, history: true, ..
            } => Some(*id),
            _ => None,
        })
        .collect();
    assert_eq!(ids.len(), 50);
    assert!(ids.is_sorted());
}

#[test]
fn history_over_a_slow_line_delays_no_live_text_by_more_than_3_seconds() {
    let mut server = SimServer::new();
    let anna = server.join("Anna", 2);
    for number in 0..50 {
        server.say(anna, &format!("{number:04}").repeat(1_000));
        server.run(seconds(1));
    }
    server.handshake_delay = Duration::from_millis(200);
    let boris = server.join_over("Boris", 3, 2_500);
    let mut history = 0;
    for number in 0..30 {
        server.say(anna, &format!("live {number}"));
        server.run(seconds(3));
        let texts = server.texts(boris);
        let live = format!("Anna: live {number}");
        assert!(texts.contains(&live), "{live} takes more than 3 s");
        history += texts.iter().filter(|text| text.starts_with('|')).count();
    }
    assert!(
        (30..=50).contains(&history),
        "{history} of 50 texts of the history in 90 s, which the line could bring in 80 s"
    );
}

#[test]
fn an_operator_speaks_kicks_and_bans() {
    let mut server = SimServer::new();
    let (anna, eve) = (server.join("Anna", 2), server.join("Eve", 3));
    server.command(Command::Say("tea at five".into())).unwrap();
    server.run(seconds(1));
    assert_eq!(server.texts(anna), ["server: tea at five"]);
    let who = server.command(Command::Who).unwrap();
    assert!(
        who.contains("Anna: 192.0.2.2") && who.lines().count() == 2,
        "{who}"
    );
    server.command(Command::Kick("eve".into())).unwrap();
    server.run(seconds(1));
    assert_eq!(server.clients[eve].end, closed(CloseReason::Kicked));
    let again = server.join("Eve", 3);
    server.command(Command::Ban("Eve".into(), Some(5))).unwrap();
    server.run(seconds(1));
    assert_eq!(server.clients[again].end, closed(CloseReason::Banned));
    assert!(server.command(Command::Bans).unwrap().contains("Eve"));
    assert!(server.command(Command::Kick("Eve".into())).is_err());
    server.command(Command::Unban("Eve".into())).unwrap();
    server.join("Eve", 3);
}

#[test]
fn a_stopping_room_closes_all_sessions() {
    let mut server = SimServer::new();
    let (anna, boris) = (server.join("Anna", 2), server.join("Boris", 3));
    server.clients[boris].is_deaf = true;
    server.say(anna, "last words");
    server.run(seconds(1) / 100);
    server.room.stop(server.now);
    server.run(seconds(5));
    assert!(server.room.is_over(server.now));
    assert_eq!(
        server.clients[anna].end,
        Some(End::PeerClosed(CloseReason::Stopping))
    );
}
