//! The conversation's own thread: between the session, the network, the input and the output.
//!
//! All that may block is done by others, so that the link's deadlines are kept whatever happens.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use log::info;

use super::command::{COMMANDS, Command, CommandError, Wish};
use super::display::DisplayEvent;
use super::error::JoinError;
use super::input::Input;
use super::lines::BadLine;
use super::network::Network;
use super::output::Output;
use super::session::{End, Session};
use crate::nick::Nick;

/// At the end of the input: how long the next acknowledgement is waited for.
const LAST_ACKS: Duration = Duration::from_secs(5);

/// How long of it goes by in silence: where there is contact, it does not take longer.
const LAST_ACKS_UNTOLD: Duration = Duration::from_secs(1);

/// How long bye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// How long there is nothing to do at most: a deadline that no other gives.
const REST: Duration = Duration::from_secs(3_600);

/// What ends the suite's other dialogues. Here it is a text, but hardly meant as one.
const LEAVES_OTHERS: &str = "exit";

/// What the conversation stands on.
pub(super) struct Parts {
    pub(super) session: Session,
    pub(super) network: Network,
    pub(super) inputs: Receiver<Input>,
    /// A signal asks to leave.
    pub(super) stop: Arc<AtomicBool>,
}

pub(super) struct Conversation<O> {
    parts: Parts,
    output: O,
    /// Lets the reader of lines read the next one, where lines wait for that.
    turns: Option<Sender<()>>,
    nick: String,
    /// Whether the server ever took the member in.
    connected: bool,
    /// Whether a line is asked for and has not come.
    reading: bool,
    /// What was written and waits for room in the session. A person's paste is its limit; a file
    /// is read line by line.
    waiting: VecDeque<Waiting>,
    state: State,
    /// Why there are no more lines, if their end was none.
    broken: Option<io::Error>,
    /// Something the member wrote did not reach the server, as far as is known.
    failed: bool,
    /// The person was told how to leave.
    shown_out: bool,
}

/// Something that was written.
#[derive(Debug)]
enum Waiting {
    Line(Result<String, BadLine>),
    /// A text, for one member or for all.
    Text(String, Option<String>),
    /// Nothing follows; with the reason, if the input broke.
    End(Option<io::Error>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Talking,
    /// Nothing more is said since then; waiting for the last acknowledgements, and whether that
    /// was told.
    Finishing {
        since: Instant,
        told: bool,
    },
    /// Saying bye, until then.
    Leaving(Instant),
}

/// How it ended, if well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Everything is confirmed.
    Done,
    /// Not everything is; the member was told what.
    Unconfirmed,
    /// Ctrl-C was typed.
    Interrupted,
    /// A signal asked for it.
    Stopped,
}

impl Parts {
    fn transmit(&mut self, now: Instant) {
        self.network.transmit(&mut self.session, now);
    }
}

impl<O: Output> Conversation<O> {
    /// A person types whenever they like; a file is read in turns.
    pub(super) fn new(nick: &Nick, parts: Parts, output: O, turns: Option<Sender<()>>) -> Self {
        Self {
            parts,
            output,
            turns,
            nick: nick.to_string(),
            connected: false,
            reading: false,
            waiting: VecDeque::new(),
            state: State::Talking,
            broken: None,
            failed: false,
            shown_out: false,
        }
    }

    /// Talks until the member or the server ends it. What is to be shown is shown then.
    pub(super) fn run(mut self) -> Result<Outcome, JoinError> {
        if self.output.is_for_a_person() {
            self.hint(format!("connecting to {}", self.parts.network.address()));
        }
        let end = self.talk();
        while let Some(event) = self.parts.session.poll_event() {
            self.output.show(&event);
        }
        let why = match &end {
            Ok(Outcome::Done) => "everything is confirmed".into(),
            Ok(Outcome::Unconfirmed) => "not everything is sent and confirmed".into(),
            Ok(Outcome::Interrupted | Outcome::Stopped) => "interrupted".into(),
            Err(error) => error.to_string(),
        };
        if self.connected {
            info!("disconnected: {why}; {}", self.parts.network.traffic());
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
            self.take_waiting();
            self.show();
            self.look_at_state(now);
            self.parts.transmit(now);
            if let Some(end) = self.parts.session.end().cloned() {
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
        let is_turn = self.parts.session.is_joined() && self.parts.session.has_room();
        if is_turn
            && !self.reading
            && self.state == State::Talking
            && let Some(turns) = &self.turns
        {
            self.reading = turns.send(()).is_ok();
        }
        let session = &self.parts.session;
        let own = match self.state {
            State::Talking => None,
            State::Finishing { since, told } => {
                let patience = if told { LAST_ACKS } else { LAST_ACKS_UNTOLD };
                Some(since.max(session.progress_at()) + patience)
            }
            State::Leaving(until) => Some(until),
        };
        let deadlines = [session.deadline(), own, Some(now + REST)];
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
                    network, session, ..
                } = &mut self.parts;
                network.receive(from, &bytes, session);
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
                self.leave(Instant::now());
                self.parts.transmit(Instant::now());
                return Err(JoinError::Output(error));
            }
            Input::SocketFailed(source) => {
                let what = "receive from the server";
                return Err(JoinError::System { what, source });
            }
        }
        Ok(())
    }

    /// Takes what was written, in its order, as long as the session has room for it.
    fn take_waiting(&mut self) {
        while self.state == State::Talking && self.parts.session.has_room() {
            match self.waiting.pop_front() {
                None => return,
                Some(Waiting::Line(line)) => self.line(line),
                Some(Waiting::Text(text, None)) => self.ask_or_refuse(Wish::say(&text)),
                Some(Waiting::Text(text, Some(to))) => {
                    self.ask_or_refuse(Wish::private(&to, &text));
                }
                Some(Waiting::End(broken)) => {
                    self.broken = broken;
                    self.finish();
                }
            }
        }
    }

    fn ask_or_refuse(&mut self, wish: Result<Wish, CommandError>) {
        match wish {
            Ok(wish) => self.ask(wish),
            Err(error) => self.refuse(error.to_string()),
        }
    }

    fn line(&mut self, line: Result<String, BadLine>) {
        let line = match line {
            Ok(line) => line,
            Err(error) => return self.refuse(error.to_string()),
        };
        if line.trim() == LEAVES_OTHERS && self.output.is_for_a_person() && !self.shown_out {
            self.shown_out = true;
            return self.hint("not said: /quit leaves; type exit again to say it".into());
        }
        match Command::parse(&line) {
            Ok(Command::Ask(wish)) => self.ask(wish),
            Ok(Command::Reply(text)) => match self.parts.session.correspondent() {
                Some(to) => self.ask(Wish::Private {
                    to: to.to_owned(),
                    text,
                }),
                None => self.refuse("not sent: nobody has written to you alone yet".into()),
            },
            Ok(Command::Clear) => self.output.clear(),
            Ok(Command::Ignore(nick)) => {
                let hidden = self.parts.session.ignore(&nick);
                self.hint(match hidden {
                    true if self.output.misses(&nick) => {
                        format!("nobody here is called {nick}; what {nick} says will be hidden")
                    }
                    true => format!("what {nick} says is hidden"),
                    false => format!("what {nick} says is shown again"),
                });
            }
            Ok(Command::Help) => {
                for (command, arguments, what) in COMMANDS {
                    self.hint(format!("{:<18} {what}", format!("{command} {arguments}")));
                }
            }
            Ok(Command::Quit) => self.finish(),
            Err(error) => self.refuse(error.to_string()),
        }
    }

    fn ask(&mut self, wish: Wish) {
        if let Err(error) = self.parts.session.ask(wish, Instant::now()) {
            self.refuse(format!("not sent: {error}"));
        }
    }

    /// Shows what there is, as far as the output takes it.
    fn show(&mut self) {
        while self.output.is_ready()
            && let Some(event) = self.parts.session.poll_event()
        {
            self.output.show(&event);
            if let DisplayEvent::You { nick } = event {
                let address = self.parts.network.address();
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
        let State::Finishing { since, told } = self.state else {
            return;
        };
        let session = &self.parts.session;
        let waited = now.saturating_duration_since(since.max(session.progress_at()));
        if session.is_settled() || waited >= LAST_ACKS {
            self.leave(now);
        } else if !told && waited >= LAST_ACKS_UNTOLD {
            self.state = State::Finishing { since, told: true };
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
            let (since, told) = (Instant::now(), false);
            self.state = State::Finishing { since, told };
        }
    }

    fn leave(&mut self, now: Instant) {
        if matches!(self.state, State::Leaving(_)) {
            return;
        }
        self.state = State::Leaving(now + GOODBYE);
        self.tell_unconfirmed();
        self.parts.session.leave(now);
    }

    fn tell_unconfirmed(&mut self) {
        while let Some(event) = self.parts.session.poll_event() {
            self.output.show(&event);
        }
        for event in self.parts.session.give_up() {
            self.failed = true;
            self.output.show(&event);
        }
        for waiting in std::mem::take(&mut self.waiting) {
            let text = match waiting {
                Waiting::Line(Ok(line)) => line,
                Waiting::Text(text, None) => text,
                Waiting::Text(text, Some(to)) => format!("/msg {to} {text}"),
                Waiting::Line(Err(_)) | Waiting::End(_) => continue,
            };
            self.failed = true;
            let trouble = format!("not confirmed: {text}");
            self.output.show(&DisplayEvent::Trouble(trouble));
        }
    }

    fn ended(&mut self, end: End, outcome: Outcome) -> Result<Outcome, JoinError> {
        self.tell_unconfirmed();
        self.failed |= self.parts.session.has_lost();
        if let Some(error) = self.broken.take() {
            return Err(JoinError::Input(error));
        }
        match end {
            End::Left if outcome == Outcome::Done && self.failed => Ok(Outcome::Unconfirmed),
            End::Left => Ok(outcome),
            End::NoAnswer => Err(self.parts.network.no_answer()),
            End::Refused { code, message } => Err(JoinError::Refused {
                nick: self.nick.clone(),
                code,
                message,
            }),
            End::Removed(reason) => Err(JoinError::Removed(reason)),
        }
    }

    /// Says why a line is not sent. A person writes it anew; for a file it is a failure.
    fn refuse(&mut self, why: String) {
        self.failed |= self.turns.is_some();
        self.output.show(&DisplayEvent::Trouble(why));
    }

    fn hint(&mut self, text: String) {
        self.output.show(&DisplayEvent::Hint(text));
    }
}
