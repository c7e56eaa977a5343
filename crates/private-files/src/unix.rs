//! Linux and macOS.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::{folder_of, is_exposed};

/// The owner may read and write.
const FILE_MODE: u32 = 0o600;
/// The owner may list, change and enter.
const FOLDER_MODE: u32 = 0o700;

/// Makes the file private if it is created.
pub fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(FILE_MODE)
}

/// Creates a private folder, and those above it that are missing.
///
/// # Errors
///
/// When the system refuses it.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(FOLDER_MODE).create(folder)
}

/// Takes the file from its group and from others. If they had access to it, returns its mode before and after.
///
/// # Errors
///
/// When the mode cannot be read.
pub fn make_private(file: &File) -> io::Result<Option<(u32, u32)>> {
    let mode = || Ok::<_, io::Error>(file.metadata()?.mode() & 0o7777);
    let before = mode()?;
    if !is_exposed(before) {
        return Ok(None);
    }
    // Some file systems refuse this, others accept it without effect: the mode that is read back counts.
    let _ = file.set_permissions(Permissions::from_mode(FILE_MODE));
    Ok(Some((before, mode()?)))
}

/// How many names (hard links) the file has.
///
/// # Errors
///
/// When the system does not say.
pub fn link_count(file: &File) -> io::Result<u64> {
    Ok(file.metadata()?.nlink())
}

/// The folder of a file, held open so that a sync needs no new descriptor and no path.
#[derive(Debug)]
pub struct Folder(File);

impl Folder {
    /// Opens the folder that holds `path`.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub fn of(path: &Path) -> io::Result<Self> {
        File::open(folder_of(path)).map(Self)
    }

    /// Returns when the names in the folder would survive a power cut, or when the file system cannot promise that.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    pub fn sync(&self) -> io::Result<()> {
        match self.0.sync_all() {
            // Shared folders of virtual machines, for example. Waiting or trying again would not help.
            Err(error) if is_unsupported(&error) => Ok(()),
            done => done,
        }
    }
}

fn is_unsupported(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InvalidInput | ErrorKind::Unsupported
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_is_synced_without_being_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        let held = Folder::of(&data.join("file")).unwrap();
        fs::rename(&data, folder.path().join("elsewhere")).unwrap();
        held.sync().unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_system_without_fsync_on_folders_is_accepted() {
        let folder = File::open("/proc/self").unwrap();
        let error = folder.sync_all().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        Folder(folder).sync().unwrap();
    }

    #[test]
    fn a_mode_that_was_open_to_others_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let file = private(File::options().write(true))
            .create_new(true)
            .open(folder.path().join("file"))
            .unwrap();
        assert_eq!(make_private(&file).unwrap(), None);
        file.set_permissions(Permissions::from_mode(0o640)).unwrap();
        let modes = make_private(&file).unwrap();
        assert_eq!(modes, Some((0o640, FILE_MODE)));
        assert_eq!(make_private(&file).unwrap(), None);
    }
}
