//! Keeps a log off the files that a program needs: lines appended to them, or a rotation, would destroy them.

use std::fs::File;
use std::path::{Path, PathBuf, absolute};

use crate::platform::is_same_file;

/// What a log file's name gets for the older log and for the lock of writers.
const LOG_SUFFIXES: [&str; 3] = ["", ".1", ".lock"];

/// What a data file's name gets for its lock and for the file that replaces it.
const DATA_SUFFIXES: [&str; 3] = ["", ".lock", ".tmp"];

/// The first file that belongs to a log and to the data, if there is one.
pub(super) fn shared_file(logs: &[&Path], data: &[PathBuf]) -> Option<PathBuf> {
    let logs: Vec<PathBuf> = logs
        .iter()
        .flat_map(|log| with_suffixes(log, LOG_SUFFIXES))
        .collect();
    data.iter()
        .flat_map(|data| with_suffixes(data, DATA_SUFFIXES))
        .find(|data| logs.iter().any(|log| is_one_file(log, data)))
}

fn with_suffixes<const N: usize>(path: &Path, suffixes: [&str; N]) -> [PathBuf; N] {
    suffixes.map(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    })
}

/// Whether two paths lead to one file, which may not exist yet.
fn is_one_file(a: &Path, b: &Path) -> bool {
    // Only regular files are opened: opening a pipe could wait for its other end.
    let open = |path: &Path| path.is_file().then(|| File::open(path).ok()).flatten();
    match (open(a), open(b)) {
        (Some(a), Some(b)) => is_same_file(&a, &b).unwrap_or(false),
        _ => resolved(a) == resolved(b),
    }
}

/// The path without links, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let path = absolute(path).unwrap_or_else(|_| path.to_owned());
    if let Ok(found) = path.canonicalize() {
        return found;
    }
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => resolved(folder).join(name),
        // The last part is `..`.
        (Some(folder), None) => resolved(folder).parent().map_or(path, Path::to_owned),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_log_and_data_in_files_of_their_own_are_fine() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        let (log, data) = (path("x.log"), [path("x.jsonl"), path("x.identity")]);
        assert_eq!(shared_file(&[&log], &data), None);
        fs::write(&log, "").unwrap();
        fs::write(&data[0], "").unwrap();
        assert_eq!(shared_file(&[&log], &data), None);
        assert_eq!(shared_file(&[Path::new("/dev/null")], &data), None);
    }

    #[test]
    fn no_file_of_the_log_is_one_of_the_data() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        for (log, data, shared) in [
            ("x", "x", "x"),
            ("new/../x", "x", "x"),
            ("x", "x.1", "x.1"),
            ("x.lock", "x", "x.lock"),
            ("x.tmp", "x", "x.tmp"),
        ] {
            let found = shared_file(&[&path("other"), &path(log)], &[path(data)]);
            assert_eq!(found, Some(path(shared)), "{log} and {data}");
        }
    }

    #[test]
    fn another_name_of_a_file_is_recognised() {
        let folder = tempfile::tempdir().unwrap();
        let (data, link) = (folder.path().join("data"), folder.path().join("link"));
        fs::write(&data, "").unwrap();
        fs::hard_link(&data, &link).unwrap();
        let data = [data];
        assert_eq!(shared_file(&[&link], &data), Some(data[0].clone()));
    }
}
