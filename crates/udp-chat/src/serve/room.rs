//! The room: who is in it, and what it says to whom.
//!
//! It has no socket, no thread, no file and no clock. Its owner hands it datagrams, their paths and the time, and after
//! each such call sends what [`Room::poll_transmit`] gives, handles [`Room::poll_event`] and [`Room::poll_text`], and
//! sleeps until [`Room::deadline`].
//!
//! What members write is looked at only when nothing is left to be sent. So a server that cannot keep up slows its
//! members down, by their links, instead of filling memory.

mod admission;
mod commands;
mod leaving;
mod notices;
mod requests;
#[cfg(test)]
mod tests;
mod traffic;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::time::Instant;

use chat_link::{Acceptor, AcceptorSettings, CloseReason, Handled, Path, SessionId, StaticKey};
use proto::EventBudget;

use super::bans::Bans;
use super::event::{EventSum, RoomEvent};
use super::history::{History, StoredText};
use super::member::{Member, MemberId};
use super::networks::Networks;
use super::nicks::Nicks;
use super::timer_queue::TimerQueue;
use super::traffic_log::{Direction, TrafficLog};
pub use commands::Command;
use leaving::Stopping;

/// What a room needs from the system.
pub trait Environment {
    /// 256 random bits from the operating system.
    ///
    /// # Errors
    ///
    /// When it gives none.
    fn random(&mut self) -> io::Result<[u8; 32]>;

    /// The time of day, in microseconds since 1970.
    fn unix_micros(&mut self) -> u64;
}

/// How a room is run.
#[derive(Debug, Clone)]
pub struct RoomSettings {
    /// How many members it takes.
    pub max_members: usize,
    /// Whether plaintext sessions are allowed.
    pub allow_plaintext: bool,
    /// Whether [`RoomEvent::Said`] is reported.
    pub report_texts: bool,
    /// Whether [`RoomEvent::Traffic`] is.
    pub report_traffic: bool,
    /// Whether [`RoomEvent::Trace`] is.
    pub trace: bool,
}

/// A chat's room.
pub struct Room {
    settings: RoomSettings,
    identity: StaticKey,
    environment: Box<dyn Environment>,
    acceptor: Acceptor,
    members: BTreeMap<MemberId, Member>,
    sessions: HashMap<SessionId, MemberId>,
    nicks: Nicks,
    networks: Networks,
    bans: Bans,
    history: History,
    next_member: MemberId,
    next_text: u64,
    timers: TimerQueue,
    traffic_log: TrafficLog,
    event_budget: EventBudget<EventSum>,
    /// Datagrams of no session.
    answers: VecDeque<(Path, Vec<u8>)>,
    /// Members whose link may have a datagram to send.
    ready: VecDeque<MemberId>,
    /// Members whose messages wait for the room, each in its turn.
    waiting: VecDeque<MemberId>,
    /// Members whose queue is full.
    too_slow: Vec<MemberId>,
    events: VecDeque<RoomEvent>,
    /// Texts to be kept on disk.
    texts: VecDeque<StoredText>,
    stopping: Option<Stopping>,
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
    /// A room with nobody in it, and with the texts of an earlier run.
    ///
    /// # Errors
    ///
    /// When the operating system gives no randomness.
    pub fn new(
        settings: RoomSettings,
        identity: StaticKey,
        texts: Vec<StoredText>,
        mut environment: Box<dyn Environment>,
        now: Instant,
    ) -> io::Result<Self> {
        let history = History::new(texts);
        let traffic_log = TrafficLog::new(settings.report_traffic, now);
        let acceptor = AcceptorSettings {
            identity: identity.clone(),
            cookie_key: environment.random()?,
            allow_plaintext: settings.allow_plaintext,
        };
        Ok(Self {
            acceptor: Acceptor::new(acceptor, now),
            settings,
            identity,
            // Ids rise even if the clock was set back since the earlier run.
            next_text: environment
                .unix_micros()
                .max(history.last_id().map_or(0, |id| id + 1)),
            environment,
            members: BTreeMap::new(),
            sessions: HashMap::new(),
            nicks: Nicks::default(),
            networks: Networks::default(),
            bans: Bans::default(),
            history,
            next_member: 0,
            timers: TimerQueue::default(),
            traffic_log,
            event_budget: EventBudget::default(),
            answers: VecDeque::new(),
            ready: VecDeque::new(),
            waiting: VecDeque::new(),
            too_slow: Vec::new(),
            events: VecDeque::new(),
            texts: VecDeque::new(),
            stopping: None,
            totals: RoomTotals::default(),
        })
    }

    /// Takes a datagram. What makes no sense changes nothing and is not answered.
    pub fn handle(&mut self, datagram: &[u8], path: Path, now: Instant) {
        let Some(session) = SessionId::of_datagram(datagram) else {
            return self.handle_handshake(datagram, path, now);
        };
        let id = self.sessions.get(&session).copied();
        let Some((id, member)) = id.and_then(|id| Some((id, self.members.get_mut(&id)?))) else {
            self.totals.ignored += 1;
            let reset = self.acceptor.reset(datagram, now);
            self.answers.extend(reset.map(|reset| (path, reset)));
            return;
        };
        if member.handle(datagram, path, &mut self.networks, now) {
            let (log, events) = (&mut self.traffic_log, &mut self.events);
            traffic::count(log, events, member, Direction::Received, datagram.len());
            self.mark_ready(id);
        } else {
            self.totals.ignored += 1;
        }
    }

    /// Lets time pass.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(id) = self.timers.due(now) {
            if let Some(member) = self.members.get_mut(&id) {
                member.due_at = None;
                member.handle_timeout(now);
                self.mark_ready(id);
            }
        }
        if self
            .stopping
            .as_ref()
            .is_some_and(|stopping| stopping.is_close_due(now))
        {
            self.close_all(now);
        }
        self.report_sums(now);
    }

    /// When to call [`Room::handle_timeout`] if nothing happens before.
    pub fn deadline(&self) -> Option<Instant> {
        let stop = self.stopping.as_ref().map(Stopping::deadline);
        let sums = self.traffic_log.deadline();
        [self.timers.next(), stop, sums, self.event_budget.deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Writes the next datagram to send now to `datagram` and gives its path; to be called until there is none.
    pub fn poll_transmit(&mut self, now: Instant, datagram: &mut Vec<u8>) -> Option<Path> {
        loop {
            if let Some((path, answer)) = self.answers.pop_front() {
                datagram.clear();
                datagram.extend_from_slice(&answer);
                return Some(path);
            }
            if let Some(&id) = self.ready.front() {
                if let Some(path) = self.poll_member(id, now, datagram) {
                    return Some(path);
                }
                self.ready.pop_front();
                self.go_idle(id, now);
            } else if let Some(id) = self.too_slow.pop() {
                self.leave(id, CloseReason::TooSlow, now);
            } else if let Some(id) = self.waiting.pop_front() {
                self.process_inbox(id, now);
            } else if self.is_quiet() {
                self.close_all(now);
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
            || self.is_quiet()
    }

    /// The next thing to log.
    pub fn poll_event(&mut self) -> Option<RoomEvent> {
        self.events.pop_front()
    }

    /// The next text to keep on disk.
    pub fn poll_text(&mut self) -> Option<StoredText> {
        self.texts.pop_front()
    }

    /// How many members are present.
    pub fn members(&self) -> usize {
        self.members
            .values()
            .filter(|member| member.is_present)
            .count()
    }

    /// What was done so far.
    pub fn totals(&self) -> RoomTotals {
        self.totals
    }

    fn handle_handshake(&mut self, datagram: &[u8], path: Path, now: Instant) {
        let random = match self.environment.random() {
            Ok(random) => random,
            Err(error) => {
                return self
                    .events
                    .push_back(RoomEvent::NoRandomness(error.to_string()));
            }
        };
        match self.acceptor.handle(datagram, path, now, random) {
            Handled::Reply(reply) => self.answers.push_back((path, reply)),
            Handled::Join(request) => self.decide(*request, now),
            Handled::Ignored => self.totals.ignored += 1,
        }
    }

    /// Something was done to a member's link: it may have datagrams and news.
    fn mark_ready(&mut self, id: MemberId) {
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        if !std::mem::replace(&mut member.is_ready, true) {
            self.ready.push_back(id);
        }
        if member.has_news() && !std::mem::replace(&mut member.is_waiting, true) {
            self.waiting.push_back(id);
        }
    }

    fn poll_member(&mut self, id: MemberId, now: Instant, datagram: &mut Vec<u8>) -> Option<Path> {
        self.feed_history(id, now);
        let member = self.members.get_mut(&id)?;
        let path = member.link.poll_transmit(now, datagram);
        if path.is_some() {
            let (log, events) = (&mut self.traffic_log, &mut self.events);
            traffic::count(log, events, member, Direction::Sent, datagram.len());
        }
        if self.settings.trace {
            while let Some(text) = member.link.poll_trace() {
                let nick = member.nick.to_string();
                self.events.push_back(RoomEvent::Trace { nick, text });
            }
        }
        path
    }

    /// Nothing is to be sent to a member for now.
    fn go_idle(&mut self, id: MemberId, _now: Instant) {
        if let Some(member) = self.members.get_mut(&id) {
            member.is_ready = false;
            self.timers
                .plan(id, &mut member.due_at, member.link.deadline());
            self.forget_if_over(id);
        }
    }

    /// Handles one message of a member, or its end.
    fn process_inbox(&mut self, id: MemberId, now: Instant) {
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        member.is_waiting = false;
        if member.is_present {
            // A member that moves all the time gets no line for each move; its sums name the latest address.
            if let Some((from, to)) = member.take_move()
                && self.traffic_log.admits_move(&mut member.traffic)
            {
                let (nick, from, to) = (member.nick.to_string(), from.remote, to.remote);
                self.events.push_back(RoomEvent::Moved { nick, from, to });
            }
            if let Some(reason) = member.has_to_leave() {
                self.leave(id, reason, now);
            } else if let Some(message) = member.next_message() {
                self.request(id, &message, now);
            }
        }
        self.mark_ready(id);
    }
}
