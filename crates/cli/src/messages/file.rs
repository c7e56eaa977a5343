//! The log file: appended to by any number of processes, and begun anew when it grows too long. It knows nothing of lines but
//! that one ends with a newline.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::reason::Reason;
use crate::say::say;

/// A file in append mode, so that each write is a whole, wherever other processes left the end.
#[derive(Debug)]
pub(super) struct LogFile {
    file: File,
    path: PathBuf,
    /// Past so many bytes a new file begins.
    limit: Option<u64>,
    at_line_start: bool,
    told_failure: bool,
}

impl LogFile {
    /// Opens or creates the file and its folder. Only a regular file is ever renamed, so `limit` (in bytes) is for these.
    pub(super) fn open(path: &Path, limit: Option<u64>) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = append_to(path)?;
        let regular = file.metadata()?.is_file();
        Ok(Self {
            file,
            // Beyond symbolic links: the file is to be renamed, not a link to it.
            path: if regular {
                path.canonicalize()?
            } else {
                path.to_owned()
            },
            limit: limit.filter(|_| regular),
            at_line_start: true,
            told_failure: false,
        })
    }

    fn begin_anew_past(&mut self, limit: u64) -> io::Result<()> {
        if self.file.metadata()?.len() < limit {
            return Ok(());
        }
        // All processes that hold this very file pass here one by one.
        match self.file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let replaced = self.replace();
        if replaced.is_err() {
            self.file.unlock()?;
        }
        replaced
    }

    fn replace(&mut self) -> io::Result<()> {
        match fs::metadata(&self.path) {
            Ok(there) if is_same(&there, &self.file.metadata()?) => {
                let mut old = OsString::from(&self.path);
                old.push(".1");
                fs::rename(&self.path, old)?;
            }
            // Another process was first, or somebody moved the file away.
            _ => {}
        }
        self.file = append_to(&self.path)?;
        Ok(())
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let (Some(limit), true) = (self.limit, self.at_line_start)
            && let Err(error) = self.begin_anew_past(limit)
            && !self.told_failure
        {
            self.told_failure = true;
            let (path, why) = (self.path.display(), Reason(&error));
            say(format_args!(
                "cannot begin a new log file in place of {path}: {why}; it grows on until that is mended"
            ));
        }
        let written = self.file.write(bytes)?;
        if let Some(&last) = bytes[..written].last() {
            self.at_line_start = last == b'\n';
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    File::options().append(true).create(true).open(path)
}

fn is_same(a: &Metadata, b: &Metadata) -> bool {
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn numbered(writer: usize, number: usize) -> String {
        format!("{writer} {number:060}\n")
    }

    #[test]
    fn past_the_limit_a_new_file_begins() {
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
    fn a_torn_line_is_ended_before_a_new_file_begins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        let mut log = LogFile::open(&path, Some(3)).unwrap();
        log.write_all(b"half a ").unwrap();
        log.write_all(b"line\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "half a line\n");
    }

    #[test]
    fn a_device_has_no_length() {
        let mut log = LogFile::open(Path::new("/dev/null"), Some(1)).unwrap();
        log.write_all(b"one\n").unwrap();
        log.write_all(b"two\n").unwrap();
        assert!(!log.told_failure);
        let mut full = LogFile::open(Path::new("/dev/full"), Some(1)).unwrap();
        assert_eq!(
            full.write(b"one\n").unwrap_err().kind(),
            io::ErrorKind::StorageFull
        );
    }

    #[test]
    fn writers_of_one_file_begin_anew_together() {
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
