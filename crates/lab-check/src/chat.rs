//! What a chat server must do (task 15): each message arrives once and in order, whatever the network does.

mod datagrams;
mod member;
mod steps;

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use chat_link::message::{ErrorCode, Kind, MAX_TEXT_BYTES, Notice, Request};
use chat_link::{MAX_DATAGRAM_BYTES, PublicKey, RefusalCode};
use serde_json::{Value, json};

pub use member::{ChatTarget, Trust};

use crate::check::Check;
use crate::failure::Failure;
use member::{Member, Network, new_key};
use steps::{
    QUIET, answer, arrives_once, confirmed, expect_refusal, hears, member, nick, refused, say, two,
    welcome,
};

const BASIC: &[&str] = &["join", "deliver"];

/// A check that means something only once the basic ones have passed.
const AFTER_BASIC: Check<ChatTarget> = Check {
    needs: BASIC,
    ..Check::REQUIRED
};

/// The checks, in the order in which they are tried.
pub static CHECKS: &[Check<ChatTarget>] = &[
    Check {
        name: "join",
        task: 15,
        about: "a member joins: cookie, Noise handshake, welcome with the list of members",
        hint: "The handshake is in CHAT.md, with a trace. Compare your datagrams with it one by one.",
        run: |target| {
            let mut anna = member(target, "Anna")?;
            let nick = anna.nick().to_owned();
            anna.await_notice(
                "the list of members with the own nick",
                |notice| match notice {
                    Notice::Members { members, .. } => members
                        .iter()
                        .any(|member| member.nick == nick)
                        .then_some(()),
                    _ => None,
                },
            )
        },
        ..Check::REQUIRED
    },
    Check {
        name: "deliver",
        task: 15,
        about: "a text reaches the other member, and its author learns that it is confirmed",
        hint: "Relay the text to all other members, and answer the author with confirmed.",
        run: |target| {
            let (mut anna, mut boris) = two(target)?;
            say(&mut anna, "привет 🙂")?;
            confirmed(&mut anna)?;
            hears(&mut boris, &anna, "привет 🙂", Kind::Say)
        },
        needs: &["join"],
        ..Check::REQUIRED
    },
    Check {
        name: "both-ways",
        task: 15,
        about: "ten texts in turn reach the other one, in both directions",
        hint: "Each member has a link of its own. Take care that no state is shared between them.",
        run: |target| {
            let (mut anna, mut boris) = two(target)?;
            for turn in 0..10 {
                say(&mut anna, &format!("a{turn}"))?;
                hears(&mut boris, &anna, &format!("a{turn}"), Kind::Say)?;
                say(&mut boris, &format!("b{turn}"))?;
                hears(&mut anna, &boris, &format!("b{turn}"), Kind::Say)?;
            }
            Ok(())
        },
        ..AFTER_BASIC
    },
    Check {
        name: "split",
        task: 15,
        about: "a text of 4,096 bytes arrives whole, though no datagram holds it",
        hint: "The link splits a long message into parts. Put the parts together in the order of their sequence \
               numbers.",
        run: |target| {
            let (mut anna, mut boris) = two(target)?;
            let text = "я".repeat(MAX_TEXT_BYTES / 2);
            say(&mut anna, &text)?;
            hears(&mut boris, &anna, &text, Kind::Say)
        },
        ..AFTER_BASIC
    },
    Check {
        name: "too-long",
        task: 15,
        about: "a text over 4,096 bytes is refused with too_long, and no member sees it",
        hint: "Check the length of the text in bytes before it is relayed.",
        run: |target| refused(target, &"x".repeat(MAX_TEXT_BYTES + 1), ErrorCode::TooLong),
        ..AFTER_BASIC
    },
    Check {
        name: "empty",
        task: 15,
        about: "a text of nothing visible is refused with empty",
        hint: "Blanks and invisible characters alone are no text.",
        run: |target| refused(target, " \u{200b}\u{3000}", ErrorCode::Empty),
        ..AFTER_BASIC
    },
    Check {
        name: "resent",
        task: 15,
        about: "a datagram that is lost is sent again, and its text arrives once",
        hint: "Acknowledge what arrived, and only that. What is not acknowledged will be sent again.",
        run: |target| arrives_once(target, Network::Losing(2)),
        ..AFTER_BASIC
    },
    Check {
        name: "doubled",
        task: 15,
        about: "a datagram that arrives twice is taken once",
        hint: "Remember the packet numbers that arrived. A number that was there already is dropped.",
        run: |target| arrives_once(target, Network::Doubling),
        ..AFTER_BASIC
    },
    Check {
        name: "reordered",
        task: 15,
        about: "texts whose datagrams arrive in the reverse order are delivered in the right one",
        hint: "Deliver by sequence number. Hold back what comes too early until the gap is filled.",
        run: |target| {
            let (mut anna, mut boris) = two(target)?;
            anna.set_network(Network::Reversing)?;
            let texts = ["first", "second", "third", "fourth"];
            for text in texts {
                say(&mut anna, text)?;
            }
            anna.set_network(Network::Good)?;
            texts.iter().try_for_each(|text| {
                anna.notices_within(Duration::from_millis(20))?;
                hears(&mut boris, &anna, text, Kind::Say)
            })
        },
        ..AFTER_BASIC
    },
    Check {
        name: "private",
        task: 15,
        about: "a private text reaches its addressee alone",
        hint: "Look the addressee up by nick, and send to that member only.",
        run: |target| {
            let (mut anna, mut boris) = two(target)?;
            let mut carl = member(target, "Carl")?;
            let to = boris.nick().to_owned();
            anna.request(&Request::Private {
                to,
                key: None,
                text: "psst".into(),
            })?;
            confirmed(&mut anna)?;
            hears(&mut boris, &anna, "psst", Kind::Private)?;
            let seen = carl.notices_within(QUIET)?;
            match seen
                .iter()
                .any(|notice| matches!(notice, Notice::Said { text, .. } if text == "psst"))
            {
                true => Err(carl.failure("a third member sees the private text")),
                false => Ok(()),
            }
        },
        ..AFTER_BASIC
    },
    Check {
        name: "nick-taken",
        task: 15,
        about: "a nick that another member has is refused with nick_taken, whatever its case",
        hint: "Compare nicks without regard to case, and by the key of the member.",
        run: |target| {
            let anna = member(target, "Anna")?;
            expect_refusal(target, &anna.nick().to_uppercase(), RefusalCode::NickTaken)
        },
        ..AFTER_BASIC
    },
    Check {
        name: "bad-nick",
        task: 15,
        about: "nicks with blanks, control characters or reserved words are refused with bad_nick",
        hint: "A nick has letters, digits, emoji, and _ - . alone, and is not server or admin.",
        run: |target| {
            let nicks = ["two words", "a\u{1b}[2J", "", "server"];
            nicks
                .iter()
                .try_for_each(|nick| expect_refusal(target, nick, RefusalCode::BadNick))
        },
        ..AFTER_BASIC
    },
    Check {
        name: "rename",
        task: 15,
        about: "all members learn of a new nick",
        hint: "Send renamed to every member, the one that asked included.",
        run: |target| {
            let (mut anna, mut boris) = two(target)?;
            let nick = nick("Anya")?;
            anna.request(&Request::Nick { nick: nick.clone() })?;
            for member in [&mut anna, &mut boris] {
                member.await_notice("renamed", |notice| match notice {
                    Notice::Renamed { new, .. } => (*new == nick).then_some(()),
                    _ => None,
                })?;
            }
            Ok(())
        },
        ..AFTER_BASIC
    },
    Check {
        name: "leave",
        task: 15,
        about: "a member that leaves is answered, and the others learn of it",
        hint: "Answer a close with a close, and send left to the others.",
        run: |target| {
            let (anna, mut boris) = two(target)?;
            let nick = anna.nick().to_owned();
            anna.leave()?;
            boris.await_notice("left", |notice| match notice {
                Notice::Left { nick: left, .. } => (*left == nick).then_some(()),
                _ => None,
            })
        },
        ..AFTER_BASIC
    },
    Check {
        name: "moved",
        task: 15,
        about: "a member that comes back from another port goes on with its session",
        hint: "The session id names the member, not its address. Send a path challenge to the new address before \
               messages go there.",
        run: |target| {
            let (mut anna, mut boris) = two(target)?;
            anna.move_to_another_port()?;
            say(&mut anna, "I moved")?;
            confirmed(&mut anna)?;
            hears(&mut boris, &anna, "I moved", Kind::Say)?;
            say(&mut boris, "welcome back")?;
            hears(&mut anna, &boris, "welcome back", Kind::Say)
        },
        ..AFTER_BASIC
    },
    Check {
        name: "history",
        task: 15,
        about: "a member who joins later sees the last texts, marked as history",
        hint: "Keep the last texts to all, and send as many as the member asks for, oldest first.",
        run: |target| {
            let mut anna = member(target, "Anna")?;
            let text = nick("said before")?;
            say(&mut anna, &text)?;
            confirmed(&mut anna)?;
            let mut boris = welcome(target, &new_key()?, &nick("Boris")?, 10)?;
            boris.await_notice("the text as history", |notice| match notice {
                Notice::Said {
                    text: said,
                    history: true,
                    ..
                } => (*said == text).then_some(()),
                _ => None,
            })
        },
        ..AFTER_BASIC
    },
    Check {
        name: "short-hello",
        task: 15,
        about: "a hello that is not padded to 1,200 bytes gets no answer",
        hint: "An answer longer than its question lets a stranger flood a third party with forged hellos.",
        run: |target| {
            let hello = json!({
                "type": "hello", "versions": [2], "features": ["sealed"], "nonce": "AAAAAAAAAAAAAAAAAAAAAA",
            });
            match answer(target, hello.to_string().as_bytes())? {
                None => Ok(()),
                Some(reply) => Err(Failure::new(format!(
                    "a hello of {} bytes is answered with {}",
                    hello.to_string().len(),
                    reply.len()
                ))),
            }
        },
        ..AFTER_BASIC
    },
    Check {
        name: "old-version",
        task: 15,
        about: "a hello of version 1 is refused with the versions that the server speaks",
        hint: "A client must learn why it cannot join. The refusal lists the versions.",
        run: |target| {
            let mut hello = json!({"type": "hello", "version": 1, "nonce": "0".repeat(32), "nick": "Anna", "pad": ""});
            let room = MAX_DATAGRAM_BYTES - hello.to_string().len();
            hello["pad"] = ".".repeat(room).into();
            let reply = answer(target, hello.to_string().as_bytes())?.unwrap_or_default();
            let refusal: Value = serde_json::from_slice(&reply).unwrap_or_default();
            let versions = refusal["versions"].as_array().cloned().unwrap_or_default();
            if refusal["code"] == "bad_version" && versions.contains(&json!(2)) {
                return Ok(());
            }
            Err(Failure::new(format!(
                "the answer is {refusal} instead of bad_version with the versions"
            )))
        },
        ..AFTER_BASIC
    },
    Check {
        name: "garbage",
        task: 15,
        about: "datagrams of random bytes, empty ones and forged sessions get no answer longer than they are",
        hint: "Drop what cannot be read. Only a reset may answer a session that is not known, and it is shorter than \
               its cause.",
        run: |target| {
            for datagram in [
                &b""[..],
                b"\xff\xfe",
                b"{",
                b"[]",
                &[1; 100],
                &[2; 1_200],
                &[3; 33],
                &[0x7b; 1_200],
            ] {
                if let Some(reply) = answer(target, datagram)?
                    && reply.len() >= datagram.len()
                {
                    let problem = format!(
                        "{} bytes of garbage are answered with {}",
                        datagram.len(),
                        reply.len()
                    );
                    return Err(Failure::new(problem));
                }
            }
            Ok(())
        },
        ..AFTER_BASIC
    },
];

/// The key that the server has, from a handshake that is not completed.
///
/// # Errors
///
/// When the server does not answer.
pub fn server_key(address: SocketAddr, timeout: Duration) -> Result<PublicKey, Failure> {
    let shown = Rc::new(Cell::new(None));
    let trust: Trust = Box::new({
        let shown = Rc::clone(&shown);
        move |key| {
            shown.set(Some(*key));
            Err(Failure::new("not trusted yet"))
        }
    });
    let target = ChatTarget {
        address,
        timeout,
        plaintext: false,
        trust,
    };
    let joined = Member::join(&target, &new_key()?, "lab-check", 0);
    match (shown.get(), joined) {
        (Some(key), _) => Ok(key),
        (None, Err(failure)) => Err(Failure::new(format!(
            "no chat server answers at {address}: {failure}"
        ))),
        (None, Ok(_)) => Err(Failure::new("the server shows no key")),
    }
}

/// Whether a new member is still let in.
///
/// # Errors
///
/// When it is not.
pub fn still_serves(target: &ChatTarget) -> Result<(), Failure> {
    member(target, "Visitor")?.leave()
}
