//! Errors, sorted by what the caller can do about them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use private_files::name_blocking_file;
use proto::{Escaped, Reason};
use thiserror::Error;

/// Why a store did not open, or why a change was not made.
///
/// The message is one line that names the file, the cause and what to do, so [`std::error::Error::source`] does not
/// repeat the cause. Changes that shared a write share its error, so it is in an `Arc`.
#[derive(Debug, Clone, Error)]
pub enum Error {
    /// A file or folder could not be opened, created, read or repaired at the start.
    #[error("cannot {action} {}: {}; {}", shown(.path), Reason(.cause), open_remedy(.cause))]
    Open {
        /// What was tried, as a verb: `create`, `read`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        cause: Arc<io::Error>,
    },
    /// Another process (or another store of this one) holds the file.
    #[error("{} is in use by another process; stop it or choose another file", shown(.path))]
    InUse {
        /// The data file.
        path: PathBuf,
    },
    /// A line is not a record, and it is not a last line that a crash tore.
    #[error(
        "{} is damaged at line {line}: {corruption}; repair or remove that line, then start again",
        shown(.path)
    )]
    Corrupt {
        /// The data file.
        path: PathBuf,
        /// The line's number, from 1.
        line: u64,
        /// What is wrong with it.
        corruption: Corruption,
    },
    /// The store was closed before. Nothing was changed.
    #[error("the store is closed, since the program is stopping")]
    Closed,
    /// The caller's value cannot be kept as a line. Nothing was changed.
    #[error("{0}")]
    InvalidValue(InvalidValue),
    /// The change could not be written. The file was cut back: nothing of it is stored, and later changes may succeed.
    #[error(
        "cannot write {}: {}; nothing was stored, try again once {}",
        shown(.path),
        Reason(.cause),
        remedy(.cause)
    )]
    Write {
        /// The data file.
        path: PathBuf,
        /// Why it failed.
        cause: Arc<io::Error>,
    },
    /// The path leads to another file than the one that is open, or to none, or another program changed the file.
    /// Nothing was stored, and all changes are refused until the store is opened again.
    #[error(
        "{} was replaced, removed or changed by another program; changes are refused until a restart, which takes what \
         is there then",
        shown(.path)
    )]
    Replaced {
        /// The data file.
        path: PathBuf,
    },
    /// It is not known what reached the disk, because an fsync or the cutting back failed. Reads go on; changes are
    /// refused until the store is opened again. The change that met the failure may then be there or not.
    #[error(
        "{} takes no more changes after a failed write to disk: {}; check the disk, then restart",
        shown(.path),
        Reason(.cause)
    )]
    Halted {
        /// The data file.
        path: PathBuf,
        /// What failed.
        cause: Arc<io::Error>,
    },
}

/// What is wrong with a line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Corruption {
    /// Longer than the limit.
    #[error("longer than {limit} bytes")]
    TooLong {
        /// [`MAX_LINE_BYTES`](crate::MAX_LINE_BYTES).
        limit: usize,
    },
    /// Not a JSON object with the fields of a record.
    #[error("{} (byte {column})", shown_text(.message))]
    Malformed {
        /// The byte in the line, from 1.
        column: usize,
        /// The parser's words, which may quote the line, at any length.
        message: String,
    },
}

/// Why a value cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidValue {
    /// Its line would be too long to be loaded.
    #[error("cannot store a value whose line takes {length} bytes; the limit is {limit}")]
    TooLong {
        /// The line's bytes.
        length: usize,
        /// [`MAX_LINE_BYTES`](crate::MAX_LINE_BYTES).
        limit: usize,
    },
    /// It has no JSON, or its JSON does not parse as a value: it is `null`, nested too deep, a number that is not
    /// finite.
    #[error("cannot store a value that would not load again: {}", shown_text(.message))]
    NotReadable {
        /// The message of serde.
        message: String,
    },
}

impl Error {
    /// An error constructor for `map_err`: `action` on `path` failed.
    pub(crate) fn open(action: &'static str, path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| Self::Open {
            action,
            path: path.to_owned(),
            cause: Arc::new(name_blocking_file(error, path)),
        }
    }

    /// Whether all later changes are refused too.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Halted { .. } | Self::Replaced { .. } | Self::Closed
        )
    }
}

fn open_remedy(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::NotADirectory => "move that file away, or choose another path",
        _ => "check the path, its permissions and the disk",
    }
}

fn remedy(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::FileTooLarge => "the limit on the size of files (ulimit -f) is higher",
        _ => "the disk has room",
    }
}

/// Longer than any path that people type; a corrupt line may be a million bytes.
const MAX_SHOWN_CHARACTERS: usize = 500;

/// `path` as it may stand in a log or on a terminal.
pub(crate) fn shown(path: &Path) -> Escaped<'_> {
    Escaped::from_bytes(path.as_os_str().as_encoded_bytes()).cut(MAX_SHOWN_CHARACTERS)
}

fn shown_text(text: &str) -> Escaped<'_> {
    Escaped::new(text).cut(MAX_SHOWN_CHARACTERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_what_why_and_what_next() {
        let path = PathBuf::from("data/cli\x1bents.jsonl");
        let full = || Arc::new(io::Error::from(io::ErrorKind::StorageFull));
        let write = Error::Write {
            path: path.clone(),
            cause: full(),
        };
        assert_eq!(
            write.to_string(),
            "cannot write data/cli\\x1bents.jsonl: no storage space; nothing was stored, try again once the disk has \
             room"
        );
        let message = "a".repeat(1_000_000);
        let corruptiond = Error::Corrupt {
            path,
            line: 7,
            corruption: Corruption::Malformed { column: 3, message },
        };
        assert!(
            corruptiond
                .to_string()
                .starts_with("data/cli\\x1bents.jsonl is damaged at line 7: aaa")
        );
        assert!(
            corruptiond.to_string().ends_with(
                "… (1000000 bytes) (byte 3); repair or remove that line, then start again"
            )
        );
        assert!(corruptiond.to_string().len() < 1_000);
    }
}
