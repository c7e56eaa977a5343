//! Files that only their owner may read, and folders whose names survive a power cut, in a version for each platform.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::path::{Path, PathBuf};

#[cfg(unix)]
pub use unix::{Folder, create_folder, make_private, private};
#[cfg(windows)]
pub use windows::{Folder, create_folder, make_private, private};

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
