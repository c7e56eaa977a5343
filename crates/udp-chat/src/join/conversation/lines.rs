//! What was written: lines taken in their order, as texts, commands, or answers to a question.

use std::io;
use std::time::Instant;

use super::super::command::{COMMANDS, Command, CommandError, Outgoing};
use super::super::display::DisplayEvent;
use super::super::lines::LineError;
use super::super::output::Output;
use super::super::people::Ignored;
use super::{Conversation, State};
use crate::nick::Nick;

/// What ends the suite's other dialogues. Here it is a text, but hardly meant as one.
const LEAVES_OTHERS: &str = "exit";

/// Something that was written.
#[derive(Debug)]
pub(super) enum Waiting {
    Line(Result<String, LineError>),
    /// A text, for one member or for all.
    Text(String, Option<String>),
    /// Nothing follows; with the reason, if the input broke.
    End(Option<io::Error>),
}

impl<O: Output> Conversation<O> {
    /// Takes what was written as long as the session has room for it.
    pub(super) fn take_waiting(&mut self) {
        while self.state == State::Talking
            && (self.parts.session.has_room() || self.is_asking_for_nick)
        {
            match self.waiting.pop_front() {
                None => return,
                Some(Waiting::Line(Ok(line))) if self.is_asking_for_nick => self.answer_nick(&line),
                Some(Waiting::Line(line)) => self.line(line),
                Some(Waiting::Text(text, None)) => self.ask_or_refuse(Outgoing::say(&text)),
                Some(Waiting::Text(text, Some(to))) => {
                    self.ask_or_refuse(Outgoing::private(&to, &text));
                }
                Some(Waiting::End(broken)) => {
                    self.broken = broken;
                    self.finish();
                }
            }
        }
    }

    /// Shows all that was written and is not confirmed.
    pub(super) fn report_unconfirmed(&mut self) {
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

    /// A line that answers the question for another nick.
    fn answer_nick(&mut self, line: &str) {
        let nick = line.trim();
        let nick = nick.strip_prefix("/nick ").unwrap_or(nick).trim();
        match Nick::parse(nick) {
            Ok(nick) => {
                self.is_asking_for_nick = false;
                self.output.ask_for_nick(false);
                self.nick = nick.to_string();
                self.parts.session.join_as(nick.as_str(), Instant::now());
            }
            Err(why) => self.refuse(why.to_string()),
        }
    }

    fn line(&mut self, line: Result<String, LineError>) {
        let line = match line {
            Ok(line) => line,
            Err(error) => return self.refuse(error.to_string()),
        };
        if line.trim() == LEAVES_OTHERS && self.output.is_for_a_person() && !self.shown_out {
            self.shown_out = true;
            return self.hint("not said: /quit leaves; type exit again to say it".into());
        }
        match Command::parse(&line) {
            Ok(Command::Ask(outgoing)) => self.ask(outgoing),
            Ok(Command::Reply(text)) => match self.parts.session.correspondent() {
                Some(to) => self.ask(Outgoing::Private {
                    to: to.to_owned(),
                    text,
                }),
                None => self.refuse("not sent: nobody has written to you alone yet".into()),
            },
            Ok(Command::Ignore(nick)) => self.ignore(&nick),
            Ok(Command::Clear) => self.output.clear(),
            Ok(Command::Help) => {
                for (command, arguments, what) in COMMANDS {
                    self.hint(format!("{:<18} {what}", format!("{command} {arguments}")));
                }
            }
            Ok(Command::Quit) => self.finish(),
            Err(error) => self.refuse(error.to_string()),
        }
    }

    fn ignore(&mut self, nick: &str) {
        let hint = match self.parts.session.ignore(nick) {
            Ignored::Hidden => format!("what {nick} says is hidden"),
            Ignored::HiddenLater => {
                format!("nobody here is called {nick}; what {nick} says will be hidden")
            }
            Ignored::ShownAgain => format!("what {nick} says is shown again"),
        };
        self.hint(hint);
    }

    fn ask_or_refuse(&mut self, outgoing: Result<Outgoing, CommandError>) {
        match outgoing {
            Ok(outgoing) => self.ask(outgoing),
            Err(error) => self.refuse(error.to_string()),
        }
    }

    fn ask(&mut self, outgoing: Outgoing) {
        if let Err(error) = self.parts.session.ask(outgoing, Instant::now()) {
            self.refuse(format!("not sent: {error}"));
        }
    }

    /// Says why a line is not sent. A person writes it again; for a file it is a failure.
    fn refuse(&mut self, why: String) {
        self.failed |= self.turns.is_some();
        self.output.show(&DisplayEvent::Trouble(why));
    }
}
