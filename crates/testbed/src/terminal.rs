//! A program in a pseudo-terminal, driven the way a person drives it: keys in, text out.

use std::fmt::Display;
use std::num::NonZero;
use std::ops::Deref;
use std::process::ExitStatus;
use std::time::Duration;

use portable_pty::{MasterPty, PtySize, native_pty_system};

use crate::escapes::{plain, visible};
use crate::platform;
use crate::process::{LAST_WORDS, Process};
use crate::program::Program;
use crate::stream::{Feeder, Missing, Transcript, find};

/// A program started by [`Program::spawn_in_terminal`]. Signals, memory, folder and log come from its [`Process`].
///
/// Typed text appears on the screen once: the terminal or a line editor echoes it. Type only after the program has
/// shown that it waits for input.
pub struct Terminal {
    process: Process,
    keys: Feeder,
    screen: Transcript,
    terminal: Box<dyn MasterPty + Send>,
}

impl Program {
    /// Starts it in a terminal of 24 rows and 80 columns, which is its standard input, output and
    /// error and sends it the signals of Ctrl-C and Ctrl-\\. What `stdin_…` chose is not used.
    #[track_caller]
    pub fn spawn_in_terminal(&self) -> Terminal {
        Terminal::start(self)
    }
}

impl Terminal {
    #[track_caller]
    pub(crate) fn start(program: &Program) -> Self {
        let (process, (terminal, reader, writer)) = Process::start(program, |folder| {
            let pair = native_pty_system().openpty(size(24, 80)).map_err(reason)?;
            let reader = pair.master.try_clone_reader().map_err(reason)?;
            let writer = pair.master.take_writer().map_err(reason)?;
            let command = program.terminal_command(folder);
            let child = pair.slave.spawn_command(command).map_err(reason)?;
            let child = platform::child_in_terminal(child);
            Ok((child, (pair.master, reader, writer)))
        });
        Self {
            process,
            keys: Feeder::new(writer),
            screen: Transcript::record(reader),
            terminal,
        }
    }

    /// Types `line` and Enter.
    pub fn type_line(&self, line: &str) {
        self.type_keys(&format!("{line}\r"));
    }

    /// Types keys as the terminal encodes them: `"\u{3}"` is Ctrl-C, `"\u{4}"` Ctrl-D, `"\t"` Tab,
    /// `"\u{7f}"` Backspace, `"\u{1b}[A"` the up arrow, `"\r"` Enter.
    pub fn type_keys(&self, keys: &str) {
        self.keys.feed(keys);
    }

    /// Types bytes that need not be UTF-8.
    pub fn type_bytes(&self, bytes: &[u8]) {
        self.keys.feed(bytes);
    }

    /// Waits for `text` on the screen, after the last match. Ignores escape sequences between its letters; lines end
    /// with `\n`.
    #[track_caller]
    pub fn expect(&self, text: &str) {
        let found = self.screen.take(self.limit(), |raw| {
            let (bytes, ends): (Vec<u8>, Vec<usize>) = visible(raw).unzip();
            let last = (find(&bytes, text.as_bytes())? + text.len()).checked_sub(1);
            Some((last.map_or(0, |last| ends[last]), ()))
        });
        self.expect_found(found, &format!("{text:?}"));
    }

    /// Waits for `text` with its escape sequences, after the last match: a bell, a colour, `"\r\n"`.
    #[track_caller]
    pub fn expect_raw(&self, text: &str) {
        let found = self.screen.take_text(self.limit(), text);
        self.expect_found(found, &format!("{text:?} as it is"));
    }

    /// All output so far, with its escape sequences.
    pub fn raw(&self) -> Vec<u8> {
        self.screen.bytes()
    }

    /// All output so far, without escape sequences; lines end with `\n`. Overwritten and erased text is still there.
    pub fn plain(&self) -> String {
        plain(&self.raw())
    }

    /// What a terminal of this size shows now: its rows, each without the blanks at its end.
    pub fn drawn(&self, rows: u16, columns: u16) -> Vec<String> {
        let size = |n| NonZero::new(n).expect("a terminal has rows and columns");
        let mut screen = vt100::Parser::new(size(rows), size(columns), 0);
        screen.process(&self.raw());
        let rows = screen.screen().rows(0, columns);
        rows.map(|row| row.trim_end().to_owned()).collect()
    }

    /// Changes the size of the terminal; the program gets SIGWINCH.
    #[track_caller]
    pub fn resize(&self, rows: u16, columns: u16) {
        if let Err(error) = self.terminal.resize(size(rows, columns)) {
            self.fail(&format!("cannot resize its terminal: {error:#}"));
        }
    }

    /// Waits until it ends by itself; then [`raw`](Self::raw) is complete.
    #[track_caller]
    pub fn wait(&self) -> ExitStatus {
        self.wait_within(self.limit())
    }

    /// [`wait`](Self::wait) with a limit of its own, for tests of how long it takes.
    #[track_caller]
    pub fn wait_within(&self, limit: Duration) -> ExitStatus {
        let Some(status) = self.wait_for_end(limit) else {
            self.fail(&format!("waited for its end: not within {limit:?}"))
        };
        // A child of the program may hold the terminal open.
        let end = self.screen.wait_for_end(self.limit());
        self.expect_found(end, "the end of its output after its own end");
        status
    }

    #[track_caller]
    fn expect_found<T>(&self, found: Result<T, Missing>, what: &str) -> T {
        match found {
            Ok(found) => found,
            Err(missing) => {
                if let Missing::StreamEnded = missing {
                    self.wait_for_end(LAST_WORDS);
                }
                self.fail(&format!("waited for {what} in the terminal: {missing}"))
            }
        }
    }

    #[track_caller]
    fn fail(&self, what: &str) -> ! {
        self.process.fail(what, &[("terminal", self.raw())])
    }
}

impl Deref for Terminal {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

/// An error with its causes; portable-pty's error type has no public name.
fn reason(error: impl Display) -> String {
    format!("{error:#}")
}

fn size(rows: u16, cols: u16) -> PtySize {
    PtySize {
        rows,
        cols,
        ..PtySize::default()
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;
    use crate::Signal;

    fn sh(script: &str) -> Program {
        Program::new("sh").args(["-c", script])
    }

    #[test]
    fn the_three_streams_are_the_terminal_and_keys_are_echoed() {
        let terminal =
            sh("test -t 0 && test -t 1 && test -t 2 && printf 'name: ' && read x && echo hi $x")
                .spawn_in_terminal();
        terminal.expect("name: ");
        terminal.type_line("Аня");
        terminal.expect("Аня\nhi Аня\n");
        assert!(terminal.wait().success());
        assert_eq!(terminal.plain(), "name: Аня\nhi Аня\n");
        assert_eq!(terminal.raw(), "name: Аня\r\nhi Аня\r\n".as_bytes());
    }

    #[test]
    fn a_text_is_expected_after_the_one_before_whatever_its_colours() {
        let terminal = sh(r"printf 'one \033[31mo\033[0mne\007'").spawn_in_terminal();
        terminal.expect("one");
        terminal.expect(" one");
        terminal.expect_raw("\u{7}");
        assert!(terminal.wait().success());
    }

    #[test]
    #[should_panic(expected = "not before the stream ended")]
    fn a_text_is_found_once() {
        let terminal = sh("echo one").spawn_in_terminal();
        terminal.expect("one");
        terminal.expect("one");
    }

    #[test]
    fn control_keys_do_what_they_do_in_a_terminal() {
        let terminal = Program::new("cat").spawn_in_terminal();
        terminal.type_line("last");
        terminal.expect("last\nlast\n");
        terminal.type_keys("\u{4}");
        assert!(terminal.wait().success());

        let terminal = Program::new("cat").spawn_in_terminal();
        terminal.type_line("last");
        terminal.expect("last\nlast\n");
        terminal.type_keys("\u{3}");
        assert_eq!(terminal.wait().signal(), Some(Signal::INT.as_raw()));
    }

    #[test]
    fn the_size_is_known_and_can_change() {
        let terminal = sh("stty size; read x; stty size").spawn_in_terminal();
        terminal.expect("24 80\n");
        terminal.resize(40, 100);
        terminal.type_line("");
        terminal.expect("40 100\n");
        assert!(terminal.wait().success());
    }

    #[test]
    fn stdout_can_be_redirected_while_the_rest_is_the_terminal() {
        let terminal = sh("test -t 0 && test -t 2 && ! test -t 1 && echo data && echo seen >&2")
            .redirect("> out.txt")
            .spawn_in_terminal();
        assert!(terminal.wait().success());
        assert_eq!(terminal.plain(), "seen\n");
        let data = std::fs::read_to_string(terminal.folder().join("out.txt")).unwrap();
        assert_eq!(data, "data\n");
    }

    #[test]
    #[should_panic(expected = "--- terminal: 8 bytes\npanic")]
    fn an_expectation_in_vain_shows_the_screen() {
        let terminal = sh("echo 'panic!'").spawn_in_terminal();
        terminal.expect("calm");
    }
}
