//! What the store needs of the operating system beyond `std::fs` and `private_files`, in a version for each platform.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::{append, identity, lock_data_file, options, path_identity, replace};
#[cfg(windows)]
pub(crate) use windows::{append, identity, lock_data_file, options, path_identity, replace};

/// Identifies a file among all that exist at the same time: the file system's number and the file's number in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity(u64, u64);

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_that_keeps_its_name_stays_the_open_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let create = |path| options().create_new(true).open(path).unwrap();
        let mut file = create(path.clone());
        append(&mut file, b"one\n").unwrap();
        let new = create(folder.path().join("new"));
        let missing = folder.path().join("missing");
        replace(&mut file, new, &missing, &path).unwrap_err();
        append(&mut file, b"two\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
    }
}
