//! The working folder of a program, and the log files in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::section::section;
use crate::time_limit::TIME_LIMIT;

/// How often a [`LogFile`] is polled: a tenth of the time that a service message may take to reach it.
const LOG_POLL: Duration = Duration::from_millis(10);

/// A fresh folder, removed when its last handle is dropped. A clone is a handle to the same folder.
#[derive(Clone, Debug)]
pub struct Folder(Arc<TempDir>);

impl Folder {
    /// Makes one among the system's temporary files.
    #[allow(clippy::new_without_default, reason = "it makes a folder on disk")]
    #[track_caller]
    pub fn new() -> Self {
        match TempDir::with_prefix("socket-lab-") {
            Ok(folder) => Self(Arc::new(folder)),
            Err(error) => panic!("cannot make a temporary folder: {error}"),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The path of a file in it, whether or not the file exists.
    pub fn join(&self, file: impl AsRef<Path>) -> PathBuf {
        self.path().join(file)
    }

    /// A log file in it, whether or not the file exists yet.
    pub fn log(&self, file: impl AsRef<Path>) -> LogFile {
        LogFile {
            path: self.join(file),
            limit: TIME_LIMIT,
            _folder: self.clone(),
        }
    }
}

/// A file of service messages that a program appends to. Only whole lines count; a missing file has none.
#[derive(Clone, Debug)]
pub struct LogFile {
    path: PathBuf,
    limit: Duration,
    _folder: Folder,
}

impl LogFile {
    /// Replaces [`TIME_LIMIT`].
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for a line that contains `text`, anywhere in the file, and returns the first.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_for_nth(1, text)
    }

    /// Waits for the `n`th line that contains `text`, counted from 1, and returns it.
    #[track_caller]
    pub fn wait_for_nth(&self, n: usize, text: &str) -> String {
        assert!(n > 0, "lines are counted from 1");
        let deadline = Instant::now() + self.limit;
        loop {
            let out_of_time = Instant::now() >= deadline;
            if let Some(line) = self.lines_with(text).into_iter().nth(n - 1) {
                return line;
            }
            if out_of_time {
                let log = section(&self.path.display().to_string(), self.text().as_bytes());
                panic!(
                    "waited for line {n} with {text:?} in the log: not within {:?}{log}",
                    self.limit
                );
            }
            // The only polling in the tests: std cannot wait for a file to grow.
            thread::sleep(LOG_POLL);
        }
    }

    /// The lines so far that contain `text`.
    #[track_caller]
    pub fn lines_with(&self, text: &str) -> Vec<String> {
        let all = self.text();
        let lines = all.lines().filter(|line| line.contains(text));
        lines.map(str::to_owned).collect()
    }

    /// The whole lines so far.
    ///
    /// # Panics
    ///
    /// When they are not UTF-8.
    #[track_caller]
    pub fn text(&self) -> String {
        let mut bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => panic!("cannot read {}: {error}", self.path.display()),
        };
        let whole = bytes
            .iter()
            .rposition(|&b| b == b'\n')
            .map_or(0, |at| at + 1);
        bytes.truncate(whole);
        match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => panic!("{} is not UTF-8: {error}", self.path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_log_is_waited_for_line_by_line() {
        let folder = Folder::new();
        let log = folder.log("server.log");
        assert_eq!(log.text(), "");

        let (go_on, may_go_on) = mpsc::channel();
        let path = log.path().to_owned();
        let writer = thread::spawn(move || {
            let mut file = fs::File::create(path).unwrap();
            file.write_all("client 1 connected\nclient 2 connect".as_bytes())
                .unwrap();
            may_go_on.recv().unwrap();
            file.write_all("ed\nПока\n".as_bytes()).unwrap();
        });

        assert_eq!(log.wait_for("connected"), "client 1 connected");
        assert_eq!(log.lines_with("client").len(), 1, "half a line is none");
        go_on.send(()).unwrap();
        assert_eq!(log.wait_for_nth(2, "connected"), "client 2 connected");
        assert_eq!(log.wait_for("Пока"), "Пока");
        writer.join().unwrap();
    }

    #[test]
    #[should_panic(expected = "all that was logged")]
    fn a_wait_in_vain_shows_the_log() {
        let log = Folder::new().log("server.log").time_limit(Duration::ZERO);
        fs::write(log.path(), "all that was logged\n").unwrap();
        log.wait_for("something else");
    }

    #[test]
    fn a_folder_lives_as_long_as_its_last_holder() {
        let folder = Folder::new();
        let path = folder.path().to_owned();
        let log = folder.log("server.log");
        drop(folder);
        assert!(path.is_dir());
        drop(log);
        assert!(!path.exists());
    }
}
