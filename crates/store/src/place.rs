//! A place for the file: its folder, its name, its mode and its lock. Knows nothing of what the file says.

use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::disk::{self, FILE_MODE};
use crate::error::Error;

/// A file that exists, is private, and is this process's alone until the place is dropped.
pub(crate) struct Place {
    /// The file itself, whatever links led to it: a compaction must replace the file, not a link to it.
    pub(crate) path: PathBuf,
    /// Held open: the operating system lets go of the lock when it is closed, even by a crash.
    _lock: File,
}

impl Place {
    /// Makes the folder and the file where they are missing, and takes the lock.
    pub(crate) fn take(path: &Path) -> Result<Self, Error> {
        create_folder(disk::folder_of(path)).map_err(Error::open("create the folder of", path))?;
        create_file(path).map_err(Error::open("open", path))?;
        let real = path.canonicalize().map_err(Error::open("find", path))?;
        if !real.is_file() {
            return Err(Error::open("open", path)(io::Error::other(
                "it is not a regular file",
            )));
        }
        let lock = lock(&real, path)?;
        // Only the holder of the lock may look closer: until then the file could be replaced at any moment.
        restrict(&real).map_err(Error::open("make private (mode 0600)", path))?;
        Ok(Self {
            path: real,
            _lock: lock,
        })
    }
}

/// A folder is durable once the folder that names it is synced.
fn create_folder(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = folder
        .ancestors()
        .take_while(|folder| !is_there(folder))
        .collect();
    fs::create_dir_all(folder)?;
    missing.into_iter().try_for_each(sync_name)
}

fn is_there(folder: &Path) -> bool {
    folder.as_os_str().is_empty() || folder.exists()
}

fn create_file(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    disk::options().create(true).open(path)?;
    sync_name(&path.canonicalize()?)
}

fn sync_name(path: &Path) -> io::Result<()> {
    File::open(disk::folder_of(path))?.sync_all()
}

fn lock(real: &Path, path: &Path) -> Result<File, Error> {
    let lock_path = disk::beside(real, ".lock");
    let failed = Error::open("lock", &lock_path);
    let file = disk::options()
        .create(true)
        .open(&lock_path)
        .map_err(&failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn restrict(path: &Path) -> io::Result<()> {
    let others = 0o077;
    if fs::metadata(path)?.permissions().mode() & others == 0 {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(FILE_MODE))
}
