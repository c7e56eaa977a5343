//! A program that ran with pipes and has ended: its status, output and folder.

use std::process::ExitStatus;

use crate::failure;
use crate::folder::{Folder, LogFile};
use crate::platform::{self, Signal};
use crate::program::Program;

/// A program that has ended. Its folder still exists.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to stdout.
    pub stdout: Vec<u8>,
    /// What it wrote to stderr.
    pub stderr: Vec<u8>,
    /// The last signal that the test sent.
    pub(crate) sent: Option<Signal>,
    pub(crate) program: Program,
    pub(crate) folder: Folder,
}

impl Finished {
    /// Fails the test unless it ended with exit status 0. On Windows, where [`terminate`](crate::Process::terminate)
    /// kills, its end by that is accepted, too.
    #[track_caller]
    pub fn expect_success(self) -> Self {
        if !platform::succeeded(self.status, self.sent) {
            self.fail("expected exit status 0");
        }
        self
    }

    /// Fails the test unless it ended with this exit status.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        if self.status.code() != Some(code) {
            self.fail(&format!("expected exit status {code}"));
        }
        self
    }

    /// Fails the test unless this signal ended it.
    #[track_caller]
    pub fn expect_signal(self, signal: Signal) -> Self {
        if !platform::ended_by(signal, self.status, self.sent) {
            self.fail(&format!("expected its end by {signal:?}"));
        }
        self
    }

    /// What it wrote to stdout, which must be UTF-8.
    #[track_caller]
    pub fn stdout_text(&self) -> &str {
        self.text(&self.stdout, "stdout")
    }

    /// What it wrote to stderr, which must be UTF-8.
    #[track_caller]
    pub fn stderr_text(&self) -> &str {
        self.text(&self.stderr, "stderr")
    }

    /// The folder it worked in.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The log file where our servers write by default, as [`Process::log`](crate::Process::log).
    pub fn log(&self) -> LogFile {
        self.program.log_in(&self.folder)
    }

    /// Fails the test with the program's output, for checks of the test's own.
    #[track_caller]
    pub fn fail(&self, what: &str) -> ! {
        let streams = [
            ("stdout", self.stdout.clone()),
            ("stderr", self.stderr.clone()),
        ];
        let state = format!("ended with {}", self.status);
        let report = failure::report(what, &self.program, &state, &streams, &self.folder);
        panic!("{report}");
    }

    #[track_caller]
    fn text<'a>(&self, bytes: &'a [u8], name: &str) -> &'a str {
        match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => self.fail(&format!("{name} is not UTF-8: {error}")),
        }
    }
}
