//! Linux and macOS.

use std::fs::{self, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::{Identity, folder_of};

/// Readable and writable by the owner alone: the files hold names, password hashes and session tokens.
const FILE_MODE: u32 = 0o600;
const GROUP_AND_OTHERS: u32 = 0o077;

/// How all files of a store are opened: for reading and appending, and private if they are created.
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true).mode(FILE_MODE);
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

/// How many names (hard links) the file has.
pub(crate) fn link_count(file: &File) -> io::Result<u64> {
    Ok(file.metadata()?.nlink())
}

/// Locks the data file itself, so that another path to it finds it locked. The lock ends with the file's last
/// descriptor.
pub(crate) fn lock_data_file(file: &File) -> Result<(), TryLockError> {
    file.try_lock()
}

/// Takes the file from its group and from others. If they had access to it, returns its mode before and after.
pub(crate) fn make_private(file: &File) -> io::Result<Option<(u32, u32)>> {
    let mode = || Ok::<_, io::Error>(file.metadata()?.mode() & 0o7777);
    let before = mode()?;
    if !is_exposed(before) {
        return Ok(None);
    }
    // Some file systems refuse this, others accept it without effect: the mode that is read back counts.
    let _ = file.set_permissions(Permissions::from_mode(FILE_MODE));
    Ok(Some((before, mode()?)))
}

/// Whether a mode lets the group or others read, change or run a file.
pub(crate) fn is_exposed(mode: u32) -> bool {
    mode & GROUP_AND_OTHERS != 0
}

/// The folder of a file, held open so that a sync needs no new descriptor and no path.
pub(crate) struct Folder(File);

impl Folder {
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        File::open(folder_of(path)).map(Self)
    }

    /// Returns when the names in the folder would survive a power cut, or when the file system cannot promise that.
    pub(crate) fn sync(&self) -> io::Result<()> {
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
        let file = options()
            .create(true)
            .open(folder.path().join("file"))
            .unwrap();
        file.set_permissions(Permissions::from_mode(0o640)).unwrap();
        let modes = make_private(&file).unwrap();
        assert_eq!(modes, Some((0o640, FILE_MODE)));
        assert_eq!(make_private(&file).unwrap(), None);
    }
}
