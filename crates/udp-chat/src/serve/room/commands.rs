//! What an operator asks of the room.

use std::time::{Duration, Instant};

use chat_link::CloseReason;
use chat_link::message::{Kind, MAX_TEXT_BYTES};
use proto::Count;

use super::super::bans::Ban;
use super::super::event::canonical;
use super::{Room, RoomEvent};

/// What the server is called where an operator says something; nobody else can be called that.
const SERVER: &str = "server";

/// A command of the server's console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Lists the members.
    Who,
    /// Removes a member.
    Kick(String),
    /// Removes a member and excludes its key and its address, for so many minutes or until the server stops.
    Ban(String, Option<u64>),
    /// Lists the bans.
    Bans,
    /// Lifts the bans of a nick.
    Unban(String),
    /// Says something to all.
    Say(String),
}

impl Room {
    /// Does what an operator asks for, and gives the lines to show.
    ///
    /// # Errors
    ///
    /// Why it cannot be done, for a person.
    pub fn command(&mut self, command: &Command, now: Instant) -> Result<String, String> {
        match command {
            Command::Who => Ok(self.describe_members(now)),
            Command::Kick(nick) => self.remove(nick, None, now),
            Command::Ban(nick, minutes) => self.remove(nick, Some(*minutes), now),
            Command::Bans => Ok(lines(self.bans.lines(now), "nobody is banned")),
            Command::Unban(nick) => match self.bans.lift(nick, now) {
                0 => Err(format!("{nick} is not banned; `bans` lists who is")),
                _ => Ok(format!("{nick} may join again")),
            },
            Command::Say(text) if text.trim().is_empty() => Err("say what?".to_owned()),
            Command::Say(text) if text.len() > MAX_TEXT_BYTES => Err(format!(
                "the text is over the limit of {MAX_TEXT_BYTES} bytes"
            )),
            Command::Say(text) => {
                self.say(
                    SERVER,
                    self.identity.public(),
                    Kind::Say,
                    None,
                    text.clone(),
                    None,
                    now,
                );
                Ok(format!(
                    "said to {}",
                    Count(self.members() as u64, "member")
                ))
            }
        }
    }

    fn describe_members(&self, now: Instant) -> String {
        let present = self.members.values().filter(|member| member.is_present);
        let described = present.map(|member| {
            let address = canonical(member.link.path().remote);
            let minutes = now.saturating_duration_since(member.joined_at).as_secs() / 60;
            let texts = Count(member.texts, "message");
            let round_trip = member.link.round_trip().map_or_else(String::new, |time| {
                format!(", round trip {:.0} ms", time.as_secs_f64() * 1e3)
            });
            let how = if member.as_others_see().plaintext {
                ", not encrypted"
            } else {
                ""
            };
            format!(
                "{}: {address}, {minutes} min, {texts}{round_trip}{how}",
                member.nick
            )
        });
        lines(described.collect(), "nobody is here")
    }

    /// Removes a member, and excludes it if `ban` is given.
    fn remove(
        &mut self,
        nick: &str,
        ban: Option<Option<u64>>,
        now: Instant,
    ) -> Result<String, String> {
        let id = self.find(nick)?;
        let Some(member) = self.members.get(&id) else {
            return Err(format!("nobody here is called {nick}"));
        };
        let (nick, key, network) = (member.nick.to_string(), member.key, member.network);
        let address = member.link.path().remote.ip().to_canonical();
        if let Some(minutes) = ban {
            let until = minutes.and_then(|minutes| {
                now.checked_add(Duration::from_secs(minutes.saturating_mul(60)))
            });
            let network = Some(network).filter(|network| !network.is_loopback());
            self.bans.add(Ban {
                nick: nick.clone(),
                key,
                network,
                until,
            });
        }
        let reason = if ban.is_some() {
            CloseReason::Banned
        } else {
            CloseReason::Kicked
        };
        let event = RoomEvent::Removed { nick, address, ban };
        let done = event.to_string();
        self.events.push_back(event);
        self.leave(id, reason, now);
        Ok(done)
    }
}

fn lines(lines: Vec<String>, none: &str) -> String {
    if lines.is_empty() {
        none.to_owned()
    } else {
        lines.join("\n")
    }
}
