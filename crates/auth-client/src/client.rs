//! The client: resumes a kept session or opens one, and runs commands in it.

mod credentials;

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use dialogue::{ClientError, Console, Line};
use proto::auth::{ErrorCode, Reply, Request};
use proto::{Escaped, caseless_key};
use proto::{Name, Observer, Secret};

use crate::command::{COMMANDS, Command, HELP};
use crate::error::Error;
use crate::failures::Failures;
use crate::passwords::Passwords;
use crate::server::Server;
use crate::table::Table;
use crate::token_file::TokenFile;

/// The longest wait that the server may impose on a program without a terminal before it tries once more.
const MAX_WAIT_SECONDS: u64 = 5;

/// A client in a dialogue with a server.
pub struct Client<'a, S: Read + Write, O: Observer> {
    dialogue: dialogue::Client<S, O>,
    console: Console<'a>,
    passwords: Passwords<'a>,
    tokens: TokenFile,
    server: Server,
    /// The user named by a flag.
    user: Option<Name>,
    /// The user of the kept session, if that is another one.
    other: Option<Name>,
    /// The token of the connection's session, as far as is known.
    session: Option<Secret>,
    has_waited: bool,
    failures: Failures,
}

impl<'a, S: Read + Write, O: Observer> Client<'a, S, O> {
    /// A client over a stream to a server. `observer` gets a report of each read and write.
    pub fn new(
        stream: S,
        server: Server,
        tokens: TokenFile,
        user: Option<Name>,
        (console, passwords): (Console<'a>, Passwords<'a>),
        observer: O,
    ) -> Self {
        Self {
            dialogue: dialogue::Client::new(stream, observer),
            console,
            passwords,
            tokens,
            server,
            user,
            other: None,
            session: None,
            has_waited: false,
            failures: Failures::default(),
        }
    }

    /// Runs one command, in the kept session if it needs one.
    ///
    /// # Errors
    ///
    /// Why it was not done.
    pub fn run(mut self, command: Command) -> Result<(), Error> {
        self.guard_tokens()?;
        match &command {
            Command::Register { .. } | Command::Login { .. } => {}
            // It needs the password anyway, and asks for it once.
            Command::Passwd => drop(self.resume()?),
            Command::Logout { all: false } => {
                self.resume()?.ok_or_else(|| self.not_logged_in())?;
            }
            // A person who asks this does not want to log in first.
            Command::Whoami if self.console.is_interactive() => {
                self.resume()?.ok_or_else(|| self.not_logged_in())?;
            }
            _ => self.be_in_session()?,
        }
        self.carry_out(command)?;
        self.leave()
    }

    /// Greets, and runs commands until the input says `exit` or ends.
    ///
    /// # Errors
    ///
    /// Whatever ended the dialogue early; [`ConsoleError::NotAllDone`](dialogue::ConsoleError::NotAllDone) if it came
    /// to its end without a terminal, but some commands failed.
    pub fn converse(mut self) -> Result<(), Error> {
        self.guard_tokens()?;
        match self.resume()? {
            Some(user) => {
                // A script cannot know whether a token is kept, so its first line is a password in any case.
                self.passwords.skip(&mut self.console)?;
                self.console.print(format_args!("Hello, {user}!"))?;
            }
            None if self.console.is_interactive() => {
                let has_more = self.introduce()?;
                if !has_more {
                    return self.leave();
                }
            }
            None if !self.passwords.are_available() => return Err(self.not_logged_in()),
            None => match self.user.clone() {
                Some(user) => self.log_in(user)?,
                // The input may have commands to register or log in.
                None => self.passwords.skip(&mut self.console)?,
            },
        }
        while let Some(command) = self.console.next_command(&COMMANDS)? {
            self.is_refused(|client| client.carry_out(command))?;
        }
        self.leave()?;
        Ok(self.console.finish()?)
    }

    /// Asks a person without a session to register or to log in, until one of them succeeds. Returns false if the
    /// person leaves.
    fn introduce(&mut self) -> Result<bool, Error> {
        if let Some(user) = self.user.take()
            && !self.is_refused(|client| client.log_in(user))?
        {
            return Ok(true);
        }
        loop {
            let prompt = "Register or log in? [r/l, Enter for neither]: ";
            let Some(Ok(line)) = self.console.ask(prompt)? else {
                return Ok(false);
            };
            let command = match line.trim() {
                "" => {
                    self.console.explain(HELP);
                    return Ok(true);
                }
                "r" => Command::Register { user: None },
                "l" => Command::Login { user: None },
                line => match COMMANDS.parse(line) {
                    Line::Do(command @ (Command::Register { .. } | Command::Login { .. })) => {
                        command
                    }
                    Line::Exit => return Ok(false),
                    _ => {
                        let choices =
                            "r registers a new user, l logs in, Enter goes on without, exit leaves";
                        self.console.explain(choices);
                        continue;
                    }
                },
            };
            if !self.is_refused(|client| client.carry_out(command))? {
                return Ok(true);
            }
        }
    }

    /// Runs `act` and returns whether it failed in a way that the dialogue survives. The failure is explained.
    fn is_refused(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        match act(self) {
            Ok(()) => Ok(false),
            Err(
                error @ (Error::Refused { .. }
                | Error::WrongPassword { .. }
                | Error::BadName(_)
                | Error::BadPassword
                | Error::TokenFile(_)
                | Error::NotKept { .. }),
            ) => {
                self.console.fail(error);
                Ok(true)
            }
            // Ctrl-D instead of an answer.
            Err(Error::NoName | Error::NoPassword) if self.console.is_interactive() => {
                self.console.fail("cancelled");
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
                Reply::YouAre { user } => {
                    Ok(self.console.print(format_args!("You are {user}."))?)
                }
                reply => Err(self.refused(reply)),
            },
            Command::Passwd => self.change_password(),
            Command::Sessions => match self.ask(&Request::Sessions)? {
                Reply::Sessions { sessions } => Ok(self.console.print(Table(&sessions))?),
                reply => Err(self.refused(reply)),
            },
            Command::Revoke { id } => match self.ask(&Request::Revoke { id })? {
                Reply::Revoked { id } => {
                    let id = Escaped::new(&id);
                    Ok(self.console.print(format_args!("Session {id} is ended."))?)
                }
                reply => Err(self.refused(reply)),
            },
            Command::Logout { all } => self.log_out(all),
        }
    }

    /// Resumes the kept session, if there is one and it is of the user that was named.
    fn resume(&mut self) -> Result<Option<Name>, Error> {
        let Some(token) = self.tokens.token(&self.server.token_key())? else {
            self.explain_token_not_sent()?;
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
                self.console.explain("the session is over; log in again");
                if let Err(error) = self.tokens.forget(&self.server.token_key(), &token) {
                    self.console.explain(error);
                }
                Ok(None)
            }
            reply => Err(self.refused(reply)),
        }
    }

    /// Explains why a token that was kept at a connection without TLS, or by a version without TLS, is not used.
    fn explain_token_not_sent(&mut self) -> Result<(), Error> {
        if let Some(address) = self.server.plaintext_token_key()
            && self.tokens.token(&address)?.is_some()
        {
            self.console.explain(format_args!(
                "the token kept for {address} is not sent: it was kept without the server's key; log in again"
            ));
        }
        Ok(())
    }

    fn be_in_session(&mut self) -> Result<(), Error> {
        match self.resume()? {
            Some(_) => Ok(()),
            None if self.passwords.are_available() => {
                let user = self.name(None)?;
                self.log_in(user)
            }
            None => Err(self.not_logged_in()),
        }
    }

    fn not_logged_in(&self) -> Error {
        match (&self.other, &self.user) {
            (Some(owner), Some(user)) => Error::AnothersSession {
                server: self.server.token_key(),
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
                self.console.print(done)?;
                let Some(token) = self.session.take() else {
                    return Ok(());
                };
                let forgotten = self.tokens.forget(&self.server.token_key(), &token);
                forgotten.map_err(|cause| Error::NotKept {
                    done: "the session is ended, but its token stays in the file",
                    cause,
                })
            }
            reply => Err(self.refused(reply)),
        }
    }

    /// Warns about tokens that others could read until now, or that another name of the file keeps.
    fn guard_tokens(&mut self) -> Result<(), Error> {
        if let Some(exposure) = self.tokens.make_private()? {
            let exposure = exposure.to_string();
            self.console.explain(format_args!(
                "{}; logout --all ends the sessions that others may use",
                Escaped::new(&exposure)
            ));
        }
        if self.tokens.has_further_names()? {
            self.console.explain(format_args!(
                "{}: it has further names (hard links), which keep its old tokens when it changes",
                Escaped::new(&self.tokens.path().display().to_string())
            ));
        }
        Ok(())
    }

    /// Makes sure that a new token can be kept, before the server changes anything.
    fn check_tokens(&mut self) -> Result<(), Error> {
        self.tokens.check_writable()?;
        self.guard_tokens()
    }

    fn leave(&mut self) -> Result<(), Error> {
        match self.ask(&Request::Exit)? {
            Reply::Bye => Ok(()),
            reply => Err(self.refused(reply)),
        }
    }

    /// Sends a request and returns its reply. Without a terminal this waits once if the server demands a
    /// short wait.
    fn ask(&mut self, request: &Request) -> Result<Reply, Error> {
        loop {
            let reply = self.dialogue.request(request)?;
            let Reply::Error {
                code: ErrorCode::TooManyAttempts { retry_after },
                ..
            } = reply
            else {
                return Ok(reply);
            };
            let may_wait = !self.console.is_interactive() && !self.has_waited;
            if !may_wait || retry_after > MAX_WAIT_SECONDS {
                return Ok(reply);
            }
            self.has_waited = true;
            self.console.explain(format_args!(
                "the server takes the next attempt in {retry_after} s; waiting for that"
            ));
            thread::sleep(Duration::from_secs(retry_after));
        }
    }

    /// The error for a reply to a password. `user` is the one who logs in, if no session does it.
    fn refused_password(&mut self, reply: Reply, user: Option<&str>) -> Error {
        match reply {
            Reply::Error {
                code: ErrorCode::BadCredentials,
                message,
            } => {
                let wait = self.failures.add(user.map(caseless_key));
                Error::WrongPassword { message, wait }
            }
            reply => self.refused(reply),
        }
    }

    /// The error for a reply that does not grant the request.
    fn refused(&mut self, reply: Reply) -> Error {
        match reply {
            Reply::Error { code, message } => {
                if let ErrorCode::SessionExpired | ErrorCode::NotLoggedIn = code {
                    self.session = None;
                }
                Error::Refused { code, message }
            }
            _ => Error::Dialogue(ClientError::UnexpectedMessage),
        }
    }
}
