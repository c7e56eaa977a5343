//! What members say and hear.

use proto::chat::{Kind, MAX_TEXT_BYTES, Notice, Request, Trouble};

use super::super::RoomEvent;
use super::town::{SETTINGS, Town, is_said};
use super::{CALM, STORM, seconds};

#[test]
fn in_a_storm_everybody_hears_everything_once_and_in_order() {
    const NICKS: [&str; 6] = ["Anna", "Борис", "Chloé", "大輔", "Eve", "😀"];
    for seed in 0..30 {
        let mut town = Town::new(seed, STORM, SETTINGS);
        town.enter_all(&NICKS);
        for number in 0..20 {
            for (index, nick) in NICKS.iter().enumerate() {
                let long = "ж".repeat(if number == 7 { 2_000 } else { 0 });
                town.say(index, &format!("{nick} {number} {long}"));
            }
            town.run(seconds(1));
        }
        town.run(seconds(30));
        for (index, guest) in town.guests.iter().enumerate() {
            for (other, nick) in NICKS.iter().enumerate() {
                let texts = guest.texts_from(nick);
                let expected = if index == other { 0 } else { 20 };
                assert_eq!(texts.len(), expected, "seed {seed}: from {nick}");
                for (number, text) in texts.iter().enumerate() {
                    let start = format!("{nick} {number} ");
                    assert!(text.starts_with(&start), "seed {seed}: {text}");
                }
            }
            assert_eq!(guest.heard.len(), 100, "seed {seed}");
            // All hear the authors in one order.
            let ids: Vec<_> = guest
                .heard
                .iter()
                .map(|notice| match notice {
                    Notice::Said { id, .. } => *id,
                    other => panic!("seed {seed}: {other:?}"),
                })
                .collect();
            assert!(ids.is_sorted(), "seed {seed}");
        }
        assert_eq!(town.room.totals().texts, 120);
    }
}

#[test]
fn each_request_has_its_notices() {
    let mut town = Town::new(1, CALM, SETTINGS);
    town.enter_all(&["Anna", "Boris", "Eve"]);
    let (text, more) = ("waves".to_owned(), false);
    town.ask(0, &Request::Me { text, more });
    let (to, text) = ("BORIS".to_owned(), "psst".to_owned());
    town.ask(0, &Request::Private { to, text, more });
    town.run(seconds(1));
    let [anna, boris, eve] = &town.guests[..] else {
        unreachable!()
    };
    assert!(anna.heard.is_empty());
    assert!(is_said(&boris.heard[0], "Anna", Kind::Me, "waves"));
    assert!(is_said(&boris.heard[1], "Anna", Kind::Private, "psst"));
    assert_eq!((boris.heard.len(), eve.heard.len()), (2, 1));
    let told: Vec<_> = town.events.iter().map(ToString::to_string).collect();
    assert!(told.contains(&"Anna: \"waves\"".to_owned()), "{told:?}");
    assert!(
        told.contains(&"Anna to Boris: \"psst\"".to_owned()),
        "{told:?}"
    );

    town.ask(
        2,
        &Request::Nick {
            nick: "Ева".into()
        },
    );
    town.ask(0, &Request::Who);
    town.run(seconds(1));
    let renamed = Notice::Renamed {
        old: "Eve".into(),
        new: "Ева".into(),
    };
    assert!(
        town.guests
            .iter()
            .all(|guest| guest.heard.contains(&renamed))
    );
    let nicks = ["Anna", "Boris", "Ева"].map(str::to_owned).to_vec();
    let members = Notice::Members { nicks, more: false };
    assert_eq!(town.guests[0].heard.last(), Some(&members));
    let (old, new) = ("Eve".to_owned(), "Ева".to_owned());
    assert!(town.events.contains(&RoomEvent::Renamed { old, new }));
}

#[test]
fn what_cannot_be_granted_is_explained() {
    let mut town = Town::new(1, CALM, SETTINGS);
    town.enter_all(&["Anna", "Boris"]);
    let trouble = |town: &mut Town, request: &Request| {
        town.ask(0, request);
        town.run(seconds(1));
        match town.guests[0].heard.pop() {
            Some(Notice::Error { code, message }) => (code, message),
            other => panic!("{request:?} got {other:?}"),
        }
    };
    let nick = |nick: &str| Request::Nick { nick: nick.into() };
    for wanted in ["BORIS", "Воris"] {
        let (code, message) = trouble(&mut town, &nick(wanted));
        assert_eq!(code, Trouble::NickTaken, "{message}");
    }
    let (code, message) = trouble(&mut town, &nick("\u{1b}[2J"));
    assert_eq!(code, Trouble::BadNick);
    assert!(message.contains("U+001B"), "{message}");
    for (to, says) in [
        ("Вера", "nobody here is called Вера"),
        ("\n", "nobody can be called that"),
    ] {
        let (to, text, more) = (to.to_owned(), String::new(), false);
        let (code, message) = trouble(&mut town, &Request::Private { to, text, more });
        assert_eq!((code, message.as_str()), (Trouble::NoSuchNick, says));
    }
    assert!(town.guests[1].heard.is_empty());
}

#[test]
fn texts_in_pieces_are_whole_or_an_error() {
    let mut town = Town::new(1, CALM, SETTINGS);
    town.enter_all(&["Anna", "Boris"]);
    let longest = "\0".repeat(MAX_TEXT_BYTES);
    town.say(0, &longest);
    town.say(0, &(longest.clone() + "!"));
    let piece = |text: &str| Request::Say {
        text: text.into(),
        more: true,
    };
    town.ask(0, &piece("this breaks off "));
    town.ask(0, &Request::Who);
    town.say(0, "and goes on");
    town.run(seconds(5));
    let codes = town.guests[0]
        .heard
        .iter()
        .filter_map(|notice| match notice {
            Notice::Error { code, .. } => Some(*code),
            _ => None,
        });
    let bad = Trouble::BadMessage;
    assert_eq!(codes.collect::<Vec<_>>(), [Trouble::TooLong, bad]);
    assert_eq!(
        town.guests[1].texts_from("Anna"),
        [longest.as_str(), "and goes on"]
    );
}

#[test]
fn who_joins_hears_the_last_fifty_and_knows_what_is_new() {
    let mut town = Town::new(1, STORM, SETTINGS);
    town.enter_all(&["Anna", "Boris"]);
    for number in 0..60 {
        town.say(0, &number.to_string());
        town.run(seconds(1));
    }
    let (to, text, more) = ("Boris".into(), "a secret".into(), false);
    town.ask(0, &Request::Private { to, text, more });
    town.run(seconds(20));
    let late = town.enter("Clara");
    town.run(seconds(20));
    let heard = &town.guests[late].heard;
    assert_eq!(heard.len(), 50);
    let mut newest = 0;
    for (notice, number) in heard.iter().zip(10..) {
        let Notice::Said {
            id,
            text,
            history: true,
            ..
        } = notice
        else {
            panic!("{notice:?}");
        };
        assert_eq!(*text, number.to_string());
        assert!(*id > newest);
        newest = *id;
    }

    town.restart();
    town.enter_all(&["Dora", "Emil"]);
    town.say(4, "after the restart");
    town.run(seconds(20));
    let said = town.guests[3].heard.last();
    assert!(
        matches!(said, Some(Notice::Said { id, .. }) if *id > newest),
        "{said:?}"
    );
}
