//! Who is let in.

use std::time::Instant;

use chat_link::message::{MAX_MEMBERS_AT_ONCE, Message, Notice};
use chat_link::{Class, CloseReason, JoinRequest, RefusalCode, SessionId};
use proto::{EventKind, Network};

use super::super::member::{Member, MemberId};
use super::notices::encoded;
use super::{Room, RoomEvent};
use crate::nick::Nick;

/// Why somebody is not let in: for a program, and for a person.
type Refusal = (RefusalCode, String);

impl Room {
    /// A client has proved its address and its key.
    pub(super) fn decide(&mut self, request: JoinRequest, now: Instant) {
        let (path, wanted) = (request.path, request.join.nick.clone());
        match self.admit(&request, now) {
            Ok((id, nick)) => self.let_in(id, nick, request, now),
            Err((code, message)) => {
                let answer = self.acceptor.refuse(&request, code, &message, now);
                self.answers.push_back((path, answer));
                let (nick, address) = (wanted, path.remote);
                let refused = RoomEvent::Refused {
                    nick,
                    address,
                    code,
                };
                let network = Network::of(address.ip());
                self.report(refused, network, EventKind::Arrival, now, |sum| {
                    sum.refused += 1;
                });
            }
        }
    }

    /// Claims a nick and a place for a new member.
    fn admit(&mut self, request: &JoinRequest, now: Instant) -> Result<(MemberId, Nick), Refusal> {
        let network = Network::of(request.path.remote.ip());
        let refused = |code, message: &str| Err((code, message.to_owned()));
        if self.stopping.is_some() {
            return refused(RefusalCode::Stopping, "the server is stopping");
        }
        if self.bans.excludes(request.key, network, now) {
            return refused(RefusalCode::Banned, "an operator has excluded you");
        }
        if request.join.plaintext && !self.settings.allow_plaintext {
            return refused(
                RefusalCode::PlaintextRefused,
                "the server does not allow plaintext sessions",
            );
        }
        let nick = Nick::parse(&request.join.nick)
            .map_err(|error| (RefusalCode::BadNick, error.to_string()))?;
        self.take_over(&nick, request, now);
        // Those who leave count until their link is over, so that links are bounded.
        if self.members.len() >= self.settings.max_members {
            let message = format!("all places are taken ({})", self.settings.max_members);
            return Err((RefusalCode::Full, message));
        }
        let id = self.next_member;
        if self.nicks.claim(&nick, request.key, id, now).is_err() {
            return refused(
                RefusalCode::NickTaken,
                "the nick is taken, or looks like one that is",
            );
        }
        if !self.networks.join(network, self.settings.max_members) {
            self.nicks.release(&nick, request.key, id, now);
            return refused(RefusalCode::Full, "all places of your network are taken");
        }
        self.next_member += 1;
        Ok((id, nick))
    }

    /// The same key with the same nick takes the place of a member that has long been silent.
    fn take_over(&mut self, nick: &Nick, request: &JoinRequest, now: Instant) {
        let Some(id) = self.nicks.holder(nick.key()) else {
            return;
        };
        let is_same =
            |member: &Member| member.nick.key() == nick.key() && member.key == request.key;
        if self
            .members
            .get(&id)
            .is_some_and(|member| is_same(member) && member.may_be_taken_over(now))
        {
            self.leave(id, CloseReason::TakenOver, now);
        }
    }

    fn let_in(&mut self, id: MemberId, nick: Nick, request: JoinRequest, now: Instant) {
        let (path, key, history) = (request.path, request.key, request.join.history);
        let random = self
            .environment
            .random()
            .and_then(|session| Ok((session, self.environment.random()?)));
        let (session, path_secret) = match random {
            Ok(random) => random,
            Err(error) => {
                self.nicks.release(&nick, key, id, now);
                self.networks.leave(Network::of(path.remote.ip()), now);
                return self
                    .events
                    .push_back(RoomEvent::NoRandomness(error.to_string()));
            }
        };
        let session =
            SessionId::from_bytes(*session.first_chunk().expect("32 bytes are at least 16"));
        let (answer, mut link) =
            self.acceptor
                .accept(request, nick.as_str(), session, path_secret, now);
        link.set_tracing(self.settings.trace);
        self.answers.push_back((path, answer));
        let mut member = Member::new(link, key, nick, now);
        // With nothing to send, the cursor is past the end: `CaughtUp` comes at once.
        member.history = Some(self.history.start(usize::from(history)).unwrap_or(u64::MAX));
        let joined = member.as_others_see();
        self.members.insert(id, member);
        self.sessions.insert(session, id);
        self.send_members(id, now);
        self.broadcast(&encoded(&Notice::Joined(joined.clone())), Some(id), now);
        self.totals.members += 1;
        let joined = RoomEvent::Joined {
            nick: joined.nick,
            address: path.remote,
            plaintext: joined.plaintext,
            members: self.members(),
        };
        let network = Network::of(path.remote.ip());
        self.report(joined, network, EventKind::Arrival, now, |sum| {
            sum.joined += 1
        });
    }

    /// Sends a member the list of those who are present, itself among them.
    pub(super) fn send_members(&mut self, id: MemberId, now: Instant) {
        let present = self.members.values().filter(|member| member.is_present);
        let members: Vec<_> = present.map(Member::as_others_see).collect();
        let pieces = members.chunks(MAX_MEMBERS_AT_ONCE);
        let last = pieces.len().saturating_sub(1);
        let notices: Vec<Message> = pieces
            .enumerate()
            .map(|(index, piece)| {
                encoded(&Notice::Members {
                    members: piece.to_vec(),
                    more: index < last,
                })
            })
            .collect();
        notices
            .iter()
            .for_each(|notice| self.send_to(id, notice, Class::Live, now));
    }
}
