//! A server's console: commands that a person types in the server's terminal, line by line.

use std::fmt::Display;
use std::io::{self, BufRead, IsTerminal, stdin};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use dialogue::read_line;
use proto::Escaped;

use crate::platform::wait_for_line;
use crate::print_stderr::print_stderr;
use crate::service_messages::explain_server_message;

/// How often a server in the background looks whether it is in the foreground again.
const FOREGROUND_POLL: Duration = Duration::from_millis(500);
/// How many characters of an unknown command are repeated.
const SHOWN_CHARACTERS: usize = 60;

/// A command's work: takes what follows the command's name, returns lines to show, or what is wrong.
type Action = Box<dyn FnMut(&str) -> Result<String, String> + Send>;

/// The commands that a server takes on its terminal. `help` and `stop` are always there.
///
/// ```
/// let console = cli::Console::new()
///     .command("forget ADDRESS", "forgets a client's name", |address| {
///         Ok(format!("forgot {address}"))
///     });
/// ```
#[derive(Default)]
pub struct Console {
    commands: Vec<Command>,
}

struct Command {
    usage: &'static str,
    about: &'static str,
    action: Action,
}

#[derive(Debug, PartialEq, Eq)]
enum Reply {
    Lines(String),
    Stop,
}

impl Console {
    /// A console with `help` and `stop` alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a command. `usage` begins with its name: `forget ADDRESS`. The console escapes what `action` returns.
    pub fn command(
        mut self,
        usage: &'static str,
        about: &'static str,
        action: impl FnMut(&str) -> Result<String, String> + Send + 'static,
    ) -> Self {
        let action = Box::new(action);
        self.commands.push(Command {
            usage,
            about,
            action,
        });
        self
    }

    /// Adds `who`, which lists the clients that are connected.
    pub fn who<T: Display>(self, clients: impl Fn() -> Vec<T> + Send + 'static) -> Self {
        self.command("who", "lists the connected clients", move |_| {
            let clients: Vec<_> = clients().iter().map(T::to_string).collect();
            Ok(match clients.as_slice() {
                [] => "no client is connected".to_owned(),
                clients => clients.join("\n"),
            })
        })
    }

    /// Takes commands in a thread of its own, if stdin is a terminal.
    ///
    /// # Errors
    ///
    /// When the system refuses the thread.
    pub(crate) fn start(mut self, stop: Arc<dyn Fn() + Send + Sync>) -> io::Result<()> {
        if !stdin().is_terminal() {
            return Ok(());
        }
        let thread = thread::Builder::new().name("console".into());
        thread.spawn(move || {
            // An error means that the terminal is gone.
            while let Ok(may_read) = wait_for_line(FOREGROUND_POLL) {
                if !may_read {
                    continue;
                }
                match self.take_command(&mut stdin().lock()) {
                    Ok(Reply::Lines(lines)) => {
                        lines
                            .lines()
                            .for_each(|line| print_stderr(format_args!("{line}")));
                    }
                    Ok(Reply::Stop) => stop(),
                    Err(_) => return,
                }
            }
        })?;
        Ok(())
    }

    fn take_command(&mut self, input: &mut impl BufRead) -> io::Result<Reply> {
        Ok(match read_line(input)? {
            // Ctrl-D. The terminal goes on after it.
            None if stdin().is_terminal() => Reply::Lines("stop or Ctrl-C stops the server".into()),
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
            Some(Ok(line)) => self.reply(&line),
            Some(Err(bad_line)) => Reply::Lines(bad_line.to_string()),
        })
    }

    fn reply(&mut self, line: &str) -> Reply {
        let line = line.trim();
        let (name, arguments) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let arguments = arguments.trim();
        if let Some(command) = self
            .commands
            .iter_mut()
            .find(|command| command.name() == name)
        {
            let done = (command.action)(arguments);
            return Reply::Lines(done.unwrap_or_else(|error| format!("{name}: {error}")));
        }
        Reply::Lines(match name {
            "" => String::new(),
            "stop" => return Reply::Stop,
            "help" if arguments.is_empty() => self.help(),
            "help" => explain_server_message(arguments),
            _ => {
                let name = Escaped::new(name).quoted().cut(SHOWN_CHARACTERS);
                format!("there is no command {name}; help lists all")
            }
        })
    }

    fn help(&self) -> String {
        let own = self
            .commands
            .iter()
            .map(|command| (command.usage, command.about));
        let lines = own.chain([
            ("stop", "stops the server, as Ctrl-C does"),
            ("help", "lists the commands"),
            (
                "help MESSAGE",
                "what a message of the log means: help received",
            ),
        ]);
        let lines = lines.map(|(usage, about)| format!("{usage:<24} {about}\n"));
        lines.collect()
    }
}

impl Command {
    fn name(&self) -> &str {
        self.usage.split(' ').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn console() -> Console {
        Console::new().command(
            "forget ADDRESS",
            "forgets a name",
            |address| match address {
                "" => Err("which address?".into()),
                address => Ok(format!("forgot {address}")),
            },
        )
    }

    fn lines(line: &str) -> String {
        match console().reply(line) {
            Reply::Lines(lines) => lines,
            Reply::Stop => panic!("{line} stopped the server"),
        }
    }

    #[test]
    fn commands_get_the_rest_of_their_line() {
        assert_eq!(lines("  forget  192.0.2.7 "), "forgot 192.0.2.7");
        assert_eq!(lines("forget"), "forget: which address?");
        assert_eq!(lines(""), "");
        assert_eq!(console().reply(" stop "), Reply::Stop);
        let unknown = "there is no command \"stpo\\x1b\"; help lists all";
        assert_eq!(lines("stpo\x1b"), unknown);
    }

    #[test]
    fn help_lists_all_commands_and_explains_messages() {
        let help = lines("help");
        for usage in ["forget ADDRESS", "stop", "help MESSAGE"] {
            assert!(help.contains(usage), "{help}");
        }
        assert!(lines("help received").starts_with("received: one `read`"));
        assert!(lines("help nonsense").contains("client connected, received"));
    }

    #[test]
    fn the_command_who_lists_clients_a_line_each() {
        let reply = |clients: &'static [&str]| Console::new().who(|| clients.to_vec()).reply("who");
        assert_eq!(reply(&[]), Reply::Lines("no client is connected".into()));
        assert_eq!(reply(&["a", "b"]), Reply::Lines("a\nb".into()));
    }

    #[test]
    fn a_line_that_is_no_text_is_explained() {
        let mut input = &b"\xff\nhelp\n"[..];
        let reply = console().take_command(&mut input).unwrap();
        assert_eq!(reply, Reply::Lines("\"\\xff\" is not UTF-8 text".into()));
        assert_eq!(input, b"help\n");
    }
}
