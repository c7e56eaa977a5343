//! A program as its user meets it: flags, environment, last words and exit status. It knows nothing of what the program does.

use std::error::Error;
use std::ffi::OsString;
use std::fmt::{self, Display, Formatter};
use std::io::{self, ErrorKind};
use std::process::ExitCode;

use clap::{Arg, Command, Parser};

use crate::endpoint::EndpointError;
use crate::env;
use crate::plaintext::PlaintextRefused;
use crate::reason::Reason;
use crate::say::say;

/// The exit status of wrong usage, as clap has it.
const USAGE_STATUS: u8 = 2;

/// What tells one program of the suite from another.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// As it is called: `echo-server`.
    pub name: &'static str,
    /// The port when neither flag, environment nor prompt gives one.
    pub default_port: u16,
}

impl Program {
    /// The flags of this process. Ends it with status 0 after `--help` and `--version`, with 2 on wrong usage.
    ///
    /// Each flag, of a subcommand too, can come from the environment: echo-server's `--log-to` as `LAB_ECHO_SERVER_LOG_TO`.
    /// What is on the command line wins: a variable whose flag it excludes, or that is of use only beside a flag that is not
    /// there, is left out. An empty variable is none.
    pub fn parse<A: Parser>(&self) -> A {
        self.try_parse_from(std::env::args_os())
            .unwrap_or_else(|error| error.exit())
    }

    /// What [`parse`](Self::parse) makes of the given arguments, of which the program's name is the first.
    ///
    /// # Errors
    /// Wrong usage; also help and version, which [`clap::Error::exit`] prints.
    pub fn try_parse_from<A: Parser>(
        &self,
        arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> Result<A, clap::Error> {
        let command = self
            .adapt(A::command())
            .name(self.name)
            .version(env!("CARGO_PKG_VERSION"))
            .propagate_version(true);
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        let mut matches = env::parse(self.name, &command, &arguments)?;
        A::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command.clone()))
    }

    /// Runs the body of `main`: on an error writes one line to stderr, and gives the exit status.
    ///
    /// Status 1 is for errors, 2 for wrong usage (a [`UsageError`], [`PlaintextRefused`] or [`EndpointError::PortZero`]) among their
    /// causes, 0 for a [`StdoutError`] that says that nobody reads any more (`echo-client … | head`).
    pub fn run(&self, body: impl FnOnce() -> anyhow::Result<ExitCode>) -> ExitCode {
        let error = match body() {
            Ok(status) => return status,
            Err(error) => error,
        };
        match exit_status(&error) {
            Some(status) => {
                say(format_args!("{}: {}", self.name, Causes(&error)));
                status.into()
            }
            None => ExitCode::SUCCESS,
        }
    }

    /// Where service messages go unless a flag says otherwise.
    pub(crate) fn log_file(&self) -> String {
        format!("logs/{}.log", self.name)
    }

    /// Gives flags that all programs share what differs between them.
    fn adapt(&self, command: Command) -> Command {
        let flags = || command.get_arguments().filter_map(Arg::get_long);
        let example = flags().find(|flag| *flag == "prompt").or(flags().next());
        let note = example.map(|flag| {
            let variable = env::variable(self.name, flag);
            format!("Each flag can come from the environment: --{flag} as {variable}")
        });
        let examples = command.get_after_help().map(ToString::to_string);
        let help: Vec<String> = [examples, note].into_iter().flatten().collect();
        command
            .after_help(help.join("\n\n"))
            .mut_args(|arg| self.adapt_arg(arg))
            .mut_subcommands(|subcommand| self.adapt(subcommand))
    }

    fn adapt_arg(&self, arg: Arg) -> Arg {
        let default = match arg.get_id().as_str() {
            "port" => Some(self.default_port.to_string()),
            "log_file" => Some(self.log_file()),
            _ => None,
        };
        let help = match (arg.get_help(), default) {
            (Some(help), Some(default)) => Some(format!("{help} [default: {default}]")),
            _ => None,
        };
        match help {
            Some(help) => arg.help(help),
            None => arg,
        }
    }
}

/// A use of flags that is wrong in a way that only running shows: status 2 instead of 1.
#[derive(Debug)]
pub struct UsageError(pub String);

impl Display for UsageError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for UsageError {}

/// A failure to write to stdout. It stands apart from other I/O errors because a reader that has seen enough is no failure,
/// while a broken pipe anywhere else is one.
#[derive(Debug)]
pub struct StdoutError(pub io::Error);

impl Display for StdoutError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "cannot write to stdout: {}", Reason(&self.0))
    }
}

impl Error for StdoutError {}

/// The exit status that an error deserves; `None` if it is none.
fn exit_status(error: &anyhow::Error) -> Option<u8> {
    if let Some(StdoutError(why)) = error.downcast_ref()
        && why.kind() == ErrorKind::BrokenPipe
    {
        None
    } else if error.chain().any(is_usage) {
        Some(USAGE_STATUS)
    } else {
        Some(1)
    }
}

fn is_usage(cause: &(dyn Error + 'static)) -> bool {
    cause.is::<UsageError>()
        || cause.is::<PlaintextRefused>()
        || matches!(cause.downcast_ref(), Some(EndpointError::PortZero))
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
    use clap::{Args, Subcommand};

    use super::*;

    const PROGRAM: Program = Program {
        name: "test-program",
        default_port: 9790,
    };

    #[derive(Parser, Debug)]
    struct Chat {
        #[command(subcommand)]
        command: ChatCommand,
    }

    #[derive(Subcommand, Debug)]
    enum ChatCommand {
        /// Serves
        Serve(Serve),
    }

    #[derive(Args, Debug)]
    #[command(mut_arg("max_clients", |arg| arg.default_value("1000")))]
    struct Serve {
        #[command(flatten)]
        server: crate::ServerFlags,
        /// Shows each datagram
        #[arg(long)]
        trace: bool,
    }

    fn parse(arguments: &[&str]) -> Result<Serve, clap::Error> {
        let arguments = [&["test-program", "serve"], arguments].concat();
        let Chat {
            command: ChatCommand::Serve(serve),
        } = PROGRAM.try_parse_from(arguments)?;
        Ok(serve)
    }

    #[test]
    fn help_shows_what_the_program_defaults_to() {
        let help = parse(&["--help"]).unwrap_err();
        assert_eq!(help.exit_code(), 0);
        let help = help.to_string();
        for expected in [
            "Serves",
            "test-program serve",
            "[default: 9790]",
            "[default: logs/test-program.log]",
            "[default: 1000]",
            "LAB_TEST_PROGRAM_PROMPT",
        ] {
            assert!(help.contains(expected), "{expected} in {help}");
        }
        assert!(!help.contains("[env"), "{help}");
    }

    #[test]
    fn a_default_can_differ_by_program() {
        assert_eq!(parse(&[]).unwrap().server.max_clients, 1000);
        assert_eq!(parse(&["--max-clients=3"]).unwrap().server.max_clients, 3);
        for wrong in [
            &["--max-clients=0"],
            &["--port=99999"],
            &["--prompt=maybe"],
            &["--log-level=off"],
            &["--log-max-mib=-1"],
        ] {
            assert_eq!(parse(wrong).unwrap_err().exit_code(), 2, "{wrong:?}");
        }
        let version = parse(&["--version"]).unwrap_err();
        assert!(version.to_string().contains(env!("CARGO_PKG_VERSION")));
    }

    #[test]
    fn the_last_words_are_what_and_why() {
        let refused = io::Error::from_raw_os_error(111);
        let error = anyhow::Error::new(refused).context("cannot say hello");
        assert_eq!(
            Causes(&error).to_string(),
            "cannot say hello: connection refused"
        );
        assert_eq!(exit_status(&error), Some(1));
    }

    #[test]
    fn a_reader_that_has_seen_enough_is_no_failure() {
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
    fn statuses_tell_usage_from_failure() {
        let run = |error: anyhow::Error| PROGRAM.run(|| Err(error));
        assert_eq!(run(anyhow!("failed\n\x1b[2J")), ExitCode::from(1));
        assert_eq!(run(UsageError("no nick".into()).into()), ExitCode::from(2));
        assert_eq!(PROGRAM.run(|| Ok(ExitCode::from(130))), ExitCode::from(130));
    }
}
