//! `PROGRAM completions SHELL`: prints the script that completes a program's flags in a shell.

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

/// The script, if the command was given.
pub(crate) fn asked(program: &str, command: &mut Command, matches: &ArgMatches) -> Option<Vec<u8>> {
    let (name, arguments) = matches.subcommand()?;
    let shell = arguments.try_get_one("shell").ok()??;
    (name == COMMAND).then(|| script(program, command, *shell))
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
