//! What the writer needs of a file: the trait, so that tests can fail and crash at any step of it, and the real thing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Readable and writable by the owner alone: names, password hashes and session tokens are nobody else's business.
pub(crate) const FILE_MODE: u32 = 0o600;

/// One file that grows at its end and can be replaced as a whole.
pub(crate) trait Disk: Send + 'static {
    /// The file that is to take the place of this one.
    type Draft: Write;

    /// Adds bytes at the end. After a failure some of them may be there.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file to `length` bytes.
    fn truncate(&mut self, length: u64) -> io::Result<()>;

    /// Returns when all of the file would survive a power cut.
    fn sync(&mut self) -> io::Result<()>;

    /// Begins an empty draft beside the file.
    fn draft(&mut self) -> io::Result<Self::Draft>;

    /// As [`sync`](Self::sync), for a draft.
    fn sync_draft(&mut self, draft: &mut Self::Draft) -> io::Result<()>;

    /// Puts a draft in the file's place. After a failure the file is what it was.
    fn install(&mut self, draft: Self::Draft) -> io::Result<()>;

    /// Removes a draft that will not be installed.
    fn discard(&mut self) -> io::Result<()>;

    /// Returns when the file's name would survive a power cut.
    fn sync_folder(&mut self) -> io::Result<()>;
}

/// A file of the operating system's.
pub(crate) struct DataFile {
    path: PathBuf,
    draft_path: PathBuf,
    file: File,
    /// Held open: when its name has changed, the file must not depend on a descriptor to be had.
    folder: File,
}

impl DataFile {
    /// Opens `path` for reading and appending, and removes the draft a crash may have left.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut disk = Self {
            path: path.to_owned(),
            draft_path: beside(path, ".tmp"),
            file: options().read(true).open(path)?,
            folder: File::open(folder_of(path))?,
        };
        disk.discard()?;
        Ok(disk)
    }

    /// The file, read from where it stands.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}

impl Disk for DataFile {
    type Draft = File;

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    /// fdatasync: the bytes and the length, not the time of the last change.
    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn draft(&mut self) -> io::Result<File> {
        options().create_new(true).open(&self.draft_path)
    }

    fn sync_draft(&mut self, draft: &mut File) -> io::Result<()> {
        draft.sync_all()
    }

    fn install(&mut self, draft: File) -> io::Result<()> {
        fs::rename(&self.draft_path, &self.path)?;
        self.file = draft;
        Ok(())
    }

    fn discard(&mut self) -> io::Result<()> {
        match fs::remove_file(&self.draft_path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        self.folder.sync_all()
    }
}

/// How every file here is opened: to append, and private if it is made.
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.append(true).mode(FILE_MODE);
    options
}

/// `path` with `suffix` after its whole name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_synced_without_being_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (data, elsewhere) = (folder.path().join("data"), folder.path().join("elsewhere"));
        fs::create_dir(&data).unwrap();
        fs::write(data.join("file"), "").unwrap();
        let mut disk = DataFile::open(&data.join("file")).unwrap();
        fs::rename(&data, elsewhere).unwrap();
        disk.sync_folder().unwrap();
    }
}
