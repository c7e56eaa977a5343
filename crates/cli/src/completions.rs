//! `PROGRAM completions SHELL`: prints the script that completes a program's flags in a shell.

use std::io::{Write, stdout};
use std::process;

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::{Shell, generate};

const COMMAND: &str = "completions";

/// Adds the command.
pub(crate) fn add_command(command: Command, program: &str) -> Command {
    let completions = Command::new(COMMAND)
        .about("Print a completion script for a shell")
        .arg(
            Arg::new("shell")
                .value_name("SHELL")
                .required(true)
                .value_parser(value_parser!(Shell)),
        )
        .after_help(format!(
            "Examples:
  {program} {COMMAND} bash > ~/.local/share/bash-completion/completions/{program}
  {program} {COMMAND} fish > ~/.config/fish/completions/{program}.fish"
        ));
    let has_commands = command.has_subcommands();
    command
        .subcommand(completions)
        // A program without other commands needs no `help COMMAND`.
        .disable_help_subcommand(!has_commands)
}

/// Prints the script and ends the process, if the command was given.
pub(crate) fn print_if_asked(program: &str, command: &mut Command, matches: &ArgMatches) {
    if let Some((COMMAND, arguments)) = matches.subcommand()
        && let Some(shell) = arguments.get_one::<Shell>("shell")
    {
        // A closed pipe is no failure.
        let _ = stdout().write_all(&script(program, command, *shell));
        process::exit(0);
    }
}

fn script(program: &str, command: &mut Command, shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    generate(shell, command, program, &mut script);
    script
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_shell_gets_a_script_with_the_flags() {
        let command = Command::new("prog").arg(Arg::new("port").long("port").help("Port"));
        let mut command = add_command(command, "prog");
        for shell in Shell::value_variants() {
            let script = String::from_utf8(script("prog", &mut command, *shell)).unwrap();
            assert!(script.contains("port"), "{shell}");
        }
    }
}
