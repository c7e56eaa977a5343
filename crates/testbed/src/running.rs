//! A program that runs beside the test with pipes for streams.

use std::net::SocketAddr;
use std::ops::Deref;
use std::process::Stdio;
use std::time::Duration;

use crate::finished::Finished;
use crate::platform;
use crate::process::{LAST_WORDS, Process};
use crate::program::{Program, Stdin};
use crate::stream::{Feeder, Missing, Transcript};

/// A program started by [`Program::spawn`]. Signals, memory, folder and log come from its [`Process`].
///
/// The test reads each output stream from front to back: a wait searches only what came after the match of the wait
/// before it on the same stream. One thread at a time waits on a stream.
pub struct Running {
    process: Process,
    stdin: Option<Feeder>,
    stdout: Transcript,
    stderr: Transcript,
}

impl Program {
    /// Starts it beside the test.
    #[track_caller]
    pub fn spawn(&self) -> Running {
        Running::start(self)
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn output(&self) -> Finished {
        self.spawn().wait()
    }
}

impl Running {
    #[track_caller]
    pub(crate) fn start(program: &Program) -> Self {
        let (process, (stdin, stdout, stderr)) = Process::start(program, |folder| {
            let mut command = program.command(folder);
            command
                .stdin(match program.stdin {
                    Stdin::Null => Stdio::null(),
                    Stdin::Pipe | Stdin::Bytes(_) => Stdio::piped(),
                })
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            let mut child = platform::spawn(&mut command).map_err(|error| error.to_string())?;
            let streams = (child.stdin.take(), child.stdout.take(), child.stderr.take());
            Ok((platform::child_with_pipes(child), streams))
        });
        let mut stdin = stdin.map(Feeder::new);
        if let Stdin::Bytes(bytes) = &program.stdin {
            stdin
                .take()
                .expect("its stdin is piped")
                .feed(bytes.as_slice());
        }
        Self {
            process,
            stdin,
            stdout: Transcript::record(stdout.expect("its stdout is piped")),
            stderr: Transcript::record(stderr.expect("its stderr is piped")),
        }
    }

    /// Waits for a server's line on stdout, `NAME listening on ADDR`, and returns the address.
    #[track_caller]
    pub fn await_address(&self) -> SocketAddr {
        let line = self.next_line();
        let start = format!("{} listening on ", self.program().name());
        match line.strip_prefix(&start).and_then(|rest| rest.parse().ok()) {
            Some(address) => address,
            None => self.fail(&format!("expected \"{start}ADDR\" on stdout, got {line:?}")),
        }
    }

    /// Waits for the next whole line on stdout and returns it without its `\n`.
    #[track_caller]
    pub fn next_line(&self) -> String {
        self.wait_for_line("")
    }

    /// Waits for a whole line on stdout that contains `text` and returns it without its `\n`.
    #[track_caller]
    pub fn wait_for_line(&self, text: &str) -> String {
        let line = self.stdout.take_line(self.limit(), text);
        self.expect_found(line, &format!("a line with {text:?} on stdout"))
    }

    /// Waits for `text` on stderr, a prompt for instance.
    #[track_caller]
    pub fn wait_for_stderr(&self, text: &str) {
        let found = self.stderr.take_text(self.limit(), text);
        self.expect_found(found, &format!("{text:?} on stderr"));
    }

    /// Waits for a whole line on stderr that contains `text` and returns it without its `\n`.
    #[track_caller]
    pub fn wait_for_stderr_line(&self, text: &str) -> String {
        let line = self.stderr.take_line(self.limit(), text);
        self.expect_found(line, &format!("a line with {text:?} on stderr"))
    }

    /// Writes to its stdin without waiting until it reads. What it leaves unread is lost.
    ///
    /// # Panics
    ///
    /// When its stdin is not a pipe ([`Program::stdin_pipe`]) or is closed.
    #[track_caller]
    pub fn write_stdin(&self, bytes: impl Into<Vec<u8>>) {
        match &self.stdin {
            Some(stdin) => stdin.feed(bytes),
            None => self.fail("stdin is not a pipe, or closed already"),
        }
    }

    /// Ends its stdin, after what was written.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// All that it has written to stdout.
    pub fn stdout(&self) -> Vec<u8> {
        self.stdout.bytes()
    }

    /// All that it has written to stderr.
    pub fn stderr(&self) -> Vec<u8> {
        self.stderr.bytes()
    }

    /// Waits until it ends by itself and collects its output. A piped stdin stays open unless
    /// [`close_stdin`](Self::close_stdin) came before.
    #[track_caller]
    pub fn wait(self) -> Finished {
        let limit = self.limit();
        self.wait_within(limit)
    }

    /// [`wait`](Self::wait) with a limit of its own, for tests of how long it takes.
    #[track_caller]
    pub fn wait_within(self, limit: Duration) -> Finished {
        let Some(status) = self.wait_for_end(limit) else {
            self.fail(&format!("waited for its end: not within {limit:?}"))
        };
        for (stream, name) in [(&self.stdout, "stdout"), (&self.stderr, "stderr")] {
            // A child of the program may hold the stream open.
            let end = stream.wait_for_end(self.limit());
            self.expect_found(end, &format!("the end of {name} after its own end"));
        }
        Finished {
            status,
            stdout: self.stdout(),
            stderr: self.stderr(),
            sent: self.last_signal(),
            program: self.program().clone(),
            folder: self.folder().clone(),
        }
    }

    #[track_caller]
    fn expect_found<T>(&self, found: Result<T, Missing>, what: &str) -> T {
        match found {
            Ok(found) => found,
            Err(missing) => {
                if let Missing::StreamEnded = missing {
                    self.wait_for_end(LAST_WORDS);
                    let _ = self.stdout.wait_for_end(LAST_WORDS);
                    let _ = self.stderr.wait_for_end(LAST_WORDS);
                }
                self.fail(&format!("waited for {what}: {missing}"))
            }
        }
    }

    #[track_caller]
    fn fail(&self, what: &str) -> ! {
        self.process.fail(
            what,
            &[("stdout", self.stdout()), ("stderr", self.stderr())],
        )
    }
}

impl Deref for Running {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
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
    fn output_is_collected_with_the_exit_status() {
        let finished = sh("cat; echo trouble >&2; exit 3")
            .stdin_bytes("данные")
            .output();
        let finished = finished.expect_code(3);
        assert_eq!(finished.stdout_text(), "данные");
        assert_eq!(finished.stderr_text(), "trouble\n");
    }

    #[test]
    fn megabytes_flow_both_ways_at_once() {
        let bytes = b"0123456789abcde\n".repeat(1 << 18);
        let finished = Program::new("cat").stdin_bytes(bytes.clone()).output();
        assert!(finished.stdout == bytes, "cat changed its input");
    }

    #[test]
    fn a_dialogue_goes_line_by_line() {
        let mut cat = Program::new("cat").stdin_pipe().spawn();
        cat.write_stdin("one\ntwo\n");
        assert_eq!(cat.next_line(), "one");
        assert_eq!(cat.wait_for_line("w"), "two");
        cat.write_stdin("three");
        cat.close_stdin();
        assert_eq!(cat.wait().stdout_text(), "one\ntwo\nthree");
    }

    #[test]
    fn an_address_is_read_in_both_families() {
        for address in ["127.0.0.1:9090", "[::1]:9090"] {
            let server = sh(&format!("echo sh listening on {address}; cat"))
                .stdin_pipe()
                .spawn();
            assert_eq!(server.await_address(), address.parse().unwrap());
            assert!(server.is_running());
        }
    }

    #[test]
    #[should_panic(expected = "got \"listening somewhere\"")]
    fn another_first_line_is_no_address() {
        sh("echo listening somewhere").spawn().await_address();
    }

    #[test]
    fn stderr_is_waited_for_in_the_middle_of_a_line() {
        let program =
            sh("printf 'Port [9090]: ' >&2; read x; echo taken: $x >&2; cat").stdin_pipe();
        let mut program = program.spawn();
        program.wait_for_stderr("[9090]: ");
        program.write_stdin("1\n");
        assert_eq!(program.wait_for_stderr_line("taken"), "taken: 1");
        program.close_stdin();
        program.wait().expect_success();
    }

    /// Not SIGINT or SIGHUP: the background jobs of a shell and programs under `nohup` ignore them, and so do their
    /// children.
    #[test]
    fn signals_arrive() {
        for signal in [Signal::USR1, Signal::TERM, Signal::KILL] {
            let cat = Program::new("cat").stdin_pipe().spawn();
            cat.write_stdin("is it up?\n");
            cat.next_line();
            match signal {
                Signal::TERM => cat.terminate(),
                Signal::KILL => cat.kill(),
                other => cat.signal(other),
            }
            assert_eq!(cat.wait().status.signal(), Some(signal.as_raw()));
        }
    }

    #[test]
    fn what_is_dropped_is_gone() {
        let program = Program::new("cat").stdin_pipe().spawn();
        let pid = rustix::process::Pid::from_raw(program.pid() as i32).unwrap();
        assert!(rustix::process::test_kill_process(pid).is_ok());
        drop(program);
        assert_eq!(
            rustix::process::test_kill_process(pid),
            Err(rustix::io::Errno::SRCH)
        );
    }

    #[test]
    #[should_panic(expected = "--- stdout: 9 bytes\nsaid late\n--- stderr: 0")]
    fn a_wait_in_vain_shows_all_output() {
        let program = sh("exec 2>&-; sleep 0.1; printf 'said late'").spawn();
        program.wait_for_stderr("something else");
    }

    #[test]
    #[should_panic(expected = "ended with exit status: 1")]
    fn a_server_that_does_not_start_is_reported_with_its_status() {
        sh("exec >&-; sleep 0.1; exit 1").spawn().await_address();
    }

    #[test]
    #[should_panic(expected = "waited for its end: not within 300ms")]
    fn a_program_that_does_not_end_fails_the_test() {
        sh("trap '' TERM; while :; do sleep 0.05; done")
            .time_limit(Duration::from_millis(300))
            .output();
    }

    #[test]
    #[should_panic(expected = "logged by the server")]
    fn a_failure_shows_the_log() {
        let script = "mkdir logs; echo logged by the server > logs/sh.log; exit 1";
        sh(script).output().expect_success();
    }

    #[test]
    fn the_log_is_where_servers_write() {
        let mut server = sh("mkdir logs; echo server started > logs/sh.log; cat")
            .stdin_pipe()
            .spawn();
        assert_eq!(server.log().wait_for("started"), "server started");
        server.close_stdin();
        assert_eq!(server.wait().log().text(), "server started\n");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_and_threads_are_those_of_the_living() {
        let cat = Program::new("cat").stdin_pipe().spawn();
        cat.write_stdin("\n");
        cat.next_line();
        let memory = cat.memory().unwrap();
        assert!(
            memory.resident > 4096 && memory.peak >= memory.resident,
            "{memory:?}"
        );
        assert_eq!(cat.threads(), Some(1));
        cat.kill();
        assert!(cat.wait_for_end(cat.limit()).is_some());
        assert_eq!((cat.memory(), cat.threads()), (None, None));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_limit_set_while_it_runs_holds() {
        let tee = Program::new("tee").arg("out").prelude("trap '' XFSZ");
        let mut tee = tee.stdin_pipe().spawn();
        tee.write_stdin("one\n");
        tee.next_line();
        tee.restrict(crate::Resource::Fsize, Some(4));
        tee.write_stdin("two\n");
        tee.wait_for_stderr("too large");
        tee.close_stdin();
        assert_eq!(std::fs::read(tee.folder().join("out")).unwrap(), b"one\n");
        assert_eq!(tee.wait().status.code(), Some(1));
    }
}
