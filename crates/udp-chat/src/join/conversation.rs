//! The conversation's own thread: between the session, the transport, the input and the output.
//!
//! Everything that may block runs in other threads, so that the link's deadlines are kept.

mod lines;
mod questions;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use chat_link::PublicKey;
use log::info;

use super::display::DisplayEvent;
use super::error::JoinError;
use super::input::Input;
use super::output::Output;
use super::server_trust::ServerTrust;
use super::session::{End, Session};
use super::transport::{Resolver, Transport};
use lines::Waiting;

/// At the end of the input: how long the next acknowledgement is waited for.
const LAST_ACKS: Duration = Duration::from_secs(5);

/// How much of it passes before a hint says so. With contact to the server it does not take longer.
const LAST_ACKS_SILENT: Duration = Duration::from_secs(1);

/// How long bye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// How long there is nothing to do at most: a deadline where no other is set.
const REST: Duration = Duration::from_secs(3_600);

/// What the conversation stands on.
pub(super) struct Parts {
    pub(super) session: Session,
    pub(super) transport: Transport,
    pub(super) resolver: Resolver,
    pub(super) trust: ServerTrust,
    pub(super) inputs: Receiver<Input>,
    /// A signal asks to leave.
    pub(super) stop: Arc<AtomicBool>,
    /// The nick was asked for, so it is asked for again when it is taken.
    pub(super) asks_for_nick: bool,
}

pub(super) struct Conversation<O> {
    parts: Parts,
    output: O,
    /// Lets the reader of lines read the next one, where lines wait for that.
    turns: Option<Sender<()>>,
    nick: String,
    /// The key that a person is asked about.
    asked_about: Option<PublicKey>,
    /// The next line is another nick.
    is_asking_for_nick: bool,
    /// Whether the server ever took the member in.
    connected: bool,
    /// Whether a line is asked for and has not come.
    reading: bool,
    /// What was written and waits for room in the session. A person's paste is its limit; a file
    /// is read line by line.
    waiting: VecDeque<Waiting>,
    state: State,
    /// Why there are no more lines, if the input broke.
    broken: Option<io::Error>,
    /// Something the member wrote did not reach the server, as far as is known.
    failed: bool,
    /// Whether the hint about leaving was shown.
    shown_out: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Talking,
    /// Nothing more is said since then, and the last acknowledgements are waited for. `hinted`: a
    /// hint says so.
    Finishing {
        since: Instant,
        hinted: bool,
    },
    /// Saying bye, until then.
    Leaving(Instant),
}

/// How it ended, if well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Everything is confirmed.
    Done,
    /// Not everything is; the rest was shown.
    Unconfirmed,
    /// Ctrl-C was typed.
    Interrupted,
    /// A signal asked for it.
    Stopped,
}

impl<O: Output> Conversation<O> {
    /// A person types whenever they like; a file is read in turns.
    pub(super) fn new(nick: String, parts: Parts, output: O, turns: Option<Sender<()>>) -> Self {
        Self {
            parts,
            output,
            turns,
            nick,
            asked_about: None,
            is_asking_for_nick: false,
            connected: false,
            reading: false,
            waiting: VecDeque::new(),
            state: State::Talking,
            broken: None,
            failed: false,
            shown_out: false,
        }
    }

    /// Talks until the member or the server ends it. All that is to be shown is shown then.
    pub(super) fn run(mut self) -> Result<Outcome, JoinError> {
        if self.output.is_for_a_person() {
            self.hint(format!("connecting to {}", self.parts.transport.address()));
        }
        let end = self.talk();
        while let Some(event) = self.parts.session.poll_event() {
            self.output.show(&event);
        }
        let why = match &end {
            Ok(Outcome::Done) => "everything is confirmed",
            Ok(Outcome::Unconfirmed) => "not everything is sent and confirmed",
            Ok(Outcome::Interrupted | Outcome::Stopped) => "interrupted",
            // The error itself is the program's last line.
            Err(_) => "an error ended the chat",
        };
        if self.connected {
            info!("disconnected: {why}; {}", self.parts.transport.traffic());
        }
        self.output.close();
        end
    }

    fn talk(&mut self) -> Result<Outcome, JoinError> {
        let mut outcome = Outcome::Done;
        loop {
            let now = Instant::now();
            if self.parts.stop.load(Ordering::Relaxed) && outcome != Outcome::Stopped {
                outcome = Outcome::Stopped;
                self.leave(now);
            }
            self.parts.session.handle_timeout(now);
            self.judge_server(now)?;
            self.take_waiting();
            self.show();
            self.look_at_state(now);
            let Parts {
                session,
                transport,
                resolver,
                ..
            } = &mut self.parts;
            transport.transmit(session, now);
            resolver.look(session.is_searching(), now);
            if let Some(end) = self.parts.session.end().cloned()
                && !self.asks_again(&end)
            {
                return self.ended(end, outcome);
            }
            if matches!(self.state, State::Leaving(until) if until <= now) {
                return self.ended(End::Left, outcome);
            }
            match self.next_input(now) {
                Some(Input::Interrupted) => {
                    outcome = Outcome::Interrupted;
                    self.leave(now);
                }
                Some(input) => self.take(input)?,
                None => {}
            }
        }
    }

    fn next_input(&mut self, now: Instant) -> Option<Input> {
        let session = &self.parts.session;
        let is_turn = session.is_joined() && session.has_room() && self.waiting.is_empty();
        if is_turn
            && !self.reading
            && self.state == State::Talking
            && let Some(turns) = &self.turns
        {
            self.reading = turns.send(()).is_ok();
        }
        let own = match self.state {
            State::Talking => None,
            State::Finishing { since, hinted } => {
                let grace = if hinted { LAST_ACKS } else { LAST_ACKS_SILENT };
                Some(since.max(session.progress_at()) + grace)
            }
            State::Leaving(until) => Some(until),
        };
        let deadlines = [
            session.deadline(),
            self.parts.resolver.deadline(),
            own,
            Some(now + REST),
        ];
        let deadline = deadlines.into_iter().flatten().min().unwrap_or(now);
        let time = deadline.saturating_duration_since(Instant::now());
        match self.parts.inputs.recv_timeout(time) {
            Ok(input) => Some(input),
            Err(RecvTimeoutError::Timeout) => None,
            // The threads hold the other ends as long as this one lives; else nobody can wake it.
            Err(RecvTimeoutError::Disconnected) => Some(Input::Interrupted),
        }
    }

    fn take(&mut self, input: Input) -> Result<(), JoinError> {
        match input {
            Input::Datagram { from, bytes } => {
                let Parts {
                    transport, session, ..
                } = &mut self.parts;
                let was_joined = session.is_joined();
                transport.receive(from, &bytes, session);
                if !was_joined && session.is_joined() {
                    transport.release(from);
                    session.set_addresses(transport.addresses().to_vec());
                }
            }
            Input::Refused { address, error } => {
                let is_hopeless = self.parts.transport.refuse(address, error);
                if is_hopeless && !self.parts.session.is_heard() {
                    return Err(self.no_answer());
                }
            }
            Input::Resolved(addresses) => {
                self.parts.transport.set_addresses(addresses);
                let addresses = self.parts.transport.addresses().to_vec();
                self.parts.session.set_addresses(addresses);
            }
            Input::Answer(answer) => {
                if let Some(key) = self.asked_about.take() {
                    self.parts.trust.answer(key, Some(answer))?;
                    self.parts.session.trust(key, Instant::now());
                }
            }
            Input::Line(line) => {
                self.reading = false;
                self.waiting.push_back(Waiting::Line(line));
            }
            Input::Texts { texts, to } => {
                let text = |text| Waiting::Text(text, to.clone());
                self.waiting.extend(texts.into_iter().map(text));
            }
            Input::LinesEnded => self.waiting.push_back(Waiting::End(None)),
            Input::LinesBroken(error) => self.waiting.push_back(Waiting::End(Some(error))),
            Input::Wake | Input::Interrupted => {}
            Input::OutputFailed(error) => {
                let now = Instant::now();
                self.leave(now);
                let Parts {
                    transport, session, ..
                } = &mut self.parts;
                transport.transmit(session, now);
                return Err(JoinError::Output(error));
            }
            Input::SocketFailed(source) => {
                let what = "receive from the server";
                return Err(JoinError::System { what, source });
            }
        }
        Ok(())
    }

    /// Shows what there is, as far as the output takes it.
    fn show(&mut self) {
        while self.output.is_ready()
            && let Some(event) = self.parts.session.poll_event()
        {
            self.output.show(&event);
            if let DisplayEvent::You { nick } = event {
                let address = self.parts.transport.address();
                if self.parts.session.take_arrival() {
                    self.connected = true;
                    info!("connected to {address} as {nick}");
                }
                self.nick = nick;
            }
        }
    }

    /// What the time brings once nothing more is said.
    fn look_at_state(&mut self, now: Instant) {
        let State::Finishing { since, hinted } = self.state else {
            return;
        };
        let session = &self.parts.session;
        let waited = now.saturating_duration_since(since.max(session.progress_at()));
        if session.is_all_answered() || waited >= LAST_ACKS {
            self.leave(now);
        } else if !hinted && waited >= LAST_ACKS_SILENT {
            self.state = State::Finishing {
                since,
                hinted: true,
            };
            let (seconds, count) = (LAST_ACKS.as_secs(), session.unconfirmed());
            if count > 0 {
                self.hint(format!(
                    "waiting up to {seconds} s for what is not confirmed yet ({count} of your lines); \
                     Ctrl-C leaves at once"
                ));
            }
        }
    }

    fn finish(&mut self) {
        if self.state == State::Talking {
            let (since, hinted) = (Instant::now(), false);
            self.state = State::Finishing { since, hinted };
        }
    }

    fn leave(&mut self, now: Instant) {
        if matches!(self.state, State::Leaving(_)) {
            return;
        }
        self.state = State::Leaving(now + GOODBYE);
        self.report_unconfirmed();
        self.parts.session.leave(now);
    }

    fn ended(&mut self, end: End, outcome: Outcome) -> Result<Outcome, JoinError> {
        self.report_unconfirmed();
        let session = &self.parts.session;
        self.failed |= session.has_lost() || self.turns.is_some() && session.has_errors();
        if let Some(error) = self.broken.take() {
            return Err(JoinError::Input(error));
        }
        match end {
            End::Left if outcome == Outcome::Done && self.failed => Ok(Outcome::Unconfirmed),
            End::Left => Ok(outcome),
            End::NoAnswer => Err(self.no_answer()),
            End::Refused {
                code,
                message,
                versions,
            } => Err(JoinError::Refused {
                nick: self.nick.clone(),
                code,
                message,
                versions,
            }),
            End::Removed(reason) => Err(JoinError::Removed(reason)),
        }
    }

    fn no_answer(&mut self) -> JoinError {
        JoinError::NoAnswer {
            addresses: self.parts.transport.addresses().to_vec(),
            is_heard: self.parts.session.is_heard(),
            unsent: self.parts.transport.take_refusal(),
        }
    }

    fn hint(&mut self, text: String) {
        self.output.show(&DisplayEvent::Hint(text));
    }
}
