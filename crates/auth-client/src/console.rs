//! Input and output of the client: lines and passwords in, results and explanations out. Knows nothing of their
//! meaning.

use std::fmt;
use std::io::{BufRead, Read, Write};

use cli::read_line;
use line_editor::Terminal;
use proto::Secret;

use crate::error::Error;

/// The longest password is 128 characters, of which each may come as several of 4 bytes.
const MAX_PASSWORD_BYTES: u64 = 4096;

/// A terminal, or files and pipes in its place.
pub struct Console<'a> {
    /// Commands, names and passwords, a line each.
    pub input: &'a mut dyn BufRead,
    /// Results.
    pub output: &'a mut dyn Write,
    /// Prompts and explanations. Failures to write them are ignored.
    pub errors: &'a mut dyn Write,
    /// Where passwords come from.
    pub passwords: Passwords<'a>,
}

/// Where passwords come from.
#[derive(Clone, Copy)]
pub enum Passwords<'a> {
    /// Each is a line of the input, as it is.
    Input,
    /// Each is typed at the terminal that is standard input, without echo. A person answers prompts there and sees what
    /// failed.
    Terminal(&'a Terminal),
    /// There are none.
    Nowhere,
}

impl<'a> Console<'a> {
    /// Whether a person answers, at a terminal.
    pub(crate) fn is_interactive(&self) -> bool {
        self.terminal().is_some()
    }

    fn terminal(&self) -> Option<&'a Terminal> {
        match self.passwords {
            Passwords::Terminal(terminal) => Some(terminal),
            Passwords::Input | Passwords::Nowhere => None,
        }
    }

    /// Reads a line of text; `None` at the end of the input. A line that is no text is explained, and the next one
    /// read.
    pub(crate) fn line(&mut self, prompt: &str) -> Result<Option<String>, Error> {
        loop {
            if let Some(terminal) = self.terminal() {
                terminal.set_prompt(prompt);
            }
            match read_line(&mut self.input).map_err(Error::Input)? {
                // Not quoted, because it may be a password in the wrong place.
                Some(Err(_)) => self.explain("the line is too long, or is not UTF-8 text"),
                Some(Ok(line)) => return Ok(Some(line)),
                None => return Ok(None),
            }
        }
    }

    /// Whether passwords can be had.
    pub(crate) fn has_passwords(&self) -> bool {
        !matches!(self.passwords, Passwords::Nowhere)
    }

    /// Reads a password, typed once.
    pub(crate) fn password(&mut self, prompt: &str) -> Result<Secret, Error> {
        match self.passwords {
            Passwords::Nowhere => Err(Error::NoTerminal),
            Passwords::Input => self.secret_line(),
            Passwords::Terminal(terminal) => {
                let _hidden = terminal.ask_hidden(prompt).map_err(Error::Terminal)?;
                self.secret_line()
            }
        }
    }

    /// Reads a new password, typed twice where it cannot be seen.
    pub(crate) fn new_password(&mut self, prompt: &str) -> Result<Secret, Error> {
        loop {
            let password = self.password(prompt)?;
            if !self.is_interactive() || self.password("Once more: ")?.expose() == password.expose()
            {
                return Ok(password);
            }
            self.explain("the two differ; type it again");
        }
    }

    /// Skips a password that is not needed, where passwords are lines of the input.
    pub(crate) fn skip_password(&mut self) -> Result<(), Error> {
        match self.passwords {
            Passwords::Input => match self.secret_line() {
                Ok(_) | Err(Error::NoPassword | Error::BadPassword) => Ok(()),
                Err(error) => Err(error),
            },
            Passwords::Terminal(_) | Passwords::Nowhere => Ok(()),
        }
    }

    fn secret_line(&mut self) -> Result<Secret, Error> {
        let mut line = vec![];
        let mut limited = (&mut *self.input).take(MAX_PASSWORD_BYTES);
        let length = limited.read_until(b'\n', &mut line).map_err(Error::Input)?;
        if length == 0 {
            return Err(Error::NoPassword);
        }
        let line = match line.strip_suffix(b"\n") {
            Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
            None if length as u64 == MAX_PASSWORD_BYTES => {
                // The rest of it is not a command.
                self.input.skip_until(b'\n').map_err(Error::Input)?;
                return Err(Error::BadPassword);
            }
            None => &line,
        };
        let text = std::str::from_utf8(line).map_err(|_| Error::BadPassword)?;
        Ok(Secret::new(text.to_owned()))
    }

    pub(crate) fn print(&mut self, lines: impl fmt::Display) -> Result<(), Error> {
        let printed = writeln!(self.output, "{lines}").and_then(|()| self.output.flush());
        printed.map_err(Error::Output)
    }

    pub(crate) fn explain(&mut self, lines: impl fmt::Display) {
        let _ = writeln!(self.errors, "{lines}");
    }
}
