//! Windows. Files are protected by the access list that they inherit from their folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use winapi_util::file::{Information, information};

use super::Identity;

/// How all files of a store are opened. Not with `append`: a handle that may only append can be neither cut nor locked.
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    options
}

pub(crate) fn append(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::End(0))?;
    file.write_all(bytes)
}

/// Gives the new file at `from` the name of the old one, `to`, and makes it the open one. The old one is closed before,
/// because not every file system lets an open file be replaced. It is opened again if it keeps its name.
pub(crate) fn replace(file: &mut File, new: File, from: &Path, to: &Path) -> io::Result<()> {
    *file = new;
    fs::rename(from, to).or_else(|error| {
        *file = options().open(to)?;
        Err(error)
    })
}

pub(crate) fn identity(file: &File) -> io::Result<Identity> {
    Ok(identity_of(&information(file)?))
}

/// The identity and the length of the file that `path` leads to now.
pub(crate) fn path_identity(path: &Path) -> io::Result<(Identity, u64)> {
    let found = information(&File::open(path)?)?;
    Ok((identity_of(&found), found.file_size()))
}

fn identity_of(found: &Information) -> Identity {
    Identity(found.volume_serial_number(), found.file_index())
}

/// Does nothing: locks are mandatory here, and one on the data file would bar its readers. `PATH.lock` does the work
/// alone.
pub(crate) fn lock_data_file(_: &File) -> Result<(), TryLockError> {
    Ok(())
}
