//! Where passwords come from. Knows nothing of their meaning.

use std::io::{BufRead, Read};

use dialogue::{Console, ConsoleError};
use line_editor::Terminal;
use proto::Secret;

use crate::error::Error;

/// The longest password is 128 characters, of which each may come as several of 4 bytes.
const MAX_PASSWORD_BYTES: u64 = 4096;

/// Where passwords come from.
#[derive(Clone, Copy)]
pub enum Passwords<'a> {
    /// Each is a line of the input, as it is.
    Input,
    /// Each is typed at the terminal that is standard input, without echo.
    Terminal(&'a Terminal),
    /// There are none.
    Nowhere,
}

impl Passwords<'_> {
    /// Whether passwords can be read.
    pub(crate) fn are_available(&self) -> bool {
        !matches!(self, Self::Nowhere)
    }

    /// Reads a password, typed once.
    pub(crate) fn read(&self, console: &mut Console<'_>, prompt: &str) -> Result<Secret, Error> {
        match self {
            Self::Nowhere => Err(Error::NoTerminal),
            Self::Input => read_secret(console.input()),
            Self::Terminal(terminal) => {
                let _hidden = terminal.ask_hidden(prompt).map_err(Error::Terminal)?;
                read_secret(console.input())
            }
        }
    }

    /// Reads a new password, typed twice where it cannot be seen.
    pub(crate) fn read_new(&self, console: &mut Console<'_>) -> Result<Secret, Error> {
        loop {
            let password = self.read(console, "New password: ")?;
            if !matches!(self, Self::Terminal(_))
                || self.read(console, "Once more: ")?.expose() == password.expose()
            {
                return Ok(password);
            }
            console.explain("the two differ; type it again");
        }
    }

    /// Skips a password that is not needed, where passwords are lines of the input.
    pub(crate) fn skip(&self, console: &mut Console<'_>) -> Result<(), Error> {
        match self {
            Self::Input => match read_secret(console.input()) {
                Ok(_) | Err(Error::NoPassword | Error::BadPassword) => Ok(()),
                Err(error) => Err(error),
            },
            Self::Terminal(_) | Self::Nowhere => Ok(()),
        }
    }
}

/// Reads a line that is a password.
fn read_secret(input: &mut dyn BufRead) -> Result<Secret, Error> {
    let mut line = vec![];
    let mut limited = (&mut *input).take(MAX_PASSWORD_BYTES);
    let length = limited
        .read_until(b'\n', &mut line)
        .map_err(ConsoleError::Input)?;
    if length == 0 {
        return Err(Error::NoPassword);
    }
    let line = match line.strip_suffix(b"\n") {
        Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
        None if length as u64 == MAX_PASSWORD_BYTES => {
            // The rest of it is not a command.
            input.skip_until(b'\n').map_err(ConsoleError::Input)?;
            return Err(Error::BadPassword);
        }
        None => &line,
    };
    let text = std::str::from_utf8(line).map_err(|_| Error::BadPassword)?;
    Ok(Secret::new(text.to_owned()))
}
