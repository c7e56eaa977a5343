//! The room: who is in it, and what it says to whom.
//!
//! It has no socket, no thread and no clock. Its owner hands it datagrams, their senders and the
//! time, and after each such call sends what [`Room::poll_transmit`] gives, logs what
//! [`Room::poll_event`] tells, and sleeps until [`Room::deadline`].
//!
//! What members write is looked at only when nothing is left to be sent. So a server that cannot
//! keep up slows its members down, by their links, instead of filling memory; and whose queue
//! grows all the same is slow itself.

mod admission;
mod leaving;
mod requests;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use proto::chat::{Body, Datagram, Notice, Reason, SessionId};

use super::cookie::Cookies;
use super::event::RoomEvent;
use super::history::History;
use super::member::{Member, MemberId};
use super::nicks::Nicks;
use super::wakes::Wakes;
use admission::Welcomes;
use leaving::Stopping;

/// What a room asks of the world around it.
pub trait World {
    /// 128 random bits of the operating system's.
    ///
    /// # Errors
    ///
    /// When it gives none.
    fn random(&mut self) -> io::Result<[u8; 16]>;

    /// The time of day, in microseconds since 1970.
    fn unix_micros(&mut self) -> u64;
}

/// How a room is run.
#[derive(Debug, Clone, Copy)]
pub struct RoomSettings {
    /// How many members it takes.
    pub max_members: usize,
    /// Whether [`RoomEvent::Said`] is told.
    pub tell_texts: bool,
    /// Whether [`RoomEvent::RoundTrip`] and [`Transmit::again`] are.
    pub trace: bool,
}

/// A datagram to send.
#[derive(Debug)]
pub struct Transmit<'a> {
    /// Where to.
    pub to: SocketAddr,
    /// All of it.
    pub bytes: &'a [u8],
    /// Whether it carries a message that was sent before; told only while tracing.
    pub again: bool,
}

/// A chat's room.
pub struct Room {
    settings: RoomSettings,
    world: Box<dyn World>,
    cookies: Cookies,
    welcomes: Welcomes,
    members: BTreeMap<MemberId, Member>,
    /// By its session, and by the one it came back from.
    sessions: HashMap<SessionId, MemberId>,
    nicks: Nicks,
    history: History,
    next_member: MemberId,
    next_text: u64,
    wakes: Wakes,
    /// Answers to hellos, which are of no session.
    answers: VecDeque<(SocketAddr, Datagram<'static>)>,
    /// Whose link may have a datagram to send.
    ready: VecDeque<MemberId>,
    /// Whose messages wait to be looked at, each member in its turn.
    waiting: VecDeque<MemberId>,
    /// Who could not be told something.
    too_slow: Vec<MemberId>,
    events: VecDeque<RoomEvent>,
    stopping: Option<Stopping>,
    /// The datagram that [`Room::poll_transmit`] lends out.
    bytes: Vec<u8>,
    totals: RoomTotals,
}

/// What a room has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RoomTotals {
    /// How many joined.
    pub members: u64,
    /// How many texts were relayed.
    pub texts: u64,
    /// How many datagrams made no sense or belonged to no session.
    pub ignored: u64,
}

impl Room {
    /// An empty room. `key` makes its cookies and is from the operating system's randomness.
    pub fn new(
        settings: RoomSettings,
        key: &[u8; 32],
        mut world: Box<dyn World>,
        now: Instant,
    ) -> Self {
        Self {
            settings,
            next_text: world.unix_micros(),
            world,
            cookies: Cookies::new(key, now),
            welcomes: Welcomes::default(),
            members: BTreeMap::new(),
            sessions: HashMap::new(),
            nicks: Nicks::default(),
            history: History::default(),
            next_member: 0,
            wakes: Wakes::default(),
            answers: VecDeque::new(),
            ready: VecDeque::new(),
            waiting: VecDeque::new(),
            too_slow: Vec::new(),
            events: VecDeque::new(),
            stopping: None,
            bytes: Vec::new(),
            totals: RoomTotals::default(),
        }
    }

    /// Takes a datagram in. What makes no sense changes nothing and is answered by nothing.
    pub fn handle(&mut self, bytes: &[u8], from: SocketAddr, now: Instant) {
        match Datagram::decode(bytes) {
            Ok(Datagram::Hello(hello)) => self.hello(hello, from, now),
            Ok(datagram) => {
                if !self.handle_in_session(&datagram, from, now) {
                    self.totals.ignored += 1;
                }
            }
            Err(_) => self.totals.ignored += 1,
        }
    }

    /// Lets time pass.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(id) = self.wakes.due(now) {
            if let Some(member) = self.members.get_mut(&id) {
                member.wake_at = None;
                member.handle_timeout(now);
                self.look_at(id);
            }
        }
        if self
            .stopping
            .as_ref()
            .is_some_and(|stopping| stopping.is_bye_due(now))
        {
            self.say_bye(now);
        }
    }

    /// When to call [`Room::handle_timeout`] if nothing happens before.
    pub fn deadline(&self) -> Option<Instant> {
        let stop = self.stopping.as_ref().map(Stopping::deadline);
        self.wakes.next().into_iter().chain(stop).min()
    }

    /// The next datagram to send now; to be called until there is none.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Transmit<'_>> {
        loop {
            if let Some((to, datagram)) = self.answers.pop_front() {
                datagram
                    .encode(&mut self.bytes)
                    .expect("nicks and messages in answers are short");
                return Some(self.transmit(to, false));
            }
            if let Some(&id) = self.ready.front() {
                if let Some((to, again)) = self.poll_member(id, now) {
                    return Some(self.transmit(to, again));
                }
                self.ready.pop_front();
                self.rest(id);
            } else if let Some(id) = self.too_slow.pop() {
                self.leave(id, Reason::TooSlow, now);
            } else if let Some(id) = self.waiting.pop_front() {
                self.attend(id, now);
            } else if self.is_quiet() {
                self.say_bye(now);
            } else {
                return None;
            }
        }
    }

    /// Whether [`Room::poll_transmit`] may have something.
    pub fn has_work(&self) -> bool {
        !self.answers.is_empty()
            || !self.ready.is_empty()
            || !self.too_slow.is_empty()
            || !self.waiting.is_empty()
    }

    /// The next thing to log.
    pub fn poll_event(&mut self) -> Option<RoomEvent> {
        self.events.pop_front()
    }

    /// How many members are present.
    pub fn members(&self) -> usize {
        self.members
            .values()
            .filter(|member| member.present)
            .count()
    }

    /// What was done so far.
    pub fn totals(&self) -> RoomTotals {
        self.totals
    }

    fn transmit(&self, to: SocketAddr, again: bool) -> Transmit<'_> {
        let bytes = &self.bytes;
        Transmit { to, bytes, again }
    }

    /// Whether a member had use for it.
    fn handle_in_session(
        &mut self,
        datagram: &Datagram<'_>,
        from: SocketAddr,
        now: Instant,
    ) -> bool {
        let id = datagram
            .session()
            .and_then(|session| self.sessions.get(&session).copied());
        let Some((id, member)) = id.and_then(|id| Some((id, self.members.get_mut(&id)?))) else {
            return false;
        };
        let round_trip = member.link.round_trip();
        if !member.handle(datagram, now) {
            return false;
        }
        if self.settings.trace
            && member.link.round_trip() != round_trip
            && let Some(time) = member.link.round_trip()
        {
            let nick = member.nick.to_string();
            self.events.push_back(RoomEvent::RoundTrip { nick, time });
        }
        self.move_to(id, from);
        self.look_at(id);
        true
    }

    fn move_to(&mut self, id: MemberId, to: SocketAddr) {
        if let Some(member) = self.members.get_mut(&id)
            && member.address != to
        {
            let from = std::mem::replace(&mut member.address, to);
            let nick = member.nick.to_string();
            self.events.push_back(RoomEvent::Moved { nick, from, to });
        }
    }

    /// Something was done to a member's link: it may have datagrams and news.
    fn look_at(&mut self, id: MemberId) {
        if let Some(member) = self.members.get_mut(&id) {
            if !std::mem::replace(&mut member.is_ready, true) {
                self.ready.push_back(id);
            }
            if member.has_news() && !std::mem::replace(&mut member.is_waiting, true) {
                self.waiting.push_back(id);
            }
        }
    }

    /// Encodes what a member's link has to send, and tells where to and whether again.
    fn poll_member(&mut self, id: MemberId, now: Instant) -> Option<(SocketAddr, bool)> {
        let member = self.members.get_mut(&id)?;
        let datagram = member.link.poll_transmit(now)?;
        datagram
            .encode(&mut self.bytes)
            .expect("a link's datagrams fit");
        let again = match datagram {
            Datagram::Data(data) if self.settings.trace => {
                let seq = data.seq;
                member.link.is_resent(seq)
            }
            _ => false,
        };
        Some((member.address, again))
    }

    /// Nothing is to be sent to a member for now.
    fn rest(&mut self, id: MemberId) {
        if let Some(member) = self.members.get_mut(&id) {
            member.is_ready = false;
            self.wakes
                .plan(id, &mut member.wake_at, member.link.deadline());
            self.forget_if_over(id);
        }
    }

    /// Looks at one message of a member, or sees it off.
    fn attend(&mut self, id: MemberId, now: Instant) {
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        member.is_waiting = false;
        if !member.present {
            // Whatever it wrote, it has left.
        } else if let Some(reason) = member.has_to_leave() {
            self.leave(id, reason, now);
        } else if let Some(message) = member.next_message() {
            self.request(id, &message);
        }
        self.look_at(id);
    }

    /// Tells a notice to all who are present, but for one.
    fn tell_all(&mut self, notices: &[Body], but: MemberId) {
        for (&id, member) in &mut self.members {
            if id == but || !member.present {
                continue;
            }
            if member.tell(notices).is_err() {
                self.too_slow.push(id);
            }
            if !std::mem::replace(&mut member.is_ready, true) {
                self.ready.push_back(id);
            }
        }
    }

    fn tell_one<'a>(&mut self, id: MemberId, notices: impl IntoIterator<Item = &'a Body>) {
        if let Some(member) = self.members.get_mut(&id) {
            if member.present && member.tell(notices).is_err() {
                self.too_slow.push(id);
            }
            self.look_at(id);
        }
    }
}

/// Encodes a notice that is no text.
fn notice(notice: &Notice) -> Body {
    Body::new(notice).expect("nicks are short")
}
