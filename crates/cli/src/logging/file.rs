//! A log file: any number of processes append to it, it is rotated when it grows too long, and reopened on request.
//! This module knows nothing of lines but that each ends with a newline.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::platform::{APPENDS_ARE_WHOLE, append_to, is_same_file, make_private};
use crate::print_stderr::print_stderr;
use proto::Reason;

/// A file in append mode, so that processes that share it do not overwrite each other.
#[derive(Debug)]
pub(super) struct LogFile {
    /// `None` until the first write to a file that is opened late.
    file: Option<File>,
    path: PathBuf,
    /// The file is rotated once it is this long.
    limit: Option<u64>,
    at_line_start: bool,
    reopen: Arc<AtomicBool>,
    is_reported: bool,
}

impl LogFile {
    /// Opens or creates the file and its folder. A file is rotated past `limit` bytes; a device or pipe never is.
    pub(super) fn open(path: &Path, limit: Option<u64>) -> io::Result<Self> {
        let mut log = Self::open_late(path, limit);
        log.file = Some(log.open_now()?);
        Ok(log)
    }

    /// The file is opened or created when the first line is written.
    pub(super) fn open_late(path: &Path, limit: Option<u64>) -> Self {
        Self {
            file: None,
            path: path.to_owned(),
            limit,
            at_line_start: true,
            reopen: Arc::default(),
            is_reported: false,
        }
    }

    /// A flag that has the file opened again before the next line, because it was moved away.
    pub(super) fn reopen_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.reopen)
    }

    fn open_now(&mut self) -> io::Result<File> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = append_to(&self.path)?;
        if file.metadata()?.is_file() {
            // Without symbolic links: rotation renames the file itself, not a link to it.
            self.path = self.path.canonicalize()?;
            self.take_from_others(&file);
        } else {
            self.limit = None;
        }
        Ok(file)
    }

    /// A log names addresses and users. Files of older versions could be read by everybody.
    fn take_from_others(&self, file: &File) {
        let path = self.path.display();
        match make_private(file) {
            Ok(None) => {}
            Ok(Some(mode)) => print_stderr(format_args!(
                "{path}: other users could read it (mode {mode:04o}); now its mode is 0600"
            )),
            Err(error) => print_stderr(format_args!(
                "{path}: other users can read it, and its mode cannot be made 0600: {}",
                Reason(&error)
            )),
        }
    }

    /// Opens the path again. If that fails, the open file stays in use.
    fn reopen(&mut self) {
        match append_to(&self.path) {
            Ok(file) => self.file = Some(file),
            Err(error) => self.report_once("reopen the log file", &error),
        }
    }

    /// Rotates the file if it is too long. Processes that share it take turns by the lock file; those that come later
    /// find a new file in place, and open that.
    fn rotate_past_limit(&mut self, limit: u64) -> io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        if file.metadata()?.len() < limit {
            return Ok(());
        }
        let lock = append_to(&self.beside(".lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Another process may have rotated the log or moved the file away.
        if let Ok(there) = File::open(&self.path)
            && is_same_file(&there, file)?
        {
            fs::rename(&self.path, self.beside(".1"))?;
        }
        self.file = Some(append_to(&self.path)?);
        Ok(())
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut path = OsString::from(&self.path);
        path.push(suffix);
        path.into()
    }

    fn report_once(&mut self, what: &str, error: &io::Error) {
        if !self.is_reported {
            self.is_reported = true;
            let (path, why) = (self.path.display(), Reason(error));
            print_stderr(format_args!(
                "cannot {what} {path}: {why}; messages go to the old file until it works"
            ));
        }
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.file.is_none() {
            self.file = Some(self.open_now()?);
        }
        if self.at_line_start {
            if self.reopen.swap(false, Ordering::Relaxed) {
                self.reopen();
            }
            if let Some(limit) = self.limit
                && let Err(error) = self.rotate_past_limit(limit)
            {
                self.report_once("rotate the log file", &error);
            }
        }
        let lock = match APPENDS_ARE_WHOLE {
            true => None,
            false => Some(append_to(&self.beside(".lock"))?),
        };
        if let Some(lock) = &lock {
            lock.lock()?;
        }
        let Some(mut file) = self.file.as_ref() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let written = file.write(bytes)?;
        if let Some(&last) = bytes[..written].last() {
            self.at_line_start = last == b'\n';
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn numbered(writer: usize, number: usize) -> String {
        format!("{writer} {number:060}\n")
    }

    #[test]
    fn past_the_limit_the_file_is_rotated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/folder/x.log");
        let mut log = LogFile::open(&path, Some(10)).unwrap();
        for line in ["first\n", "second\n", "third\n"] {
            log.write_all(line.as_bytes()).unwrap();
        }
        assert_eq!(
            fs::read_to_string(path.with_extension("log.1")).unwrap(),
            "first\nsecond\n"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "third\n");
        drop(log);

        let mut log = LogFile::open(&path, None).unwrap();
        log.write_all(b"fourth, long\n").unwrap();
        log.write_all(b"fifth\n").unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "third\nfourth, long\nfifth\n"
        );
    }

    #[test]
    fn a_file_that_was_moved_away_is_made_again_on_request() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("x.log"), folder.path().join("moved"));
        let mut log = LogFile::open(&path, None).unwrap();
        log.write_all(b"first\n").unwrap();
        fs::rename(&path, &moved).unwrap();
        log.write_all(b"second\n").unwrap();
        log.reopen_flag().store(true, Ordering::Relaxed);
        log.write_all(b"third\n").unwrap();
        log.write_all(b"fourth\n").unwrap();
        assert_eq!(fs::read_to_string(&moved).unwrap(), "first\nsecond\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "third\nfourth\n");
    }

    #[test]
    fn a_file_that_is_opened_late_is_there_with_its_first_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/x.log");
        let mut log = LogFile::open_late(&path, Some(10));
        assert!(!path.exists());
        log.write_all(b"a first line\n").unwrap();
        log.write_all(b"second\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "second\n");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_a_log() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let mut log = LogFile::open(&path, Some(1)).unwrap();
        log.write_all(b"first\n").unwrap();
        log.write_all(b"second\n").unwrap();
        for path in [&path, &path.with_extension("log.1")] {
            let mode = fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{path:?}");
        }
    }

    #[test]
    fn a_torn_line_is_finished_before_the_file_is_rotated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        let mut log = LogFile::open(&path, Some(3)).unwrap();
        log.write_all(b"half a ").unwrap();
        log.write_all(b"line\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "half a line\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_never_rotated() {
        let mut log = LogFile::open(Path::new("/dev/null"), Some(1)).unwrap();
        log.write_all(b"one\n").unwrap();
        log.write_all(b"two\n").unwrap();
        assert!(!log.is_reported);
        let mut full = LogFile::open(Path::new("/dev/full"), Some(1)).unwrap();
        assert_eq!(
            full.write(b"one\n").unwrap_err().kind(),
            io::ErrorKind::StorageFull
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_named_pipe_needs_a_reader() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let error = LogFile::open(&path, Some(1)).unwrap_err();
        assert_eq!(error.to_string(), "it is a named pipe that nobody reads");

        let reader = {
            let path = path.clone();
            thread::spawn(move || fs::read_to_string(path).unwrap())
        };
        let mut log = loop {
            match LogFile::open(&path, Some(1)) {
                Ok(log) => break log,
                Err(_) => thread::yield_now(),
            }
        };
        log.write_all(b"one\n").unwrap();
        log.write_all(b"two\n").unwrap();
        drop(log);
        assert_eq!(reader.join().unwrap(), "one\ntwo\n");
    }

    #[test]
    fn writers_of_one_file_rotate_it_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        let mut logs: Vec<_> = (0..2)
            .map(|_| LogFile::open(&path, Some(1000)).unwrap())
            .collect();
        // Sixteen lines a file. The second writer finds the file it holds renamed, and must not rename the new one.
        for number in 0..20 {
            let log = &mut logs[number % 2];
            log.write_all(numbered(number % 2, number).as_bytes())
                .unwrap();
        }
        let old = fs::read_to_string(path.with_extension("log.1")).unwrap();
        let new = fs::read_to_string(&path).unwrap();
        let whole: String = (0..20).map(|number| numbered(number % 2, number)).collect();
        assert_eq!(old.lines().count() + new.lines().count(), 20);
        assert_eq!(format!("{old}{new}"), whole);
    }

    #[test]
    fn no_line_is_mixed_or_lost_while_the_limit_is_far() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        thread::scope(|scope| {
            for writer in 0..3 {
                let mut log = LogFile::open(&path, Some(160_000)).unwrap();
                scope.spawn(move || {
                    for number in 0..1000 {
                        log.write_all(numbered(writer, number).as_bytes()).unwrap();
                    }
                });
            }
        });
        let old = fs::read_to_string(path.with_extension("log.1")).unwrap();
        let mut lines: Vec<_> = old.lines().map(str::to_owned).collect();
        lines.extend(
            fs::read_to_string(&path)
                .unwrap()
                .lines()
                .map(str::to_owned),
        );
        let mut expected: Vec<_> = (0..3)
            .flat_map(|writer| (0..1000).map(move |number| numbered(writer, number)))
            .map(|line| line.trim_end().to_owned())
            .collect();
        lines.sort();
        expected.sort();
        assert!(lines == expected);
    }
}
