//! What to run: path, arguments, environment, redirections. `running` and `terminal` run it.

use std::env::consts::EXE_SUFFIX;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use portable_pty::CommandBuilder;

use crate::folder::{Folder, LogFile};
use crate::time_limit::TIME_LIMIT;

/// The variables that a program inherits: where programs and temporary files are, and where a coverage run writes its
/// counts. No others, so that a `LAB_…`, `NO_COLOR` or `RUST_BACKTRACE` of the developer's shell does not change a
/// test. Windows programs start only with the folders of the system.
const INHERITED: [&str; 8] = [
    "PATH",
    "TMPDIR",
    "LLVM_PROFILE_FILE",
    "SystemRoot",
    "TEMP",
    "TMP",
    "PATHEXT",
    "WINEPREFIX",
];

/// A program to start, once or several times.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    prelude: Option<String>,
    redirection: Option<String>,
    pub(crate) folder: Option<Folder>,
    pub(crate) stdin: Stdin,
    pub(crate) limit: Duration,
}

/// The standard input of a program without a terminal.
#[derive(Clone, Debug)]
pub(crate) enum Stdin {
    Null,
    Pipe,
    Bytes(Vec<u8>),
}

impl Program {
    /// The program at `path`, usually `env!("CARGO_BIN_EXE_name")`; a bare name is looked up in `PATH`.
    ///
    /// By default it has no arguments, an empty standard input, a fresh [`Folder`] at each start,
    /// and an environment of `PATH`, `HOME` (its folder), `LOCALAPPDATA` (the `.local/state` in it), `TERM`, `LANG`,
    /// `SHELL` and `TZ=UTC`.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            prelude: None,
            redirection: None,
            folder: None,
            stdin: Stdin::Null,
            limit: TIME_LIMIT,
        }
    }

    /// Adds one argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable; the last value for a name wins.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Runs in `folder`, for programs that share files and for a server that is started again.
    pub fn in_folder(mut self, folder: &Folder) -> Self {
        self.folder = Some(folder.clone());
        self
    }

    /// Standard input is a pipe, written by [`Running::write_stdin`](crate::Running::write_stdin).
    pub fn stdin_pipe(mut self) -> Self {
        self.stdin = Stdin::Pipe;
        self
    }

    /// Standard input is a pipe with these bytes, then its end.
    pub fn stdin_bytes(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Stdin::Bytes(bytes.into());
        self
    }

    /// Shell commands to run before the program, for limits and ignored signals that it inherits: `"ulimit -n 40"`.
    pub fn prelude(mut self, commands: &str) -> Self {
        self.prelude = Some(commands.to_owned());
        self
    }

    /// Redirects as a shell does: `"> out.txt"`, `"2> /dev/full"`, `"< in.txt"`, `"| head -n 1"`;
    /// relative paths begin at the program's folder. In a terminal, what is not redirected stays
    /// the terminal. The process is the program itself, except in a pipeline (the shell).
    pub fn redirect(mut self, redirection: &str) -> Self {
        self.redirection = Some(redirection.to_owned());
        self
    }

    /// Replaces [`TIME_LIMIT`] for every wait for this program, for tests with much to do.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The file's name without folder: how our programs call themselves.
    pub(crate) fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        let name = name.to_string_lossy();
        let name = name.strip_suffix(EXE_SUFFIX).unwrap_or(&name);
        name.to_owned()
    }

    pub(crate) fn log_in(&self, folder: &Folder) -> LogFile {
        let log = folder.log(format!("logs/{}.log", self.name()));
        log.time_limit(self.limit)
    }

    pub(crate) fn command(&self, folder: &Folder) -> Command {
        let argv = self.argv();
        let mut command = Command::new(&argv[0]);
        command
            .args(&argv[1..])
            .env_clear()
            .envs(self.environment(folder))
            .current_dir(folder.path());
        command
    }

    pub(crate) fn terminal_command(&self, folder: &Folder) -> CommandBuilder {
        let mut command = CommandBuilder::from_argv(self.argv());
        command.env_clear();
        for (name, value) in self.environment(folder) {
            command.env(name, value);
        }
        command.cwd(folder.path());
        command
    }

    fn argv(&self) -> Vec<OsString> {
        let mut argv = Vec::new();
        if self.prelude.is_some() || self.redirection.is_some() {
            let prelude = self.prelude.as_deref().unwrap_or(":");
            let redirection = self.redirection.as_deref().unwrap_or_default();
            let script = format!(r#"{prelude} && exec "$0" "$@" {redirection}"#);
            argv.extend(["sh".into(), "-c".into(), script.into()]);
        }
        argv.push(self.path.clone().into());
        argv.extend_from_slice(&self.args);
        argv
    }

    fn environment(&self, folder: &Folder) -> Vec<(OsString, OsString)> {
        let inherited = INHERITED
            .iter()
            .filter_map(|name| Some((name.into(), std::env::var_os(name)?)));
        let state = folder.join(".local/state");
        let fixed = [
            ("HOME", folder.path().as_os_str()),
            ("LOCALAPPDATA", state.as_os_str()),
            ("TERM", "xterm-256color".as_ref()),
            ("LANG", "C.UTF-8".as_ref()),
            ("SHELL", "/bin/sh".as_ref()),
            ("TZ", "UTC".as_ref()),
        ];
        inherited
            .chain(fixed.map(|(name, value)| (name.into(), value.to_owned())))
            .chain(self.env.iter().cloned())
            .collect()
    }
}

/// The command line, for reports of failures.
impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(prelude) = &self.prelude {
            write!(f, "{prelude} && ")?;
        }
        for (name, value) in &self.env {
            write!(f, "{}={value:?} ", name.display())?;
        }
        write!(f, "{}", self.path.display())?;
        for arg in &self.args {
            write!(f, " {arg:?}")?;
        }
        match &self.redirection {
            Some(redirection) => write!(f, " {redirection}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Program {
        Program::new("sh").args(["-c", script])
    }

    #[cfg_attr(windows, ignore = "Windows has no shell and tools of Unix")]
    #[test]
    fn the_outer_environment_stays_outside() {
        let program = Program::new("env").env("LAB_ECHO_SERVER_PORT", "0");
        let terminal = program.spawn_in_terminal();
        assert!(terminal.wait().success());
        for seen in [program.output().stdout_text(), &terminal.plain()] {
            let names = seen
                .lines()
                .filter_map(|line| Some(line.split_once('=')?.0));
            let mut own: Vec<_> = names.filter(|name| !INHERITED.contains(name)).collect();
            own.sort_unstable();
            let expected = [
                "HOME",
                "LAB_ECHO_SERVER_PORT",
                "LANG",
                "LOCALAPPDATA",
                "SHELL",
                "TERM",
                "TZ",
            ];
            assert_eq!(own, expected);
            assert!(seen.contains("LAB_ECHO_SERVER_PORT=0\n"));
        }
    }

    #[cfg_attr(windows, ignore = "Windows has no shell and tools of Unix")]
    #[test]
    fn a_folder_of_its_own_unless_it_is_given_one() {
        let program = sh("pwd; cat old 2>/dev/null; echo $$ > old");
        let folders = [program.output(), program.output()].map(|run| run.stdout);
        assert_ne!(folders[0], folders[1]);

        let folder = Folder::new();
        let program = program.in_folder(&folder);
        assert_eq!(program.output().stdout_text().lines().count(), 1);
        assert_eq!(program.output().stdout_text().lines().count(), 2);
    }

    #[cfg_attr(windows, ignore = "Windows has no shell and tools of Unix")]
    #[test]
    fn redirections_keep_arguments_as_they_are() {
        let program = Program::new("printf").args(["%s|", "a b", "$HOME", "\"'"]);
        assert_eq!(program.output().stdout_text(), "a b|$HOME|\"'|");
        let redirected = program.redirect("| cat >&2").output().expect_success();
        assert_eq!(redirected.stderr_text(), "a b|$HOME|\"'|");
    }

    #[cfg_attr(windows, ignore = "Windows has no shell and tools of Unix")]
    #[test]
    fn a_prelude_is_inherited_by_the_program_itself() {
        let program = sh("ulimit -n; echo $$")
            .prelude("ulimit -n 40")
            .redirect("2>&1");
        let running = program.spawn();
        assert_eq!(running.next_line(), "40");
        assert_eq!(running.next_line(), running.pid().to_string());
    }

    #[test]
    #[should_panic(expected = "cannot start no-such-program")]
    fn a_program_that_is_not_there_is_named() {
        Program::new("no-such-program").output();
    }

    #[test]
    fn a_failure_can_be_run_again_by_hand() {
        let program = Program::new("prog")
            .env("A", "b c")
            .prelude("ulimit -n 40")
            .arg("--x")
            .redirect("> out");
        let command = r#"ulimit -n 40 && A="b c" prog "--x" > out"#;
        assert_eq!(program.to_string(), command);
    }
}
