//! What takes a name and a password: to register, to log in, to change the password.

use std::io::{Read, Write};

use proto::Escaped;
use proto::auth::{ErrorCode, Reply, Request};
use proto::{Name, Passed, Secret};

use super::Client;
use crate::error::Error;

impl<S: Read + Write, T: FnMut(Passed)> Client<'_, S, T> {
    pub(super) fn log_in(&mut self, user: Name) -> Result<(), Error> {
        let user = user.into();
        let password = self.person.password("Password: ")?;
        self.enter(&Request::Login { user, password })
    }

    pub(super) fn register(&mut self, user: Option<String>) -> Result<(), Error> {
        let user = String::from(self.name(user)?);
        self.with_new_password(|client, password| {
            let user = user.clone();
            client.enter(&Request::Register { user, password })
        })
    }

    pub(super) fn change_password(&mut self) -> Result<(), Error> {
        let user = match self.session {
            Some(_) => None,
            None => Some(String::from(self.name(None)?)),
        };
        let old = self.person.password("Current password: ")?;
        if let Some(user) = user {
            let password = old.clone();
            self.enter(&Request::Login { user, password })?;
        }
        self.with_new_password(|client, new| {
            let old = old.clone();
            match client.ask(&Request::ChangePassword { old, new })? {
                Reply::Session {
                    token: Some(token), ..
                } => {
                    client.keep(token)?;
                    let done = "The password is changed, and all other sessions are ended.";
                    client.person.print(done)
                }
                reply => Err(client.refused(reply)),
            }
        })
    }

    /// Does what takes a new password; a person chooses another when the server finds it weak.
    fn with_new_password(
        &mut self,
        mut act: impl FnMut(&mut Self, Secret) -> Result<(), Error>,
    ) -> Result<(), Error> {
        loop {
            let password = self.person.new_password("New password: ")?;
            match act(self, password) {
                Err(Error::Refused {
                    code: ErrorCode::WeakPassword,
                    message,
                }) if self.person.is_interactive() => self.person.explain(Escaped::new(&message)),
                done => return done,
            }
        }
    }

    /// Begins a session, and keeps its token.
    fn enter(&mut self, request: &Request) -> Result<(), Error> {
        match self.ask(request)? {
            Reply::Session {
                user,
                token: Some(token),
                ..
            } => {
                self.keep(token)?;
                self.person.print(format_args!("Hello, {user}!"))
            }
            reply => Err(self.refused(reply)),
        }
    }

    fn keep(&mut self, token: Secret) -> Result<(), Error> {
        let kept = self.tokens.keep(&self.server, &token);
        self.session = Some(token);
        Ok(kept?)
    }

    /// The name that was said, or that the person says now.
    pub(super) fn name(&mut self, said: Option<String>) -> Result<Name, Error> {
        if let Some(said) = said {
            return match Name::parse(&said) {
                Ok(user) => Ok(user),
                Err(error) => {
                    // The password that follows is no command.
                    self.person.skip_password()?;
                    Err(Error::BadName(error))
                }
            };
        }
        if let Some(user) = &self.user {
            return Ok(user.clone());
        }
        // A line of the input that is a password is no name.
        if !self.person.is_interactive() {
            return Err(Error::NoName);
        }
        loop {
            let line = self.person.line("User: ")?.ok_or(Error::NoName)?;
            match Name::parse(&line) {
                Ok(user) => return Ok(user),
                Err(error) => self.person.explain(error),
            }
        }
    }
}
