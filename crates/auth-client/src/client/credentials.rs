//! Commands that take a name and a password: register, login, passwd.

use std::io::{Read, Write};

use proto::Escaped;
use proto::auth::{ErrorCode, Reply, Request};
use proto::{Name, Observer, Secret};
use trust::FileError;

use super::Client;
use crate::error::Error;

impl<S: Read + Write, O: Observer> Client<'_, S, O> {
    pub(super) fn log_in(&mut self, user: Name) -> Result<(), Error> {
        self.check_tokens()?;
        let user = user.into();
        let password = self.passwords.read(&mut self.console, "Password: ")?;
        self.enter(&Request::Login { user, password })
    }

    pub(super) fn register(&mut self, user: Option<String>) -> Result<(), Error> {
        self.check_tokens()?;
        let user = String::from(self.name(user)?);
        self.with_new_password(|client, password| {
            let user = user.clone();
            client.enter(&Request::Register { user, password })
        })
    }

    pub(super) fn change_password(&mut self) -> Result<(), Error> {
        self.check_tokens()?;
        let user = match self.session {
            Some(_) => None,
            None => Some(String::from(self.name(None)?)),
        };
        let old = self
            .passwords
            .read(&mut self.console, "Current password: ")?;
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
                    client.failures.clear();
                    let kept = client.keep(token);
                    let done = "The password is changed, and all other sessions are ended.";
                    client.console.print(done)?;
                    kept.map_err(|cause| Error::NotKept {
                        done: "the password is changed, but the new session is not kept",
                        cause,
                    })
                }
                reply => Err(client.refused_password(reply, None)),
            }
        })
    }

    /// Runs `act` with a new password. A person chooses another one if the server finds it weak.
    fn with_new_password(
        &mut self,
        mut act: impl FnMut(&mut Self, Secret) -> Result<(), Error>,
    ) -> Result<(), Error> {
        loop {
            let password = self.passwords.read_new(&mut self.console)?;
            match act(self, password) {
                Err(Error::Refused {
                    code: ErrorCode::WeakPassword,
                    message,
                }) if self.console.is_interactive() => self.console.explain(Escaped::new(&message)),
                done => return done,
            }
        }
    }

    /// Opens a session, and keeps its token.
    fn enter(&mut self, request: &Request) -> Result<(), Error> {
        match self.ask(request)? {
            Reply::Session {
                user,
                token: Some(token),
                ..
            } => {
                self.failures.clear();
                let kept = self.keep(token);
                self.console.print(format_args!("Hello, {user}!"))?;
                kept.map_err(|cause| Error::NotKept {
                    done: match request {
                        Request::Register { .. } => {
                            "you are registered, but the session is not kept"
                        }
                        _ => "you are logged in, but the session is not kept",
                    },
                    cause,
                })
            }
            reply => {
                let (Request::Login { user, .. } | Request::Register { user, .. }) = request else {
                    return Err(self.refused(reply));
                };
                Err(self.refused_password(reply, Some(user)))
            }
        }
    }

    fn keep(&mut self, token: Secret) -> Result<(), FileError> {
        let kept = self.tokens.keep(&self.server.token_key(), &token);
        self.session = Some(token);
        kept
    }

    /// The name that the command has, or the flag, or that a person types now.
    pub(super) fn name(&mut self, said: Option<String>) -> Result<Name, Error> {
        if let Some(said) = said {
            return match Name::parse(&said) {
                Ok(user) => Ok(user),
                Err(error) => {
                    // The password that follows is not a command.
                    self.passwords.skip(&mut self.console)?;
                    Err(Error::BadName(error))
                }
            };
        }
        if let Some(user) = &self.user {
            return Ok(user.clone());
        }
        // The next line of the input may be a password.
        if !self.console.is_interactive() {
            return Err(Error::NoName);
        }
        loop {
            let Some(Ok(line)) = self.console.ask("User: ")? else {
                return Err(Error::NoName);
            };
            match Name::parse(&line) {
                Ok(user) => return Ok(user),
                Err(error) => self.console.explain(error),
            }
        }
    }
}
