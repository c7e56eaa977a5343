//! The data file on disk: created, private, and open in one process alone. It knows nothing of the content.
//!
//! Two locks guard it. `PATH.lock` is never replaced, so it also covers the moment of a compaction; it is what older
//! versions look at. The lock on the data file itself keeps out processes that open it by another path (a hard link, a
//! bind mount), or after `PATH.lock` was removed. A lock counts only if the path still leads to the locked file.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf, absolute};

use private_files::{Folder, beside, folder_of, is_exposed, link_count, make_private};

use crate::disk::Disk;
use crate::error::{Error, shown};
use crate::files::{self, Identity};

/// How often a lock is taken again when the file was replaced between opening and locking it.
const MAX_LOCK_ATTEMPTS: u32 = 10;

/// A file that exists, is private, and is open in this process alone until it is dropped.
pub(crate) struct LockedFile {
    /// As the caller named it. It may be a symbolic link.
    named: PathBuf,
    /// Without links: a compaction must replace the file, not a link to it.
    real: PathBuf,
    temp: PathBuf,
    file: File,
    identity: Identity,
    folder: Folder,
    /// Held open: the operating system ends the lock when it is closed, even by a crash.
    _lock: File,
}

impl LockedFile {
    /// Creates the folder and the file where they are missing, takes the locks, and removes what a crash left behind.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        create_folder(folder_of(path)).map_err(Error::open("create the folder of", path))?;
        create_file(path).map_err(Error::open("open", path))?;
        let real = path.canonicalize().map_err(Error::open("find", path))?;
        if !real.is_file() {
            let reason = io::Error::other("it is not a regular file");
            return Err(Error::open("open", path)(reason));
        }
        let in_use = || Error::InUse {
            path: path.to_owned(),
        };
        let lock_path = beside(&real, ".lock");
        let lock = lock_current(&lock_path, File::try_lock)
            .map_err(Error::open("lock", &lock_path))?
            .ok_or_else(in_use)?;
        let file = lock_current(&real, files::lock_data_file)
            .map_err(Error::open("lock", path))?
            .ok_or_else(in_use)?;
        let mut locked = Self {
            named: absolute(path).map_err(Error::open("find", path))?,
            temp: beside(&real, ".tmp"),
            identity: files::identity(&file).map_err(Error::open("open", path))?,
            folder: Folder::of(&real).map_err(Error::open("open the folder of", path))?,
            real,
            file,
            _lock: lock,
        };
        // Only the holder of the locks may go on: until then another process could have replaced the file.
        locked
            .remove_temp()
            .map_err(Error::open("remove the temporary file of", path))?;
        locked
            .make_private(path)
            .map_err(Error::open("make private (mode 0600)", path))?;
        Ok(locked)
    }

    /// The file, read from where it stands.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Makes the file private and warns about what that cannot help.
    fn make_private(&self, path: &Path) -> io::Result<()> {
        let path = shown(path);
        match make_private(&self.file)? {
            Some((_, now)) if is_exposed(now) => log::warn!(
                "{path}: other users may read or change it: its mode is {now:04o} and setting 0600 had no effect; \
                 keep it on a file system that has modes, in a folder of your own"
            ),
            Some((before, now)) => log::warn!(
                "{path}: other users could read or change it (mode {before:04o}); now its mode is {now:04o}"
            ),
            None => {}
        }
        if link_count(&self.file)? > 1 {
            log::warn!(
                "{path}: it has further names (hard links), which keep its old content when it is compacted"
            );
        }
        Ok(())
    }
}

impl Disk for LockedFile {
    type Temp = File;

    fn is_unchanged(&mut self, length: u64) -> io::Result<bool> {
        let paths = [&self.real, &self.named];
        // Without links both are one.
        let count = if self.named == self.real { 1 } else { 2 };
        for path in &paths[..count] {
            match files::path_identity(path) {
                Ok(found) if found == (self.identity, length) => {}
                Ok(_) => return Ok(false),
                Err(error) if is_gone(&error) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        files::append(&mut self.file, bytes)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    /// fdatasync: the bytes and the length, not the time of the last change.
    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// The new file is locked before it gets its name, so that at no moment the path leads to a file without a lock.
    fn create_temp(&mut self) -> io::Result<File> {
        let temp = files::options().create_new(true).open(&self.temp)?;
        files::lock_data_file(&temp)?;
        Ok(temp)
    }

    fn sync_temp(&mut self, temp: &mut File) -> io::Result<()> {
        temp.sync_all()
    }

    fn replace(&mut self, temp: File) -> io::Result<()> {
        let identity = files::identity(&temp)?;
        let replaced = files::replace(&mut self.file, temp, &self.temp, &self.real);
        self.identity = match replaced {
            // Taken before the rename: Wine does not know the volume of an open file that got another name.
            Ok(()) => identity,
            // If the old file could not be opened again, the open one is not the one at the path, and the check before
            // the next write refuses it.
            Err(_) => files::identity(&self.file).unwrap_or(identity),
        };
        replaced
    }

    fn remove_temp(&mut self) -> io::Result<()> {
        match fs::remove_file(&self.temp) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        self.folder.sync()
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// A folder is durable once the folder that contains it is synced.
fn create_folder(folder: &Path) -> io::Result<()> {
    let exists = |folder: &Path| folder.as_os_str().is_empty() || folder.exists();
    let missing: Vec<&Path> = folder
        .ancestors()
        .take_while(|folder| !exists(folder))
        .collect();
    fs::create_dir_all(folder)?;
    missing.into_iter().try_for_each(sync_name)
}

fn create_file(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    files::options().create(true).open(path)?;
    sync_name(&path.canonicalize()?)
}

fn sync_name(path: &Path) -> io::Result<()> {
    Folder::of(path)?.sync()
}

/// Opens and locks the file that `path` leads to, also while others replace it. `None`: another holds the lock.
fn lock_current(
    path: &Path,
    try_lock: impl Fn(&File) -> Result<(), TryLockError>,
) -> io::Result<Option<File>> {
    for _ in 0..MAX_LOCK_ATTEMPTS {
        let file = files::options().create(true).open(path)?;
        match try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        match files::path_identity(path) {
            Ok((now, _)) if now == files::identity(&file)? => return Ok(Some(file)),
            Err(error) if !is_gone(&error) => return Err(error),
            _ => {}
        }
    }
    Err(io::Error::other("it is replaced again and again"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_compaction_the_path_leads_to_the_open_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = LockedFile::open(&folder.path().join("file")).unwrap();
        let temp = file.create_temp().unwrap();
        file.replace(temp).unwrap();
        file.append(b"four").unwrap();
        assert!(file.is_unchanged(4).unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_on_a_file_that_was_replaced_meanwhile_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("file"), folder.path().join("other"));
        fs::write(&path, "old").unwrap();
        fs::write(&other, "new").unwrap();
        let replace_once = |file: &File| {
            if other.exists() {
                fs::rename(&other, &path).unwrap();
            }
            file.try_lock()
        };
        let file = lock_current(&path, replace_once).unwrap().unwrap();
        assert_eq!(
            files::identity(&file).unwrap(),
            files::path_identity(&path).unwrap().0
        );
        assert_eq!(file.metadata().unwrap().len(), 3);
        assert!(lock_current(&path, File::try_lock).unwrap().is_none());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_never_stays_the_same_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let replace = |_: &File| {
            fs::remove_file(&path).unwrap();
            Ok(())
        };
        assert!(lock_current(&path, replace).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn the_path_is_compared_with_the_open_file() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("file"), folder.path().join("link"));
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let mut file = LockedFile::open(&link).unwrap();
        file.append(b"four").unwrap();
        assert!(file.is_unchanged(4).unwrap());
        assert!(!file.is_unchanged(3).unwrap(), "another length");
        fs::copy(&path, folder.path().join("copy")).unwrap();
        fs::rename(folder.path().join("copy"), &link).unwrap();
        assert!(!file.is_unchanged(4).unwrap(), "the link became a file");
        fs::remove_file(&link).unwrap();
        assert!(!file.is_unchanged(4).unwrap(), "removed");
    }
}
