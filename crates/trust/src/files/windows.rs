//! Files and folders, as Windows has them: what is in a user's folder is private already, and there are no modes.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::Path;

/// Options for a file to write.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    options
}

pub(super) fn create_private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(folder)
}

pub(super) fn make_private(_: &Path) -> io::Result<Option<(u32, u32)>> {
    Ok(None)
}

/// Windows has no fsync on folders.
pub(super) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
