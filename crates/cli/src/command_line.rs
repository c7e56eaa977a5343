//! A program's command line: flags, environment, defaults and help. It does not know what the program does.

use std::error::Error;
use std::ffi::OsString;
use std::io::{Write, stdout};
use std::num::{IntErrorKind, ParseIntError};

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgMatches, Command, Parser};
use proto::Escaped;

use crate::address::HostPort;
use crate::completions;
use crate::env;
use crate::platform;
use crate::program::Program;
use crate::standard_streams::RetryWouldBlock;

impl Program {
    /// The flags of this process. Ends it with status 0 after `--help`, `--version` and `completions SHELL`, with 2 on
    /// wrong usage.
    ///
    /// Each flag, of a subcommand too, can come from the environment: echo-server's `--log-to` as
    /// `LAB_ECHO_SERVER_LOG_TO`. The command line wins: a variable is ignored when the command line conflicts with its
    /// flag, or when its flag requires one that is missing. An empty variable counts as unset.
    pub fn parse<A: Parser>(&self) -> A {
        // Help is printed before the program runs.
        platform::survive_file_size_limit();
        let arguments = std::env::args_os();
        let mut command = self.command::<A>();
        let parsed = self.matches(&command, arguments).and_then(|matches| {
            if let Some(script) = completions::asked(self.name, &mut command, &matches) {
                self.exit_after_output(RetryWouldBlock(stdout()).write_all(&script));
            }
            flags(&command, matches)
        });
        match parsed {
            Ok(flags) => flags,
            // Help or the version. clap itself ignores that they cannot be printed.
            Err(error) if !error.use_stderr() => self.exit_after_output(error.print()),
            Err(error) => error.exit(),
        }
    }

    /// What [`parse`](Self::parse) makes of the given arguments, of which the program's name is the first.
    ///
    /// # Errors
    ///
    /// Wrong usage; also help and version, which [`clap::Error::exit`] prints.
    pub fn try_parse_from<A: Parser>(
        &self,
        arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> Result<A, clap::Error> {
        let command = self.command::<A>();
        flags(&command, self.matches(&command, arguments)?)
    }

    fn command<A: Parser>(&self) -> Command {
        let command = A::command()
            .name(self.name)
            // Else help would show the file's name, which ends with .exe on Windows.
            .bin_name(self.name)
            .version(env!("CARGO_PKG_VERSION"))
            .propagate_version(true);
        completions::add_command(self.adapt(command, self.name), self.name)
    }

    fn matches(
        &self,
        command: &Command,
        arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> Result<ArgMatches, clap::Error> {
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        env::parse(self.name, command, &arguments)
            .map_err(escape_values)
            .map_err(|error| explain_number(error, command))
    }

    /// Adds to a command and its subcommands what differs between programs: defaults, examples and notes in the help.
    /// `path` is how a user types the command.
    fn adapt(&self, command: Command, path: &str) -> Command {
        let has_commands = command.has_subcommands();
        let shared = command.get_arguments().filter(|arg| arg.is_global_set());
        let shared: Vec<Arg> = shared.cloned().collect();
        let examples = match command.get_after_help() {
            Some(examples) => Some(examples.to_string()),
            None => example(&command, path, self.default_port),
        };
        let help: Vec<String> = [examples, self.note(&command)]
            .into_iter()
            .flatten()
            .collect();
        command
            .after_help(help.join("\n\n"))
            .mut_args(|arg| self.adapt_arg(arg, has_commands))
            .mut_subcommands(|subcommand| {
                let path = format!("{path} {}", subcommand.get_name());
                self.adapt(inherit(subcommand, &shared), &path)
            })
    }

    /// The last lines of a command's help.
    fn note(&self, command: &Command) -> Option<String> {
        let arguments = || {
            command
                .get_arguments()
                .filter(|arg| arg.get_long().is_some())
        };
        let visible = || arguments().filter(|arg| !arg.is_hide_set());
        let visible = || visible().filter_map(Arg::get_long);
        if let Some(flag) = visible()
            .find(|flag| *flag == "prompt")
            .or(visible().next())
        {
            let variable = env::variable(self.name, flag);
            let note = format!("Each flag can come from the environment: --{flag} as {variable}");
            return Some(note);
        }
        let has_hidden = arguments().next().is_some();
        has_hidden.then(|| format!("Flags that all commands share: {} --help", self.name))
    }

    fn adapt_arg(&self, arg: Arg, has_commands: bool) -> Arg {
        if arg.get_id() == "address" && has_commands {
            return arg.value_parser(HostPort::parse_unless_command);
        }
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

/// An example for the help of a command that has none of its own.
fn example(command: &Command, path: &str, port: u16) -> Option<String> {
    if command.has_subcommands() {
        return None;
    }
    let mut example = format!("Example: {path}");
    for arg in command.get_positionals() {
        example += &match arg.get_id() == "address" {
            true => format!(" 192.0.2.7:{port}"),
            false => format!(" {}", arg.get_id().as_str().to_uppercase()),
        };
    }
    Some(example)
}

/// Gives a subcommand the flags that its parent shares, hidden, since every subcommand's help would repeat them all.
fn inherit(subcommand: Command, shared: &[Arg]) -> Command {
    let has = |arg: &Arg| {
        subcommand
            .get_arguments()
            .any(|own| own.get_id() == arg.get_id())
    };
    let missing: Vec<Arg> = shared.iter().filter(|arg| !has(arg)).cloned().collect();
    let hide = |arg: Arg| match arg.is_positional() {
        true => arg,
        false => arg.hide(true),
    };
    subcommand.args(missing.into_iter().map(hide))
}

/// Turns what the parser found into the program's flags.
fn flags<A: Parser>(command: &Command, mut matches: ArgMatches) -> Result<A, clap::Error> {
    A::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command.clone()))
}

/// Escapes what a user wrote, which clap repeats as it is.
fn escape_values(mut error: clap::Error) -> clap::Error {
    let escape = |text: &String| Escaped::new(text).to_string();
    let escaped: Vec<_> = error
        .context()
        .filter_map(|(kind, value)| match value {
            ContextValue::String(text) => Some((kind, ContextValue::String(escape(text)))),
            ContextValue::Strings(texts) => {
                let texts = texts.iter().map(escape).collect();
                Some((kind, ContextValue::Strings(texts)))
            }
            ContextValue::StyledStrs(tips) => {
                let tips = tips.iter().map(escape_tip).collect();
                Some((kind, ContextValue::StyledStrs(tips)))
            }
            _ => None,
        })
        .collect();
    for (kind, value) in escaped {
        error.insert(kind, value);
    }
    error
}

/// A tip loses its colours, which cannot be told from what commands a terminal in the user's text.
fn escape_tip(tip: &StyledStr) -> StyledStr {
    Escaped::new(&tip.to_string()).to_string().into()
}

/// Says in a user's words what is wrong with a number: std speaks of an invalid digit.
fn explain_number(error: clap::Error, command: &Command) -> clap::Error {
    let Some(cause) = error.source().and_then(|source| source.downcast_ref()) else {
        return error;
    };
    let advice = match ParseIntError::kind(cause) {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "the number is too large",
        _ => "give a whole number",
    };
    match (
        error.get(ContextKind::InvalidValue),
        error.get(ContextKind::InvalidArg),
    ) {
        (Some(value), Some(flag)) => {
            let message = format!("invalid value '{value}' for '{flag}': {advice}");
            command.clone().error(error.kind(), message)
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests;
