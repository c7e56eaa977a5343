//! Who is let in, and who comes back.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use proto::chat::{
    Challenge, Datagram, Hello, Nonce, Notice, Refusal, Refused, SessionId, VERSION, Welcome,
};

use super::super::member::Member;
use super::{Room, RoomEvent, notice};
use crate::nick::Nick;

/// How long a welcome is given again: a client says hello for 30 seconds, and a cookie that is
/// late on its way is good for 15.
const WELCOME_LIFE: Duration = Duration::from_secs(45);

/// How many welcomes are remembered at most, some 2 MB.
const MAX_WELCOMES: usize = 10_000;

/// The welcomes given of late. A hello that comes again, because the welcome was lost or the
/// network doubled it, gets the same one; also when the member has left meanwhile, or else a
/// late hello would let somebody in who is not there.
#[derive(Debug, Default)]
pub(super) struct Welcomes {
    given: HashMap<(SocketAddr, Nonce), Welcome>,
    order: VecDeque<(Instant, (SocketAddr, Nonce))>,
}

impl Welcomes {
    fn give(&mut self, to: SocketAddr, welcome: Welcome, now: Instant) {
        let key = (to, welcome.nonce);
        self.given.insert(key, welcome);
        self.order.push_back((now, key));
        while let Some(&(at, key)) = self.order.front()
            && (now > at + WELCOME_LIFE || self.order.len() > MAX_WELCOMES)
        {
            self.order.pop_front();
            self.given.remove(&key);
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.given.is_empty() && self.order.is_empty()
    }

    fn find(&self, to: SocketAddr, nonce: Nonce) -> Option<Welcome> {
        self.given.get(&(to, nonce)).cloned()
    }
}

/// Why somebody is not let in.
enum Denial {
    Refused(Refusal, String),
    /// Not our answer to give: it will ask again.
    NoRandomness(String),
}

impl Room {
    pub(super) fn hello(&mut self, hello: Hello, from: SocketAddr, now: Instant) {
        let nonce = hello.nonce;
        let good = |cookie: &str| self.cookies.is_good(cookie, from, nonce, now);
        if !hello.cookie.as_deref().is_some_and(good) {
            let cookie = self.cookies.bake(from, nonce, now);
            let challenge = Challenge { nonce, cookie };
            self.answers
                .push_back((from, Datagram::Challenge(challenge)));
            return;
        }
        let answer = match self.welcome(&hello, from, now) {
            Ok(welcome) => Datagram::Welcome(welcome),
            Err(Denial::Refused(code, message)) => {
                let (nick, address) = (hello.nick, from);
                let event = RoomEvent::Refused {
                    nick,
                    address,
                    code,
                };
                self.events.push_back(event);
                Datagram::Refused(Refused {
                    nonce,
                    code,
                    message,
                })
            }
            Err(Denial::NoRandomness(why)) => {
                self.events.push_back(RoomEvent::NoRandomness(why));
                return;
            }
        };
        self.answers.push_back((from, answer));
    }

    /// The client has shown that it receives where it writes from.
    fn welcome(
        &mut self,
        hello: &Hello,
        from: SocketAddr,
        now: Instant,
    ) -> Result<Welcome, Denial> {
        if let Some(session) = hello.session
            && let Some(welcome) = self.resume(session, hello.nonce, from, now)
        {
            return Ok(welcome);
        }
        if let Some(welcome) = self.welcomes.find(from, hello.nonce) {
            return Ok(welcome);
        }
        let nick = self.admissible(hello)?;
        let id = self.next_member;
        if self.nicks.claim(&nick, id).is_err() {
            let message = "the nick is taken, or looks like one that is".to_owned();
            return Err(Denial::Refused(Refusal::NickTaken, message));
        }
        let session = match self.world.random() {
            Ok(bytes) => SessionId::from_bytes(bytes),
            Err(error) => {
                self.nicks.release(&nick);
                return Err(Denial::NoRandomness(error.to_string()));
            }
        };
        self.next_member += 1;
        let mut member = Member::new(session, hello.session, nick.clone(), from, now);
        if member.tell(self.history.notices()).is_err() {
            self.too_slow.push(id);
        }
        self.members.insert(id, member);
        self.sessions.extend(
            [Some(session), hello.session]
                .into_iter()
                .flatten()
                .map(|session| (session, id)),
        );
        self.look_at(id);

        let nick = nick.to_string();
        self.tell_all(&[notice(&Notice::Joined { nick: nick.clone() })], id);
        let welcome = Welcome {
            nonce: hello.nonce,
            session,
            nick: nick.clone(),
        };
        self.welcomes.give(from, welcome.clone(), now);
        self.totals.members += 1;
        let (address, members) = (from, self.members());
        self.events.push_back(RoomEvent::Joined {
            nick,
            address,
            members,
        });
        Ok(welcome)
    }

    /// Goes on with the link of a member that was away. It may know its session, or only the one
    /// before, if the welcome to the new one was lost.
    fn resume(
        &mut self,
        session: SessionId,
        nonce: Nonce,
        from: SocketAddr,
        now: Instant,
    ) -> Option<Welcome> {
        let id = *self.sessions.get(&session)?;
        let member = self.members.get_mut(&id).filter(|member| member.present)?;
        member.link.resume(now);
        let nick = member.nick.to_string();
        let welcome = Welcome {
            nonce,
            session: member.link.session(),
            nick: nick.clone(),
        };
        self.events.push_back(RoomEvent::CameBack {
            nick,
            address: from,
        });
        self.move_to(id, from);
        self.look_at(id);
        Some(welcome)
    }

    /// The nick of somebody who may join, unless it is taken.
    fn admissible(&self, hello: &Hello) -> Result<Nick, Denial> {
        let refused = |code, message| Err(Denial::Refused(code, message));
        if self.stopping.is_some() {
            return refused(Refusal::Stopping, "the server is stopping".to_owned());
        }
        if hello.version != VERSION {
            let message = format!("this server speaks version {VERSION} of the protocol");
            return refused(Refusal::BadVersion, message);
        }
        // Those who leave count until their bye is answered, so that links are bounded.
        if self.members.len() >= self.settings.max_members {
            let message = format!("all places are taken ({})", self.settings.max_members);
            return refused(Refusal::Full, message);
        }
        Nick::parse(&hello.nick)
            .map_err(|error| Denial::Refused(Refusal::BadNick, error.to_string()))
    }
}
