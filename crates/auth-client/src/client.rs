//! What the client does: goes on with a kept session or begins one, and carries out commands in it.

mod credentials;

use std::io::{Read, Write};

use proto::Escaped;
use proto::auth::{ErrorCode, Reply, Request};
use proto::{Caller, Name, Passed, Secret};

use crate::command::{Command, HELP, Line};
use crate::error::Error;
use crate::person::Person;
use crate::table::Table;
use crate::token_file::TokenFile;

/// A client in a dialogue with a server.
pub struct Client<'a, S, T> {
    caller: Caller<S, T>,
    person: Person<'a>,
    tokens: TokenFile,
    /// What the server's token is kept by.
    server: String,
    /// Who the person said to be, before anything was asked.
    user: Option<Name>,
    /// Whose session is kept, when that is somebody else.
    other: Option<Name>,
    /// The token of the session that the connection speaks for, for all that is known.
    session: Option<Secret>,
}

impl<'a, S: Read + Write, T: FnMut(Passed)> Client<'a, S, T> {
    /// A client over a stream to a server. `told` hears of each read and write.
    pub fn new(
        stream: S,
        server: String,
        tokens: TokenFile,
        user: Option<Name>,
        person: Person<'a>,
        told: T,
    ) -> Self {
        Self {
            caller: Caller::new(stream, told),
            person,
            tokens,
            server,
            user,
            other: None,
            session: None,
        }
    }

    /// Carries out one command, in the kept session if it needs one.
    ///
    /// # Errors
    ///
    /// What kept it from being done.
    pub fn run(mut self, command: Command) -> Result<(), Error> {
        self.guard_tokens()?;
        match &command {
            Command::Register { .. } | Command::Login { .. } => {}
            // It needs the password anyway, and asks for it once.
            Command::Passwd => drop(self.resume()?),
            Command::Logout { all: false } => {
                self.resume()?.ok_or_else(|| self.not_logged_in())?;
            }
            _ => self.be_in_session()?,
        }
        self.carry_out(command)?;
        self.leave()
    }

    /// Greets, and carries out commands until the input says `exit` or ends.
    ///
    /// # Errors
    ///
    /// What kept the dialogue from its end; [`Error::NotAllDone`] when it came there, but nobody sat by to see that something
    /// was not granted.
    pub fn converse(mut self) -> Result<(), Error> {
        self.guard_tokens()?;
        match self.resume()? {
            Some(user) => {
                // A script cannot know whether a token is kept, so its first line is a password in any case.
                self.person.skip_password()?;
                self.person.print(format_args!("Hello, {user}!"))?;
            }
            None if self.person.is_interactive() => {
                let has_more = self.introduce()?;
                if !has_more {
                    return self.leave();
                }
            }
            None if !self.person.has_passwords() => return Err(self.not_logged_in()),
            None => match self.user.clone() {
                Some(user) => self.log_in(user)?,
                // The input may have commands to register or log in.
                None => self.person.skip_password()?,
            },
        }
        let mut not_done = 0;
        while let Some(line) = self.person.line("> ")? {
            let refused = match Line::parse(&line) {
                Line::Nothing => continue,
                Line::Exit => break,
                Line::Help => {
                    self.person.explain(HELP);
                    continue;
                }
                Line::Unknown(why) => {
                    self.person
                        .explain(format_args!("{why}; help lists the commands"));
                    true
                }
                Line::Do(command) => self.is_refused(|client| client.carry_out(command))?,
            };
            not_done += usize::from(refused);
        }
        self.leave()?;
        match not_done {
            count @ 1.. if !self.person.is_interactive() => Err(Error::NotAllDone { count }),
            _ => Ok(()),
        }
    }

    /// Asks who the person is until the server knows them; they may also go on without, to register. Says whether there is more
    /// to come from them.
    fn introduce(&mut self) -> Result<bool, Error> {
        let prompt = "User (Enter alone to go on without logging in): ";
        loop {
            let user = match self.user.take() {
                Some(user) => user,
                None => match self.person.line(prompt)? {
                    None => return Ok(false),
                    Some(line) if line.trim().is_empty() => {
                        self.person.explain(HELP);
                        return Ok(true);
                    }
                    Some(line) => match Name::parse(&line) {
                        Ok(user) => user,
                        Err(error) => {
                            self.person.explain(error);
                            continue;
                        }
                    },
                },
            };
            if !self.is_refused(|client| client.log_in(user))? {
                return Ok(true);
            }
        }
    }

    /// Whether something was refused, which a person is told and can live with.
    fn is_refused(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        match act(self) {
            Ok(()) => Ok(false),
            Err(error @ (Error::Refused { .. } | Error::BadName(_) | Error::BadPassword)) => {
                self.person.explain(error);
                Ok(true)
            }
            // Ctrl-D instead of an answer.
            Err(Error::NoName | Error::NoPassword) if self.person.is_interactive() => {
                self.person.explain("cancelled");
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    fn carry_out(&mut self, command: Command) -> Result<(), Error> {
        match command {
            Command::Register { user } => self.register(user),
            Command::Login { user } => {
                let user = self.name(user)?;
                self.log_in(user)
            }
            Command::Whoami => match self.ask(&Request::Whoami)? {
                Reply::YouAre { user } => self.person.print(format_args!("You are {user}.")),
                reply => Err(self.refused(reply)),
            },
            Command::Passwd => self.change_password(),
            Command::Sessions => match self.ask(&Request::Sessions)? {
                Reply::Sessions { sessions } => self.person.print(Table(&sessions)),
                reply => Err(self.refused(reply)),
            },
            Command::Revoke { id } => match self.ask(&Request::Revoke { id })? {
                Reply::Revoked { id } => {
                    let id = Escaped::new(&id);
                    self.person.print(format_args!("Session {id} is ended."))
                }
                reply => Err(self.refused(reply)),
            },
            Command::Logout { all } => self.log_out(all),
        }
    }

    /// Goes on with the kept session, if there is one and it is of the user that was named.
    fn resume(&mut self) -> Result<Option<Name>, Error> {
        let Some(token) = self.tokens.token(&self.server)? else {
            return Ok(None);
        };
        let resume = Request::Resume {
            token: token.clone(),
        };
        match self.ask(&resume)? {
            Reply::Session { user, .. } => {
                let is_meant = |named: &Name| named.caseless_key() == user.caseless_key();
                if self.user.as_ref().is_none_or(is_meant) {
                    self.session = Some(token);
                    return Ok(Some(user));
                }
                self.other = Some(user);
                Ok(None)
            }
            Reply::Error {
                code: ErrorCode::SessionExpired,
                ..
            } => {
                self.tokens.forget(&self.server, &token)?;
                self.person.explain("the session is over; log in again");
                Ok(None)
            }
            reply => Err(self.refused(reply)),
        }
    }

    fn be_in_session(&mut self) -> Result<(), Error> {
        match self.resume()? {
            Some(_) => Ok(()),
            None if self.person.has_passwords() => {
                let user = self.name(None)?;
                self.log_in(user)
            }
            None => Err(self.not_logged_in()),
        }
    }

    fn not_logged_in(&self) -> Error {
        match (&self.other, &self.user) {
            (Some(owner), Some(user)) => Error::AnothersSession {
                server: self.server.clone(),
                owner: owner.clone(),
                user: user.clone(),
            },
            _ => Error::NotLoggedIn,
        }
    }

    fn log_out(&mut self, all: bool) -> Result<(), Error> {
        let (request, done) = match all {
            true => (Request::LogoutAll, "All sessions are ended."),
            false => (Request::Logout, "The session is ended."),
        };
        match self.ask(&request)? {
            Reply::LoggedOut => {
                if let Some(token) = self.session.take() {
                    self.tokens.forget(&self.server, &token)?;
                }
                self.person.print(done)
            }
            reply => Err(self.refused(reply)),
        }
    }

    /// Tells of tokens that others could read until now.
    fn guard_tokens(&mut self) -> Result<(), Error> {
        if let Some(mode) = self.tokens.make_private()? {
            let path = self.tokens.path().display().to_string();
            let path = Escaped::new(&path);
            self.person.explain(format_args!(
                "others could read the tokens in {path} (mode {mode:04o}); now it is 0600, and logout --all ends what they may use"
            ));
        }
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Error> {
        match self.ask(&Request::Exit)? {
            Reply::Bye => Ok(()),
            reply => Err(self.refused(reply)),
        }
    }

    fn ask(&mut self, request: &Request) -> Result<Reply, Error> {
        let reply = self.caller.ask(request)?;
        reply.ok_or(Error::ServerGone { cause: None })
    }

    /// What a reply means that does not grant what was asked for.
    fn refused(&mut self, reply: Reply) -> Error {
        match reply {
            Reply::Error { code, message } => {
                if let ErrorCode::SessionExpired | ErrorCode::NotLoggedIn = code {
                    self.session = None;
                }
                Error::Refused { code, message }
            }
            _ => Error::OutOfPlace,
        }
    }
}
