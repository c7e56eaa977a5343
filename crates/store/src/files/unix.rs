//! Linux and macOS.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Identity;

/// How all files of a store are opened: for reading and appending, and private if they are created, since they hold
/// names, password hashes and session tokens.
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    private_files::private(&mut options);
    options
}

pub(crate) fn append(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)
}

/// Gives the new file at `from` the name of the old one, `to`, and makes it the open one.
pub(crate) fn replace(file: &mut File, new: File, from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    *file = new;
    Ok(())
}

pub(crate) fn identity(file: &File) -> io::Result<Identity> {
    Ok(identity_of(&file.metadata()?))
}

/// The identity and the length of the file that `path` leads to now.
pub(crate) fn path_identity(path: &Path) -> io::Result<(Identity, u64)> {
    let found = fs::metadata(path)?;
    Ok((identity_of(&found), found.len()))
}

fn identity_of(found: &Metadata) -> Identity {
    Identity(found.dev(), found.ino())
}

/// Locks the data file itself, so that another path to it finds it locked. The lock ends with the file's last
/// descriptor.
pub(crate) fn lock_data_file(file: &File) -> Result<(), TryLockError> {
    file.try_lock()
}
