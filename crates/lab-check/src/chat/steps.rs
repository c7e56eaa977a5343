//! The steps that checks of the chat have in common.

use std::time::{Duration, Instant};

use chat_link::message::{ErrorCode, Kind, Notice, Request};
use chat_link::{RefusalCode, StaticKey};

use super::datagrams::{bind, receive};
use super::member::{ChatTarget, Joined, Member, Network, new_key};
use crate::failure::{Excerpt, Failure};

/// How long a check waits for something that must not come.
pub(super) const QUIET: Duration = Duration::from_millis(500);

/// A member with a new key and an unused nick.
pub(super) fn member(target: &ChatTarget, name: &str) -> Result<Member, Failure> {
    welcome(target, &new_key()?, &nick(name)?, 0)
}

pub(super) fn two(target: &ChatTarget) -> Result<(Member, Member), Failure> {
    Ok((member(target, "Anna")?, member(target, "Boris")?))
}

pub(super) fn welcome(
    target: &ChatTarget,
    key: &StaticKey,
    nick: &str,
    history: u16,
) -> Result<Member, Failure> {
    match Member::join(target, key, nick, history)? {
        Joined::Welcome(member) => Ok(*member),
        Joined::Refused(refused) => Err(Failure::new(format!(
            "{nick} is refused: {:?}",
            refused.code
        ))),
    }
}

pub(super) fn expect_refusal(
    target: &ChatTarget,
    nick: &str,
    code: RefusalCode,
) -> Result<(), Failure> {
    match Member::join(target, &new_key()?, nick, 0)? {
        Joined::Refused(refused) if refused.code == code => Ok(()),
        Joined::Refused(refused) => Err(Failure::new(format!(
            "the nick {nick:?} is refused with {:?} instead of {code:?}",
            refused.code
        ))),
        Joined::Welcome(member) => Err(member.failure(format!("the nick {nick:?} is let in"))),
    }
}

/// An unused nick: `lab-check-Anna-1f3a`.
pub(super) fn nick(name: &str) -> Result<String, Failure> {
    let key = new_key()?.public();
    let unique: String = key.as_bytes()[..3]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(format!("lab-check-{name}-{unique}"))
}

pub(super) fn say(member: &mut Member, text: &str) -> Result<(), Failure> {
    member.request(&Request::Say {
        text: text.to_owned(),
    })
}

/// Waits until the member's last text is confirmed.
pub(super) fn confirmed(member: &mut Member) -> Result<(), Failure> {
    member.await_notice("the confirmation", |notice| {
        matches!(notice, Notice::Confirmed { .. }).then_some(())
    })
}

/// The next live text that `reader` sees must be this one of `author`.
pub(super) fn hears(
    reader: &mut Member,
    author: &Member,
    text: &str,
    kind: Kind,
) -> Result<(), Failure> {
    let key = author.key().public().key_id();
    let said = reader.await_notice("the text", |notice| match notice {
        Notice::Said {
            history: false,
            from,
            key,
            kind,
            text,
            ..
        } => Some((from.clone(), *key, *kind, text.clone())),
        _ => None,
    })?;
    if said == (author.nick().to_owned(), key, kind, text.to_owned()) {
        return Ok(());
    }
    Err(reader.failure(format!(
        "another text arrives: {:?} from {:?}",
        said.3, said.0
    )))
}

/// A text must be refused with `code` and must not reach another member.
pub(super) fn refused(target: &ChatTarget, text: &str, expected: ErrorCode) -> Result<(), Failure> {
    let (mut anna, mut boris) = two(target)?;
    say(&mut anna, text)?;
    let code = anna.await_notice("the error", |notice| match notice {
        Notice::Error { code, .. } => Some(*code),
        _ => None,
    })?;
    if code != expected {
        return Err(anna.failure(format!(
            "the text is refused with {code:?} instead of {expected:?}"
        )));
    }
    say(&mut anna, "and on")?;
    hears(&mut boris, &anna, "and on", Kind::Say)
}

/// Three texts over a bad network must arrive once each.
pub(super) fn arrives_once(target: &ChatTarget, network: Network) -> Result<(), Failure> {
    let (mut anna, mut boris) = two(target)?;
    anna.set_network(network)?;
    for text in ["one", "two", "three"] {
        say(&mut anna, text)?;
        confirmed(&mut anna)?;
        hears(&mut boris, &anna, text, Kind::Say)?;
    }
    let rest = boris.notices_within(QUIET)?;
    match rest
        .iter()
        .any(|notice| matches!(notice, Notice::Said { history: false, .. }))
    {
        true => Err(boris.failure("a text arrives twice")),
        false => Ok(()),
    }
}

/// What the server answers to one datagram from a stranger, if it does.
pub(super) fn answer(target: &ChatTarget, datagram: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
    let socket = bind(target.address).map_err(|error| Failure::new(error.to_string()))?;
    socket
        .send_to(datagram, target.address)
        .map_err(|error| Failure::new(error.to_string()))?;
    receive(&socket, &mut Excerpt::default(), Instant::now() + QUIET).map_err(Failure::new)
}
