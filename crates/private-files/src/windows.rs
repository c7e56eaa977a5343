//! Windows. Files and folders are protected by the access list that they inherit, and there are no modes.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use winapi_util::file::information;

/// Does nothing.
pub fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Creates a folder, and those above it that are missing.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

/// Does nothing.
pub fn make_private(_: &File) -> io::Result<Option<(u32, u32)>> {
    Ok(None)
}

/// How many names (hard links) the file has.
///
/// # Errors
///
/// When the system does not say.
pub fn link_count(file: &File) -> io::Result<u64> {
    Ok(information(file)?.number_of_links())
}

/// The folder of a file. Its names need no sync.
#[derive(Debug)]
pub struct Folder;

impl Folder {
    /// Does nothing.
    pub fn of(_: &Path) -> io::Result<Self> {
        Ok(Self)
    }

    /// Does nothing.
    pub fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
