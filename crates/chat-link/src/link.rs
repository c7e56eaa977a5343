//! The link: one state machine for both ends of a session, which makes an ordered, acknowledged conversation of
//! datagrams that may be lost, repeated, reordered, late or forged.
//!
//! It has no socket, no thread and no clock. Its owner hands it datagrams, messages and the time, and after each such
//! call sends what [`Link::poll_transmit`] gives, handles what [`Link::poll_event`] reports, and sleeps until
//! [`Link::deadline`]:
//!
//! ```text
//!  messages -- send ---> +------+ -- poll_transmit --> datagrams
//! datagrams -- handle -> | Link | -- poll_event -----> messages, acknowledgements, moves, the end
//!      time -----------> +------+ -- deadline -------> when to call handle_timeout
//! ```

mod ack;
mod congestion;
mod incoming;
mod keepalive;
mod loss_mode;
mod outgoing;
mod path;
mod receive;
mod rtt;
mod sent;
mod transmit;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::close_reason::CloseReason;
use crate::message::Message;
use crate::seal::{ReplayWindow, Seal};
use crate::wire::{Protection, SessionId};
use ack::ReceivedPackets;
use congestion::Congestion;
use incoming::Incoming;
use keepalive::Keepalive;
use loss_mode::LossMode;
use outgoing::Outgoing;
pub use outgoing::{Class, MAX_WAITING, MessageId, QueueFull};
pub use path::Path;
use path::Paths;
use rtt::RoundTrip;
use sent::SentPackets;

/// How often a close is sent while the peer does not answer it.
const MAX_CLOSES: u32 = 3;

/// One end of a session.
#[derive(Debug)]
pub struct Link {
    session: SessionId,
    seal: Seal,
    /// With which the server says that it no longer knows the session; only a client has one.
    reset_token: Option<[u8; 16]>,
    state: State,
    paths: Paths,
    replay: ReplayWindow,
    received: ReceivedPackets,
    incoming: Incoming,
    outgoing: Outgoing,
    sent: SentPackets,
    last_packet: u64,
    round_trip: RoundTrip,
    congestion: Congestion,
    mode: LossMode,
    keepalive: Keepalive,
    /// A path challenge to be echoed.
    response: Option<[u8; 8]>,
    events: VecDeque<Event>,
    trace: Option<VecDeque<String>>,
    body: Vec<u8>,
}

/// What a link reports to its owner.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// The peer's next message of its class, in order, once.
    Message(Vec<u8>),
    /// The peer has this message.
    Acknowledged(MessageId),
    /// The peer has proved that it receives at another address, and datagrams go there from now on.
    Moved {
        /// Where it was.
        from: Path,
        /// Where it is.
        to: Path,
    },
    /// The session is over. What is not acknowledged may or may not have arrived.
    Ended(End),
}

/// How a session came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// For 60 seconds the peer was silent, or acknowledged nothing.
    TimedOut,
    /// The peer closed it. [`Link::poll_transmit`] has one last datagram, the answer.
    PeerClosed(CloseReason),
    /// This end closed it, and the peer answered or three closes went unanswered.
    Closed,
    /// The server does not know the session any more.
    Reset,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Open,
    /// Saying that the session is over.
    Closing {
        reason: CloseReason,
        said: u32,
        again_at: Instant,
    },
    /// The peer's close is to be answered.
    Answering(CloseReason),
    Ended,
}

/// What a handshake leaves to the link that follows.
pub(crate) struct Start {
    pub(crate) session: SessionId,
    pub(crate) seal: Seal,
    pub(crate) path: Path,
    pub(crate) reset_token: Option<[u8; 16]>,
    pub(crate) path_secret: Option<[u8; 32]>,
    pub(crate) round_trip: Option<Duration>,
}

impl Link {
    pub(crate) fn new(start: Start, now: Instant) -> Self {
        let mut round_trip = RoundTrip::default();
        if let Some(sample) = start.round_trip {
            round_trip.measured(sample, Duration::ZERO);
        }
        Self {
            session: start.session,
            seal: start.seal,
            reset_token: start.reset_token,
            state: State::Open,
            paths: Paths::new(start.path, start.path_secret),
            replay: ReplayWindow::default(),
            received: ReceivedPackets::default(),
            incoming: Incoming::default(),
            outgoing: Outgoing::default(),
            sent: SentPackets::default(),
            last_packet: 0,
            round_trip,
            congestion: Congestion::default(),
            mode: LossMode::default(),
            keepalive: Keepalive::new(now),
            response: None,
            events: VecDeque::new(),
            trace: None,
            body: Vec::new(),
        }
    }

    /// The session's id.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// Whether bodies are sealed.
    pub fn protection(&self) -> Protection {
        self.seal.protection()
    }

    /// Takes a message to be sent, now or when the window allows.
    ///
    /// # Errors
    ///
    /// [`QueueFull`] when [`MAX_WAITING`] messages wait already.
    pub fn send(
        &mut self,
        message: &Message,
        class: Class,
        now: Instant,
    ) -> Result<MessageId, QueueFull> {
        self.outgoing.push(message, class, now)
    }

    /// Ends the session: says so up to three times, until the peer says it back. Messages are not sent any more.
    pub fn close(&mut self, reason: CloseReason, now: Instant) {
        if matches!(self.state, State::Open) {
            self.state = State::Closing {
                reason,
                said: 0,
                again_at: now,
            };
        }
    }

    /// Forgets the messages that are not acknowledged, and what they take in memory. For a session that is closing.
    pub fn discard_messages(&mut self) {
        self.outgoing.clear();
    }

    /// The next thing that the owner should know.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`Link::handle_timeout`] if nothing happens before; `None` once the session is over.
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Open => {
                let lossy = self.mode.is_lossy(self.keepalive.heard_at());
                let timers = [
                    self.received.due(),
                    self.outgoing
                        .live_due()
                        .filter(|_| self.congestion.has_room(true)),
                    self.outgoing.probe_at(&self.round_trip, lossy),
                    self.sent.loss_at(self.round_trip.loss_delay()),
                ];
                timers
                    .into_iter()
                    .flatten()
                    .chain([self.keepalive.deadline()])
                    .min()
            }
            State::Closing { again_at, .. } => Some(again_at),
            State::Answering(_) | State::Ended => None,
        }
    }

    /// Lets time pass. What has arrived by `now` should be handled first, or it may be asked for again.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.state {
            State::Open if self.keepalive.is_lost(now) => self.end(End::TimedOut),
            State::Open => {
                self.detect_lost(now);
                let lossy = self.mode.is_lossy(self.keepalive.heard_at());
                self.outgoing.probe(&self.round_trip, lossy, now);
            }
            State::Closing {
                said: MAX_CLOSES,
                again_at,
                ..
            } if again_at <= now => self.end(End::Closed),
            State::Closing { .. } | State::Answering(_) | State::Ended => {}
        }
    }

    /// Where datagrams go.
    pub fn path(&self) -> Path {
        self.paths.current()
    }

    /// Sends to another address from now on. A client chooses by itself; a server learns it by validation.
    pub fn set_path(&mut self, path: Path) {
        self.paths.set_current(path);
    }

    /// Since when an answer is due and nothing at all was heard.
    pub fn silent_since(&self) -> Option<Instant> {
        self.keepalive.silent_since()
    }

    /// When the peer was last heard.
    pub fn heard_at(&self) -> Instant {
        self.keepalive.heard_at()
    }

    /// Whether an authentic datagram of the session ever came.
    pub fn has_heard(&self) -> bool {
        self.replay.largest() > 0
    }

    /// The smoothed round-trip time, once it was measured.
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip.smoothed()
    }

    /// How many messages the peer has not acknowledged, sent or not.
    pub fn unacknowledged(&self) -> usize {
        self.outgoing.unacknowledged()
    }

    /// How many messages wait for the window.
    pub fn waiting(&self) -> usize {
        self.outgoing.waiting()
    }

    /// What the queues hold, in bytes, as if this link shared none of them with others.
    pub fn queued_bytes(&self) -> usize {
        self.outgoing.bytes()
    }

    /// Describes each datagram from now on, or no longer; see [`Link::poll_trace`].
    pub fn set_tracing(&mut self, on: bool) {
        self.trace = on.then(VecDeque::new);
    }

    /// The description of the next datagram that was sent or received, decoded whether sealed or not.
    pub fn poll_trace(&mut self) -> Option<String> {
        self.trace.as_mut()?.pop_front()
    }

    fn detect_lost(&mut self, now: Instant) {
        let delay = self.round_trip.loss_delay();
        let (outgoing, congestion, mode) =
            (&mut self.outgoing, &mut self.congestion, &mut self.mode);
        self.sent.detect_lost(delay, now, |packet| {
            congestion.gone(packet.bytes);
            mode.enter(now);
            packet
                .parts
                .iter()
                .for_each(|&seq| outgoing.lose(seq, packet.number));
        });
    }

    fn end(&mut self, end: End) {
        self.state = State::Ended;
        self.events.push_back(Event::Ended(end));
    }

    fn trace(&mut self, describe: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push_back(describe());
        }
    }
}
