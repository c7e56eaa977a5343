//! Files that only their owner may read, and folders whose names survive a power cut, in a version for each platform.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use proto::Escaped;

#[cfg(unix)]
pub use unix::{Folder, create_folder, link_count, make_private, private};
#[cfg(windows)]
pub use windows::{Folder, create_folder, link_count, make_private, private};

/// Whether a mode lets the group or others read, change or run a file.
#[must_use]
pub fn is_exposed(mode: u32) -> bool {
    mode & 0o077 != 0
}

/// `path` with `suffix` after its whole name.
#[must_use]
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The folder that holds `path`.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Names the file that stands where a folder should be, if that is why `path` cannot be used. Any other error stays.
#[must_use]
pub fn name_blocking_file(error: Error, path: &Path) -> Error {
    let mut folders = path.ancestors().skip(1);
    match folders.find(|folder| folder.exists()) {
        Some(file) if !file.is_dir() => {
            let name = Escaped::from_bytes(file.as_os_str().as_encoded_bytes());
            Error::new(
                ErrorKind::NotADirectory,
                format!("{name} is a file, not a folder"),
            )
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_in_the_way_of_a_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();

        let error = name_blocking_file(ErrorKind::AlreadyExists.into(), &file.join("a/b"));
        assert_eq!(error.kind(), ErrorKind::NotADirectory);
        let text = error.to_string();
        assert!(text.ends_with("file is a file, not a folder"), "{text}");

        for path in [file, folder.path().join("missing/b")] {
            let error = name_blocking_file(ErrorKind::PermissionDenied.into(), &path);
            assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        }
    }
    #[test]
    fn hard_links_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "").unwrap();
        let count = || link_count(&std::fs::File::open(&path).unwrap()).unwrap();
        assert_eq!(count(), 1);
        std::fs::hard_link(&path, folder.path().join("other")).unwrap();
        assert_eq!(count(), 2);
    }
}
