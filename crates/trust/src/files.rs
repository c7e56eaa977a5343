//! Small private files that are replaced as a whole, so that every reader finds the old or the new content. Other
//! processes may do the same at the same time: writers take a lock.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use private_files::{
    Folder, beside, create_folder, folder_of, is_exposed, name_blocking_file, private,
};

use crate::error::FileError;

/// As many as Linux follows.
const MAX_LINKS: u32 = 40;

/// A file whose content only its owner should see could be read or changed by others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    path: PathBuf,
    before: u32,
    now: u32,
}

/// Says what was found and what it is now, for a warning.
impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, before, now } = self;
        let path = path.display();
        if !is_exposed(*now) {
            write!(
                f,
                "other users could read {path} (mode {before:04o}); now its mode is {now:04o}"
            )
        } else {
            write!(
                f,
                "other users can read {path} (mode {now:04o}), and the file system does not allow a stricter mode; \
                 keep the file elsewhere"
            )
        }
    }
}

/// A file's content, if it exists.
///
/// # Errors
///
/// When it cannot be read, is no regular file or longer than `limit`.
pub fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, FileError> {
    let failed = FileError::io("read", path);
    // Opening a pipe could block, and reading a device never end.
    let open = || match fs::metadata(path)?.is_file() {
        true => File::open(path).map(Some),
        false => Ok(None),
    };
    let file = match open() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.map_err(&failed)?,
    };
    let file = file.ok_or_else(|| FileError::NotRegular {
        path: path.to_owned(),
    })?;
    let mut content = vec![];
    file.take(limit + 1)
        .read_to_end(&mut content)
        .map_err(&failed)?;
    if content.len() as u64 > limit {
        return Err(FileError::Damaged {
            path: path.to_owned(),
            problem: "it is too long",
        });
    }
    Ok(Some(content))
}

/// Makes a file private to its owner if it is not. Says what was found.
///
/// # Errors
///
/// When its mode cannot be read.
pub fn make_private(path: &Path) -> Result<Option<Exposure>, FileError> {
    let failed = FileError::io("make private", path);
    let modes = File::open(path).and_then(|file| private_files::make_private(&file));
    Ok(modes.map_err(failed)?.map(|(before, now)| Exposure {
        path: path.to_owned(),
        before,
        now,
    }))
}

/// Whether a file has further names (hard links), which keep its old content when the file is replaced.
///
/// # Errors
///
/// When the system does not say.
pub fn has_further_names(path: &Path) -> Result<bool, FileError> {
    let failed = FileError::io("count the names of", path);
    let names = File::open(path).and_then(|file| private_files::link_count(&file));
    Ok(names.map_err(failed)? > 1)
}

/// The right to replace one file, until it is dropped. It makes the file's folder where it is missing.
#[derive(Debug)]
pub struct WriteLock {
    /// The file itself: a link to it is followed, not replaced.
    path: PathBuf,
    _lock: File,
}

impl WriteLock {
    /// Waits until no other process holds the lock for `path`.
    ///
    /// # Errors
    ///
    /// When the folder or the lock file cannot be made.
    pub fn acquire(path: &Path) -> Result<Self, FileError> {
        let path = follow_links(path);
        let folder = folder_of(&path);
        create_folder(folder).map_err(FileError::io("create the folder of", &path))?;
        let lock_path = beside(&path, ".lock");
        let failed = FileError::io("lock", &lock_path);
        let lock = private(File::options().write(true))
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(&failed)?;
        lock.lock().map_err(&failed)?;
        Ok(Self { path, _lock: lock })
    }

    /// Replaces the file's content. After an error the file is what it was.
    ///
    /// # Errors
    ///
    /// When the content cannot be written beside the file, or the file not be replaced.
    pub fn replace(&self, content: &[u8]) -> Result<(), FileError> {
        let temp_path = beside(&self.path, ".tmp");
        let replaced = self.write_temp(&temp_path, content).and_then(|()| {
            fs::rename(&temp_path, &self.path)?;
            Folder::of(&self.path)?.sync()
        });
        if replaced.is_err() {
            // The first error is the one to report.
            let _ = fs::remove_file(&temp_path);
        }
        replaced.map_err(FileError::io("write", &self.path))
    }

    fn write_temp(&self, temp_path: &Path, content: &[u8]) -> io::Result<()> {
        // A file that a crash left behind may have any mode.
        match fs::remove_file(temp_path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut temp = private(File::options().write(true))
            .create_new(true)
            .open(temp_path)?;
        temp.write_all(content)?;
        temp.sync_all()
    }
}

impl FileError {
    fn io(action: &'static str, path: &Path) -> impl Fn(io::Error) -> Self {
        move |cause| Self::Io {
            action,
            path: path.to_owned(),
            cause: name_blocking_file(cause, path),
        }
    }
}

/// The file that a path leads to, also if it does not exist yet.
fn follow_links(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            Ok(target) => path = folder_of(&path).join(target),
            Err(_) => break,
        }
    }
    path
}
