//! One dialogue with a server: the greeting, then commands until `exit` or the end of the input.

use std::io::{Read, Write};

use dialogue::{Client, ClientError, Console};
use proto::Escaped;
use proto::ident::{ErrorCode, MAX_BAD_NAMES, Reply, Request};
use proto::{Name, NameError, Observer};

use crate::command::{COMMANDS, is_command};
use crate::error::Error;

/// How much of a line is repeated to the person who typed it.
const SHOWN_CHARACTERS: usize = 60;

/// Holds a dialogue until the input has `exit` or ends. A server that asks for a name gets `name`, or a line of the
/// input. `observer` gets a report of each read and write.
///
/// # Errors
///
/// Whatever ended the dialogue early; [`Error::Console`] if it came to its end without a terminal, but some commands
/// failed.
pub fn converse<S: Read + Write>(
    stream: S,
    name: Option<&Name>,
    console: Console<'_>,
    observer: impl Observer,
) -> Result<(), Error> {
    let mut client = IdentClient {
        client: Client::new(stream, observer),
        console,
        bad_names: 0,
    };
    match client.be_greeted(name)? {
        true => client.go_on(),
        false => client.leave(),
    }
}

struct IdentClient<'a, S: Read + Write, O: Observer> {
    client: Client<S, O>,
    console: Console<'a>,
    bad_names: u32,
}

impl<S: Read + Write, O: Observer> IdentClient<'_, S, O> {
    /// Gets the greeting, and a name where the server asks for one. Returns false if a person leaves instead.
    fn be_greeted(&mut self, name: Option<&Name>) -> Result<bool, Error> {
        let greeting: Reply = self.client.recv().map_err(|error| match error {
            ClientError::TimedOut => Error::NoGreeting,
            ClientError::Closed => Error::ClosedBeforeGreeting,
            error => error.into(),
        })?;
        match (greeting, name) {
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
            (
                Reply::Error {
                    code: ErrorCode::Unavailable,
                    message,
                },
                _,
            ) => Err(Error::Refused { message }),
            _ => Err(Error::Dialogue(ClientError::UnexpectedMessage)),
        }
    }

    /// Asks for a name until the server takes it. Returns false if a person leaves instead, by `exit` or Ctrl-D.
    ///
    /// A line that is a command is never taken for a name: in a script the name before it may be missing or unreadable.
    /// Without a terminal the first bad answer ends the dialogue, since the next line is not meant as an answer.
    fn introduce(&mut self) -> Result<bool, Error> {
        let is_interactive = self.console.is_interactive();
        loop {
            let name = match self.read_answer("What is your name? ")? {
                None if is_interactive => return Ok(false),
                None => return Err(Error::NoName),
                Some(line) if line.trim().is_empty() => {
                    if is_interactive {
                        let why = NameError::Empty;
                        self.console
                            .explain(format_args!("{why}; exit or Ctrl-D leaves without one"));
                    }
                    continue;
                }
                Some(line) if is_command(&line) => {
                    match line.trim() {
                        _ if !is_interactive => return Err(Error::CommandForName { line }),
                        "exit" => return Ok(false),
                        line => {
                            let line = Escaped::new(line).quoted().cut(SHOWN_CHARACTERS);
                            self.console.explain(format_args!(
                                "{line} is a command, and the name comes first; --name gives it as a name"
                            ));
                        }
                    }
                    continue;
                }
                Some(name) => name,
            };
            let request = Request::Name { name };
            let reply = self.ask(&request)?;
            let is_welcome = matches!(reply, Reply::Welcome { .. });
            match reply {
                Reply::Error { message, .. } if !is_interactive => {
                    return Err(Error::NameRefused { message });
                }
                reply => self.show(reply, &request)?,
            }
            if is_welcome {
                return Ok(true);
            }
        }
    }

    /// Runs commands until `exit` or the end of the input.
    fn go_on(&mut self) -> Result<(), Error> {
        while let Some(request) = self.console.next_command(&COMMANDS)? {
            let reply = self.ask(&request)?;
            self.show(reply, &request)?;
        }
        self.leave()?;
        Ok(self.console.finish()?)
    }

    fn leave(&mut self) -> Result<(), Error> {
        match self.ask(&Request::Exit)? {
            Reply::Bye => Ok(()),
            _ => Err(Error::Dialogue(ClientError::UnexpectedMessage)),
        }
    }

    /// Sends a request and receives its reply: an error, or the one kind that answers such a request.
    fn ask(&mut self, request: &Request) -> Result<Reply, Error> {
        let reply = self.client.request(request)?;
        match (request, &reply) {
            (_, Reply::Error { .. })
            | (Request::Name { .. } | Request::Rename { .. }, Reply::Welcome { .. })
            | (Request::Whoami, Reply::YouAre { .. })
            | (Request::Forget, Reply::Forgotten)
            | (Request::Exit, Reply::Bye) => Ok(reply),
            _ => Err(Error::Dialogue(ClientError::UnexpectedMessage)),
        }
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
                let line = format_args!("You are {name}, by your address {address}.");
                Ok(self.console.print(line)?)
            }
            Reply::Forgotten => Ok(self.console.print("Your name is forgotten.")?),
            Reply::Error { code, message } => {
                self.console.fail(Escaped::new(&message));
                self.bad_names += u32::from(code == ErrorCode::BadName);
                match (code, MAX_BAD_NAMES.saturating_sub(self.bad_names)) {
                    (ErrorCode::BadName, 0) => return Err(Error::TooManyBadNames),
                    (ErrorCode::BadName, 1) => {
                        self.console
                            .explain("the server ends the connection after one more bad name");
                    }
                    _ => {}
                }
                Ok(())
            }
            Reply::WhoAreYou | Reply::Bye => Err(Error::Dialogue(ClientError::UnexpectedMessage)),
        }
    }

    /// Shows the name that the server knows, which may not be the one that it was given.
    fn welcome(&mut self, known: &Name, given: Option<&str>) -> Result<(), Error> {
        self.console.print(format_args!("Hello, {known}!"))?;
        let given = given.map(Name::parse);
        if given
            .as_ref()
            .is_some_and(|given| given.as_ref() != Ok(known))
        {
            let other = given.and_then(Result::ok);
            let other = other.as_ref().map_or("NAME", Name::as_str);
            self.console.explain(format_args!(
                "you are {known} already; rename {other} changes it"
            ));
        }
        Ok(())
    }

    /// Reads the answer to a question; `None` at the end of the input.
    fn read_answer(&mut self, question: &str) -> Result<Option<String>, Error> {
        if !self.console.is_interactive() {
            self.console.explain(question.trim_end());
        }
        let answer = self.console.ask(question)?;
        answer.transpose().map_err(Error::BadAnswer)
    }
}
