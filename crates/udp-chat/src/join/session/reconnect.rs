//! A server that is silent, and a nick that another member has taken meanwhile.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chat_link::message::{Message, Request};
use chat_link::{Class, Link, Path, Protection};

use super::Session;
use crate::nick::{MAX_NICK_BYTES, MAX_NICK_CHARS, Nick};

/// Without an answer for so long the server's other addresses are tried.
const UNANSWERED: Duration = Duration::from_secs(5);

/// How long each address is tried. The link repeats what is not acknowledged at least this often.
const TURN: Duration = Duration::from_secs(1);

/// How long the own nick is asked for before another one is taken.
const NICK_TIMEOUT: Duration = Duration::from_secs(30);

/// How often the own nick is asked for afterwards.
const NICK_INTERVAL: Duration = Duration::from_secs(60);

/// The server does not answer; its addresses are tried in turn.
#[derive(Debug)]
pub(super) struct Silence {
    next_turn: Instant,
    turns: usize,
}

/// Somebody else has the nick.
#[derive(Debug)]
pub(super) struct NickLoss {
    since: Instant,
    /// The number behind the nick instead.
    suffix: u32,
    /// When the nick is asked for again, in a session under another one.
    ask_at: Option<Instant>,
    /// The request that asks for it.
    request: Option<u64>,
}

impl Session {
    /// Whether there is a session, and the server answers.
    pub(super) fn has_contact(&self) -> bool {
        let link = self.link.as_deref();
        let is_open = link.is_some_and(|link| link.deadline().is_some());
        is_open && self.silence.is_none() && self.attempt.is_none() && self.retry_at.is_none()
    }

    /// The server's addresses from now on.
    pub(in super::super) fn set_addresses(&mut self, addresses: Vec<SocketAddr>) {
        self.addresses = addresses;
    }

    /// Whether the server is silent, or asked to take us back: its name may have new addresses.
    pub(in super::super) fn is_searching(&self) -> bool {
        self.is_joined() && !self.leaving && !self.has_contact()
    }

    /// An authentic datagram came.
    pub(super) fn heard_from(&mut self, from: SocketAddr) {
        if self.silence.take().is_none() {
            return;
        }
        self.warned = false;
        if let Some(link) = &mut self.link
            && link.deadline().is_some()
        {
            link.set_path(Path::to(from));
            self.trouble("the server answers again");
        }
    }

    pub(super) fn look_at_silence(&mut self, now: Instant) {
        if self.silence_deadline().is_none_or(|at| at > now) {
            return;
        }
        if self.silence.is_none() {
            self.trouble("the server does not answer; trying to come back");
        }
        let turns = self.silence.as_ref().map_or(0, |silence| silence.turns);
        self.silence = Some(Silence {
            next_turn: now + TURN,
            turns: turns + 1,
        });
        let Some(link) = &mut self.link else {
            return;
        };
        // A plaintext session stays where it began.
        if link.protection() == Protection::Sealed && !self.addresses.is_empty() {
            let address = self.addresses[turns % self.addresses.len()];
            link.set_path(Path::to(address));
        }
    }

    pub(super) fn silence_deadline(&self) -> Option<Instant> {
        let link = self.link.as_deref().filter(|_| !self.leaving)?;
        link.deadline()?;
        match &self.silence {
            Some(silence) => Some(silence.next_turn),
            None => Some(link.silent_since()? + UNANSWERED),
        }
    }

    /// The nick to join with: the wanted one, or a similar one once it was refused for long.
    pub(super) fn nick_to_ask_for(&self) -> String {
        match &self.nick_loss {
            Some(loss) if loss.suffix > 1 => with_suffix(&self.profile.nick, loss.suffix),
            _ => self.profile.nick.clone(),
        }
    }

    /// The server does not give us our nick back.
    pub(super) fn nick_refused(&mut self, now: Instant) {
        let nick = self.profile.nick.clone();
        let is_new = self.nick_loss.is_none();
        let loss = self.nick_loss.get_or_insert(NickLoss {
            since: now,
            suffix: 1,
            ask_at: None,
            request: None,
        });
        let waited = now.saturating_duration_since(loss.since);
        if waited >= NICK_TIMEOUT {
            loss.suffix += 1;
            return self.retry_later(now);
        }
        if is_new {
            let seconds = NICK_TIMEOUT.as_secs();
            let other = with_suffix(&nick, 2);
            self.trouble(&format!(
                "somebody else has the nick {nick} now; asking for it, and joining as {other} after {seconds} s"
            ));
        }
        self.retry_later(now);
    }

    /// A session began, perhaps under another nick than the wanted one.
    pub(super) fn nick_given(&mut self, now: Instant) {
        if self.nick == self.profile.nick
            || self.nick_loss.as_ref().is_none_or(|loss| loss.suffix == 1)
        {
            self.nick_loss = None;
            return;
        }
        if let Some(loss) = &mut self.nick_loss {
            loss.ask_at = Some(now + NICK_INTERVAL);
        }
        let (nick, wanted) = (self.nick.clone(), self.profile.nick.clone());
        self.trouble(&format!("you are {nick} until {wanted} is free again"));
    }

    /// The member has another nick.
    pub(super) fn nick_changed(&mut self) {
        if self.nick == self.profile.nick {
            self.nick_loss = None;
        }
    }

    pub(super) fn nick_deadline(&self) -> Option<Instant> {
        let loss = self.nick_loss.as_ref().filter(|_| self.has_contact())?;
        loss.ask_at
    }

    /// Asks for the wanted nick from time to time.
    pub(super) fn reclaim_nick(&mut self, now: Instant) {
        if self.nick_deadline().is_none_or(|at| at > now) {
            return;
        }
        let nick = self.profile.nick.clone();
        let (Some(link), Some(loss)) = (&mut self.link, &mut self.nick_loss) else {
            return;
        };
        loss.ask_at = Some(now + NICK_INTERVAL);
        loss.request = ask_for(link, nick, now);
    }

    /// Whether a request asks for the wanted nick without a command of the member.
    pub(super) fn is_nick_request(&self, number: u64) -> bool {
        self.nick_loss
            .as_ref()
            .is_some_and(|loss| loss.request == Some(number))
    }
}

fn ask_for(link: &mut Link, nick: String, now: Instant) -> Option<u64> {
    let message = Message::encode(&Request::Nick { nick }).ok()?;
    link.send(&message, Class::Live, now).ok().map(|id| id.0)
}

/// A nick with a number behind it, shortened where it would be too long.
fn with_suffix(nick: &str, suffix: u32) -> String {
    let suffix = suffix.to_string();
    let mut stem = nick.to_owned();
    while stem.chars().count() + suffix.len() > MAX_NICK_CHARS
        || stem.len() + suffix.len() > MAX_NICK_BYTES
        || Nick::parse(&format!("{stem}{suffix}")).is_err() && stem.chars().count() > 1
    {
        stem.pop();
    }
    stem + &suffix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nick_with_a_number_is_a_nick() {
        assert_eq!(with_suffix("anna", 2), "anna2");
        for nick in [
            "n".repeat(32),
            "я".repeat(32),
            "👍🏽".repeat(8),
            "a\u{301}".repeat(16),
        ] {
            let other = with_suffix(&nick, 12);
            assert!(
                other.ends_with("12") && Nick::parse(&other).is_ok(),
                "{other}"
            );
        }
    }
}
