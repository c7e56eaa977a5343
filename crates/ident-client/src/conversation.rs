//! One dialogue with a server: the greeting, then commands until `exit` or the end of the input.

use std::fmt;
use std::io::{BufRead, Read, Write};

use cli::{Escaped, read_line};
use proto::ident::{ErrorCode, MAX_BAD_NAMES, Reply, Request};
use proto::{Caller, Name, Passed};

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
    conversation.be_greeted(name)?;
    conversation.go_on()
}

struct Conversation<'a, S, T> {
    caller: Caller<S, T>,
    person: Person<'a>,
    bad_names: u32,
    /// Commands that were not granted, or were none.
    not_done: usize,
}

impl<S: Read + Write, T: FnMut(Passed)> Conversation<'_, S, T> {
    fn be_greeted(&mut self, name: Option<&Name>) -> Result<(), Error> {
        let greeting: Option<Reply> = self.caller.hear()?;
        match (greeting.ok_or(Error::ServerGone { cause: None })?, name) {
            (Reply::Welcome { name: known }, name) => {
                self.print(format_args!("Hello, {known}!"))?;
                if name.is_some_and(|name| *name != known) {
                    self.explain(format_args!(
                        "the server knows this address by that name already; rename changes it"
                    ));
                }
                Ok(())
            }
            (Reply::WhoAreYou, Some(name)) => {
                let name = name.as_str().to_owned();
                match self.ask(&Request::Name { name })? {
                    Reply::Error { message, .. } => Err(Error::NameRefused { message }),
                    reply => self.show(reply),
                }
            }
            (Reply::WhoAreYou, None) => self.introduce(),
            (Reply::Error { message, .. }, _) => Err(Error::NameRefused { message }),
            _ => Err(Error::OutOfPlace),
        }
    }

    /// Asks the person for a name until the server takes it.
    fn introduce(&mut self) -> Result<(), Error> {
        loop {
            self.prompt("What is your name? ", true);
            let name = match self.read_line()? {
                None => return Err(Error::NoName),
                Some(line) if line.trim().is_empty() => continue,
                Some(name) => name,
            };
            let reply = self.ask(&Request::Name { name })?;
            let is_welcome = matches!(reply, Reply::Welcome { .. });
            self.show(reply)?;
            if is_welcome {
                // A person has seen why the names before it were none, and a pipe has one that was taken.
                self.not_done = 0;
                return Ok(());
            }
        }
    }

    /// Carries out commands until one is `exit` or the input is at its end, which is the same.
    fn go_on(&mut self) -> Result<(), Error> {
        loop {
            self.prompt("> ", false);
            let request = match self.read_line()?.as_deref().map(Command::parse) {
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
                    self.explain(format_args!("{why}; these are:\n{HELP}"));
                    continue;
                }
            };
            match self.ask(&request)? {
                Reply::Bye => break,
                reply => self.show(reply)?,
            }
        }
        match self.not_done {
            count @ 1.. if !self.person.is_interactive => Err(Error::NotAllDone { count }),
            _ => Ok(()),
        }
    }

    fn ask(&mut self, request: &Request) -> Result<Reply, Error> {
        let reply = self.caller.ask(request)?;
        reply.ok_or(Error::ServerGone { cause: None })
    }

    fn show(&mut self, reply: Reply) -> Result<(), Error> {
        match reply {
            Reply::Welcome { name } => self.print(format_args!("Hello, {name}!")),
            Reply::YouAre { name, address } => {
                self.print(format_args!("You are {name}, by your address {address}."))
            }
            Reply::Forgotten => self.print("Your name is forgotten."),
            Reply::Error { code, message } => {
                self.not_done += 1;
                self.explain(Escaped::new(&message));
                self.bad_names += u32::from(code == ErrorCode::BadName);
                if self.bad_names < MAX_BAD_NAMES {
                    Ok(())
                } else {
                    Err(Error::TooManyBadNames)
                }
            }
            Reply::WhoAreYou | Reply::Bye => Err(Error::OutOfPlace),
        }
    }

    /// A line of text; `None` at the end of the input. What is none is explained and passed over.
    fn read_line(&mut self) -> Result<Option<String>, Error> {
        loop {
            match read_line(&mut self.person.input).map_err(Error::Input)? {
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
            let _ = write!(self.person.errors, "{prompt}");
            let _ = self.person.errors.flush();
        } else if is_question {
            self.explain(prompt.trim_end());
        }
    }
}
