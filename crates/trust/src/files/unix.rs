//! Modes and folders, as Unix has them.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// The owner may read and write.
const PRIVATE_FILE: u32 = 0o600;
/// The owner may list and enter.
const PRIVATE_FOLDER: u32 = 0o700;

/// Options for a file to write, which is private if it is made.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(PRIVATE_FILE);
    options
}

pub(super) fn create_private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(PRIVATE_FOLDER)
        .create(folder)
}

/// The mode before and after, if others could read or write the file.
pub(super) fn make_private(path: &Path) -> io::Result<Option<(u32, u32)>> {
    let mode = || Ok::<_, io::Error>(fs::metadata(path)?.permissions().mode() & 0o777);
    let before = mode()?;
    if before & 0o077 == 0 {
        return Ok(None);
    }
    // Some file systems refuse this, others accept it without effect: what counts is the mode that is read back.
    let _ = fs::set_permissions(path, Permissions::from_mode(PRIVATE_FILE));
    Ok(Some((before, mode()?)))
}

/// Returns when a changed name in the folder would survive a power cut.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Some file systems offer no fsync on folders.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}
