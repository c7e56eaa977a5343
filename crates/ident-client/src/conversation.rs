//! One dialogue with a server: the greeting, then commands until `exit` or the end of the input.

use std::fmt;
use std::io::{BufRead, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use cli::read_line;
use proto::Escaped;
use proto::ident::{ErrorCode, MAX_BAD_NAMES, Reply, Request};
use proto::{Caller, Name, NameError, Passed};

use crate::command::{Command, HELP};
use crate::error::Error;

/// Who the client speaks for: a person at a terminal, or whoever has put a file or a pipe there.
pub struct Person<'a> {
    /// The name and the commands, a line each.
    pub input: &'a mut dyn BufRead,
    /// What the server grants.
    pub output: &'a mut dyn Write,
    /// Questions and explanations; that nobody can read them does not matter.
    pub errors: &'a mut dyn Write,
    /// Somebody types, is shown when to go on, and sees what was not granted.
    pub is_interactive: bool,
    /// A prompt stands without an answer. Whoever interrupts begins a line of its own then.
    pub is_asked: &'a AtomicBool,
}

/// Holds a dialogue until the input says `exit` or ends. A server that asks is given `name`, or what the person answers.
/// `told` hears of each read and write.
///
/// # Errors
///
/// What kept the dialogue from its end; [`Error::NotAllDone`] when it came there, but nobody sat by to see that something
/// was not granted.
pub fn converse<S: Read + Write>(
    stream: S,
    name: Option<&Name>,
    person: Person<'_>,
    told: impl FnMut(Passed),
) -> Result<(), Error> {
    let mut conversation = Conversation {
        caller: Caller::new(stream, told),
        person,
        bad_names: 0,
        not_done: 0,
    };
    match conversation.be_greeted(name)? {
        true => conversation.go_on(),
        false => conversation.leave(),
    }
}

struct Conversation<'a, S, T> {
    caller: Caller<S, T>,
    person: Person<'a>,
    bad_names: u32,
    /// Commands that were not granted, or were none.
    not_done: usize,
}

impl<S: Read + Write, T: FnMut(Passed)> Conversation<'_, S, T> {
    /// Says whether there is more to come from the person.
    fn be_greeted(&mut self, name: Option<&Name>) -> Result<bool, Error> {
        let greeting: Option<Reply> = self.caller.hear()?;
        match (greeting.ok_or(Error::ServerGone { cause: None })?, name) {
            (Reply::Welcome { name: known }, name) => {
                self.welcome(&known, name.map(Name::as_str))?;
                Ok(true)
            }
            (Reply::WhoAreYou, Some(name)) => {
                let name = name.as_str().to_owned();
                let request = Request::Name { name };
                match self.ask(&request)? {
                    Reply::Error { message, .. } => Err(Error::NameRefused { message }),
                    reply => self.show(reply, &request),
                }?;
                Ok(true)
            }
            (Reply::WhoAreYou, None) => self.introduce(),
            _ => Err(Error::OutOfPlace),
        }
    }

    /// Asks for a name until the server takes it. A person may leave instead, by `exit` too, which is a name in a pipe: scripts
    /// give names that they have not chosen. Says whether there is more to come.
    fn introduce(&mut self) -> Result<bool, Error> {
        let is_interactive = self.person.is_interactive;
        loop {
            let name = match self.read_line("What is your name? ", true)? {
                None if is_interactive => return Ok(false),
                None => return Err(Error::NoName),
                Some(line) if is_interactive && line.trim() == "exit" => return Ok(false),
                Some(line) if line.trim().is_empty() => {
                    if is_interactive {
                        let why = NameError::Empty;
                        self.explain(format_args!("{why}; exit or Ctrl-D leaves without one"));
                    }
                    continue;
                }
                Some(name) => name,
            };
            let request = Request::Name { name };
            let reply = self.ask(&request)?;
            let is_welcome = matches!(reply, Reply::Welcome { .. });
            self.show(reply, &request)?;
            if is_welcome {
                // A person has seen why the names before it were none, and a pipe has one that was taken.
                self.not_done = 0;
                return Ok(true);
            }
        }
    }

    /// Carries out commands until one is `exit` or the input is at its end, which is the same.
    fn go_on(&mut self) -> Result<(), Error> {
        loop {
            let line = self.read_line("> ", false)?;
            let request = match line.as_deref().map(Command::parse) {
                None => Request::Exit,
                Some(Command::Say(request)) => request,
                Some(Command::Nothing) => continue,
                Some(Command::Help) => {
                    self.explain(HELP);
                    continue;
                }
                Some(Command::Unknown(why)) => {
                    self.not_done += 1;
                    let why = Escaped::new(&why);
                    self.explain(format_args!("{why}; help lists the commands"));
                    continue;
                }
            };
            match self.ask(&request)? {
                Reply::Bye => break,
                reply => self.show(reply, &request)?,
            }
        }
        match self.not_done {
            count @ 1.. if !self.person.is_interactive => Err(Error::NotAllDone { count }),
            _ => Ok(()),
        }
    }

    fn leave(&mut self) -> Result<(), Error> {
        match self.ask(&Request::Exit)? {
            Reply::Bye => Ok(()),
            _ => Err(Error::OutOfPlace),
        }
    }

    fn ask(&mut self, request: &Request) -> Result<Reply, Error> {
        let reply = self.caller.ask(request)?;
        reply.ok_or(Error::ServerGone { cause: None })
    }

    fn show(&mut self, reply: Reply, request: &Request) -> Result<(), Error> {
        match reply {
            Reply::Welcome { name: known } => {
                let given = match request {
                    Request::Name { name } => Some(name.as_str()),
                    _ => None,
                };
                self.welcome(&known, given)
            }
            Reply::YouAre { name, address } => {
                self.print(format_args!("You are {name}, by your address {address}."))
            }
            Reply::Forgotten => self.print("Your name is forgotten."),
            Reply::Error { code, message } => {
                self.not_done += 1;
                self.explain(Escaped::new(&message));
                self.bad_names += u32::from(code == ErrorCode::BadName);
                match (code, MAX_BAD_NAMES.saturating_sub(self.bad_names)) {
                    (ErrorCode::BadName, 0) => return Err(Error::TooManyBadNames),
                    (ErrorCode::BadName, 1) => {
                        self.explain("the server ends the connection after one more bad name");
                    }
                    _ => {}
                }
                Ok(())
            }
            Reply::WhoAreYou | Reply::Bye => Err(Error::OutOfPlace),
        }
    }

    /// Greets by the name that the server knows, which may not be the one that it was given.
    fn welcome(&mut self, known: &Name, given: Option<&str>) -> Result<(), Error> {
        self.print(format_args!("Hello, {known}!"))?;
        let given = given.map(Name::parse);
        if given
            .as_ref()
            .is_some_and(|given| given.as_ref() != Ok(known))
        {
            let other = given.and_then(Result::ok);
            let other = other.as_ref().map_or("NAME", Name::as_str);
            self.explain(format_args!(
                "you are {known} already; rename {other} changes it"
            ));
        }
        Ok(())
    }

    /// A line of text; `None` at the end of the input. What is none is explained and asked for again.
    fn read_line(&mut self, prompt: &str, is_question: bool) -> Result<Option<String>, Error> {
        loop {
            self.prompt(prompt, is_question);
            let line = read_line(&mut self.person.input);
            self.person.is_asked.store(false, Ordering::Relaxed);
            match line.map_err(Error::Input)? {
                Some(Err(bad_line)) => {
                    self.not_done += 1;
                    self.explain(bad_line);
                }
                Some(Ok(line)) => return Ok(Some(line)),
                None => {
                    if self.person.is_interactive {
                        // Nobody pressed Enter, so the cursor still stands after the prompt.
                        self.explain("");
                    }
                    return Ok(None);
                }
            }
        }
    }

    fn print(&mut self, line: impl fmt::Display) -> Result<(), Error> {
        let output = &mut self.person.output;
        let printed = writeln!(output, "{line}").and_then(|()| output.flush());
        printed.map_err(Error::Output)
    }

    fn explain(&mut self, lines: impl fmt::Display) {
        let _ = writeln!(self.person.errors, "{lines}");
    }

    /// Shows a person that it is their turn. Where nobody types, only a question is worth a line.
    fn prompt(&mut self, prompt: &str, is_question: bool) {
        if self.person.is_interactive {
            self.person.is_asked.store(true, Ordering::Relaxed);
            let _ = write!(self.person.errors, "{prompt}");
            let _ = self.person.errors.flush();
        } else if is_question {
            self.explain(prompt.trim_end());
        }
    }
}
