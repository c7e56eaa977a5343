//! How a program ends: the body of `main`, its error on stderr, its exit status.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::io::{self, ErrorKind};
use std::process::{self, ExitCode};

use crate::endpoint::EndpointError;
use crate::platform;
use crate::print_stderr::print_stderr;
use crate::program::Program;
use crate::prompt::AskError;
use crate::startup::StartupError;
use proto::Reason;

/// The exit status of wrong usage, as clap has it.
const USAGE_STATUS: u8 = 2;

impl Program {
    /// Runs the body of `main`. On an error writes one line to stderr; returns the exit status.
    ///
    /// Errors give status 1, wrong usage among their causes ([`UsageError`], [`EndpointError::PortZero`],
    /// [`EndpointError::TwoPorts`]) gives 2. Status 0 without a line is for a person who left at a question (Ctrl-D),
    /// and for a closed pipe on stdout (`echo-client … | head`).
    pub fn run(&self, body: impl FnOnce() -> anyhow::Result<ExitCode>) -> ExitCode {
        platform::survive_file_size_limit();
        let error = match body() {
            Ok(status) => return status,
            Err(error) => error,
        };
        match exit_status(&error) {
            Some(status) => {
                print_stderr(format_args!("{}: {}", self.name, Causes(&error)));
                status.into()
            }
            None => ExitCode::SUCCESS,
        }
    }

    /// Ends the process once its whole output is printed, or could not be. A closed pipe is no failure.
    pub(crate) fn exit_after_output(&self, printed: io::Result<()>) -> ! {
        match printed.map_err(StdoutError) {
            Err(error) if error.0.kind() != ErrorKind::BrokenPipe => {
                print_stderr(format_args!("{}: {error}", self.name));
                process::exit(1)
            }
            _ => process::exit(0),
        }
    }
}

/// Wrong usage that the parser of flags cannot see: status 2 instead of 1.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// A failure to write to stdout. It differs from other I/O errors: a closed pipe is no failure here, and is one on a
/// socket.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to stdout: {}", Reason(.0))]
pub struct StdoutError(pub io::Error);

/// The exit status for an error; `None` if it is no failure.
fn exit_status(error: &anyhow::Error) -> Option<u8> {
    if let Some(StdoutError(why)) = error.downcast_ref()
        && why.kind() == ErrorKind::BrokenPipe
    {
        None
    } else if error.chain().any(is_leaving) {
        None
    } else if error.chain().any(is_usage) {
        Some(USAGE_STATUS)
    } else {
        Some(1)
    }
}

fn is_leaving(cause: &(dyn Error + 'static)) -> bool {
    let endpoint = match cause.downcast_ref() {
        Some(StartupError::Endpoint(error)) => Some(error),
        _ => cause.downcast_ref(),
    };
    let question = match endpoint {
        Some(EndpointError::Prompt(error)) => Some(error),
        _ => cause.downcast_ref(),
    };
    matches!(question, Some(AskError::EndOfInput))
}

fn is_usage(cause: &(dyn Error + 'static)) -> bool {
    cause.is::<UsageError>()
        || matches!(
            cause.downcast_ref(),
            Some(EndpointError::PortZero | EndpointError::TwoPorts)
        )
}

/// An error and its causes: `WHAT: WHY`.
struct Causes<'a>(&'a anyhow::Error);

impl Display for Causes<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (depth, cause) in self.0.chain().enumerate() {
            if depth > 0 {
                f.write_str(": ")?;
            }
            match cause.downcast_ref::<io::Error>() {
                Some(error) => write!(f, "{}", Reason(error))?,
                None => write!(f, "{cause}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    const PROGRAM: Program = Program {
        name: "test-program",
        default_port: 9790,
    };

    #[test]
    fn an_error_is_shown_with_its_causes() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let error = anyhow::Error::new(refused).context("cannot say hello");
        assert_eq!(
            Causes(&error).to_string(),
            "cannot say hello: connection refused"
        );
        assert_eq!(exit_status(&error), Some(1));
    }

    #[test]
    fn a_closed_pipe_on_stdout_is_no_failure() {
        let broken = || io::Error::from(ErrorKind::BrokenPipe);
        let stdout = Err::<(), _>(StdoutError(broken())).context("cannot print a reply");
        assert_eq!(exit_status(&stdout.unwrap_err()), None);
        assert_eq!(exit_status(&broken().into()), Some(1), "a socket, perhaps");
        assert_eq!(
            exit_status(&StdoutError(ErrorKind::StorageFull.into()).into()),
            Some(1)
        );
    }

    #[test]
    fn wrong_usage_has_a_status_of_its_own() {
        let run = |error: anyhow::Error| PROGRAM.run(|| Err(error));
        assert_eq!(run(anyhow!("failed\n\x1b[2J")), ExitCode::from(1));
        assert_eq!(run(UsageError("no nick".into()).into()), ExitCode::from(2));
        assert_eq!(PROGRAM.run(|| Ok(ExitCode::from(130))), ExitCode::from(130));
        let left = || EndpointError::Prompt(AskError::EndOfInput);
        assert_eq!(run(AskError::EndOfInput.into()), ExitCode::SUCCESS);
        assert_eq!(run(left().into()), ExitCode::SUCCESS);
        assert_eq!(
            run(StartupError::Endpoint(left()).into()),
            ExitCode::SUCCESS
        );
    }
}
