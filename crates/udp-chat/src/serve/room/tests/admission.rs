//! Who is let in, and whose a nick is.

use chat_link::message::Notice;
use chat_link::{CloseReason, RefusalCode};

use super::sim::{SimServer, address, closed, seconds};
use crate::serve::RoomEvent;

#[test]
fn a_nick_belongs_to_a_key() {
    let mut server = SimServer::new();
    let anna = server.join("Anna", 2);
    assert_eq!(
        server.try_join("anna", 3, address(3, 1), false),
        Err(RefusalCode::NickTaken)
    );
    assert_eq!(
        server.try_join("Anna", 2, address(2, 1), false),
        Err(RefusalCode::NickTaken),
        "it is not silent"
    );
    server.join("Anna-phone", 2);
    server.clients[anna]
        .link
        .close(CloseReason::Quit, server.now);
    server.run(seconds(1));
    assert_eq!(
        server.try_join("Anna", 3, address(3, 2), false),
        Err(RefusalCode::NickTaken),
        "it is kept"
    );
    server.join("Anna", 2);
}

#[test]
fn the_same_key_takes_over_a_session_that_was_silent_for_15_seconds() {
    let mut server = SimServer::new();
    let (anna, boris) = (server.join("Anna", 2), server.join("Boris", 3));
    server.clients[anna].is_mute = true;
    server.run(seconds(14));
    assert_eq!(
        server.try_join("Anna", 2, address(2, 1), false),
        Err(RefusalCode::NickTaken)
    );
    server.run(seconds(2));
    assert_eq!(
        server.try_join("Anna", 4, address(4, 1), false),
        Err(RefusalCode::NickTaken),
        "another key"
    );
    let again = server
        .try_join("Anna", 2, address(2, 2), false)
        .expect("it takes over");
    server.run(seconds(2));
    assert_eq!(server.clients[anna].end, closed(CloseReason::TakenOver));
    server.say(again, "back");
    server.run(seconds(1));
    assert_eq!(server.texts(boris), ["Anna: back"]);
}

#[test]
fn an_unheard_session_does_not_block_its_own_clients_next_join() {
    let mut server = SimServer::new();
    let boris = server.join("Boris", 3);
    // The third message is repeated for 5 s, at most once a second; then another handshake begins.
    server.lost_answers = 30;
    let mut joined = Err(RefusalCode::Other);
    while server.lost_answers > 0 {
        joined = server.try_join("Anna", 2, address(2, 1), false);
    }
    let anna = joined.expect("its own unheard session gives way");
    assert_eq!(server.room.members(), 2);
    server.say(anna, "here");
    server.run(seconds(1));
    assert_eq!(server.texts(boris), ["Anna: here"]);
    // Once its session was heard, another one is refused again.
    let again = server.try_join("Anna", 2, address(2, 2), false);
    assert_eq!(again, Err(RefusalCode::NickTaken));
}

#[test]
fn bad_nicks_and_plaintext_are_refused_and_a_full_room_takes_nobody() {
    let mut server = SimServer::with(2, false);
    assert_eq!(
        server.try_join("two words", 2, address(2, 1), false),
        Err(RefusalCode::BadNick)
    );
    assert_eq!(
        server.try_join("server", 2, address(2, 2), false),
        Err(RefusalCode::BadNick)
    );
    assert_eq!(
        server.try_join("Anna", 2, address(2, 3), true),
        Err(RefusalCode::PlaintextRefused)
    );
    let anna = server.join("Anna", 2);
    server.join("Boris", 3);
    assert_eq!(
        server.try_join("Clara", 4, address(4, 1), false),
        Err(RefusalCode::Full)
    );
    server.clients[anna]
        .link
        .close(CloseReason::Quit, server.now);
    server.run(seconds(1));
    server.join("Clara", 4);
}

#[test]
fn everybody_sees_that_a_member_is_not_encrypted() {
    let mut server = SimServer::with(10, true);
    let anna = server.join("Anna", 2);
    let boris = server
        .try_join("Boris", 3, address(3, 1), true)
        .expect("plaintext is allowed");
    let joined = server
        .notices(anna)
        .into_iter()
        .find_map(|notice| match notice {
            Notice::Joined(member) => Some((member.nick, member.plaintext)),
            _ => None,
        });
    assert_eq!(joined, Some(("Boris".to_owned(), true)));
    server.say(boris, "hi");
    server.run(seconds(1));
    assert_eq!(server.texts(anna), ["Boris: hi"]);
}

#[test]
fn a_stopping_room_lets_nobody_in() {
    let mut server = SimServer::new();
    server.room.stop(server.now);
    assert_eq!(
        server.try_join("Anna", 2, address(2, 1), false),
        Err(RefusalCode::Stopping)
    );
    let refused = |event: &RoomEvent| {
        matches!(
            event,
            RoomEvent::Refused {
                code: RefusalCode::Stopping,
                ..
            }
        )
    };
    server.run(seconds(0));
    assert!(server.events.iter().any(refused));
}
