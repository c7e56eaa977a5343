//! Flags from the environment. The command line wins over them. It does not know what the flags mean.

use std::env;
use std::ffi::{OsStr, OsString};

use clap::builder::BoolishValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command, Error};

use proto::Escaped;

use crate::address::HostPort;

/// How many characters of a bad value an error repeats.
const SHOWN_CHARACTERS: usize = 60;

/// The variable for a flag of a program: `LAB_ECHO_SERVER_LOG_TO`, and `LAB_CHECK_TIMEOUT` for lab-check.
pub(crate) fn variable(program: &str, flag: &str) -> String {
    let program = program.strip_prefix("lab-").unwrap_or(program);
    format!("LAB_{program}_{flag}")
        .replace('-', "_")
        .to_ascii_uppercase()
}

/// Parses the command line together with the environment.
///
/// A variable is ignored when the command line conflicts with its flag, or when its flag requires one that is missing.
/// An empty variable counts as unset.
///
/// # Errors
///
/// Wrong usage, including two variables that conflict. An error about a variable's value names the variable.
pub(crate) fn parse(
    program: &str,
    command: &Command,
    arguments: &[OsString],
) -> Result<ArgMatches, Error> {
    let refuse = |why| command.clone().error(ErrorKind::ValueValidation, why);
    for argument in arguments.iter().skip(1) {
        check_value(argument, "an argument").map_err(refuse)?;
    }
    let mut matches = command.clone().try_get_matches_from(arguments)?;
    let (mut taken, mut waiting) = (vec![], present(program, command).map_err(refuse)?);
    waiting.retain(|flag| !given_by_address(&matches).contains(&flag.as_str()));
    let parse_with =
        |flags: &[String]| with(program, command.clone(), flags).try_get_matches_from(arguments);
    // Repeat while it makes progress: a flag may require one that another variable sets.
    loop {
        let before = waiting.len();
        for flag in std::mem::take(&mut waiting) {
            let alone = std::slice::from_ref(&flag);
            let with_it = [&taken[..], alone].concat();
            match parse_with(&with_it) {
                Ok(more) => (matches, taken) = (more, with_it),
                Err(error) if is_out_of_place(&error) && parse_with(alone).is_err() => {
                    waiting.push(flag);
                }
                Err(error) => return Err(name_variable(error, variable(program, &flag))),
            }
        }
        if waiting.len() == before {
            return Ok(matches);
        }
    }
}

/// The flags of a command and its subcommands whose variables are set.
fn present(program: &str, command: &Command) -> Result<Vec<String>, String> {
    let (mut commands, mut present) = (vec![command], vec![]);
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands());
        for flag in command.get_arguments().filter_map(Arg::get_long) {
            let variable = variable(program, flag);
            let value = env::var_os(&variable).unwrap_or_default();
            check_value(&value, &variable)?;
            if !value.is_empty() && !present.iter().any(|known| known == flag) {
                present.push(flag.to_owned());
            }
        }
    }
    Ok(present)
}

/// Refuses a line end in a value, which none needs and a script with Windows line ends adds.
fn check_value(value: &OsStr, name: &str) -> Result<(), String> {
    let text = value.to_string_lossy();
    if !text.contains(['\r', '\n']) {
        return Ok(());
    }
    let shown = Escaped::new(&text).quoted().cut(SHOWN_CHARACTERS);
    Err(format!(
        "{name} contains a line end: {shown}; does the script that sets it have Windows line ends (\\r\\n)?"
    ))
}

/// The flags for which a positional `HOST[:PORT]` stands.
fn given_by_address(matches: &ArgMatches) -> &'static [&'static str] {
    let mut innermost = matches;
    while let Some((_, subcommand)) = innermost.subcommand() {
        innermost = subcommand;
    }
    match innermost.try_get_one::<HostPort>("address") {
        Ok(Some(HostPort { port: Some(_), .. })) => &["host", "port"],
        Ok(Some(HostPort { port: None, .. })) => &["host"],
        Ok(None) | Err(_) => &[],
    }
}

/// The command, reading these flags from the environment, too.
fn with(program: &str, command: Command, flags: &[String]) -> Command {
    command
        .mut_args(|arg| match arg.get_long() {
            Some(flag) if flags.iter().any(|taken| taken == flag) => {
                let name = variable(program, flag);
                let arg = arg.env(name);
                match arg.get_action() {
                    ArgAction::SetTrue => arg.value_parser(BoolishValueParser::new()),
                    _ => arg,
                }
            }
            _ => arg,
        })
        .mut_subcommands(|subcommand| with(program, subcommand, flags))
}

fn is_out_of_place(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ArgumentConflict | ErrorKind::MissingRequiredArgument
    )
}

/// Makes the error name the variable instead of a flag that the user did not write.
fn name_variable(mut error: Error, variable: String) -> Error {
    error.insert(ContextKind::InvalidArg, ContextValue::String(variable));
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_named_after_program_and_flag() {
        assert_eq!(variable("echo-server", "log-to"), "LAB_ECHO_SERVER_LOG_TO");
    }
}
