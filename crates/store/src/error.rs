//! What can go wrong, sorted by what the caller can do about it.

use std::fmt::{self, Display, Formatter, Write};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why a store did not open or a change was not made.
///
/// The message is one line that names the file, the cause and what to do, so [`std::error::Error::source`] does not repeat
/// the cause. Changes that shared a write share its error, hence the `Arc`.
#[derive(Debug, Clone)]
pub enum Error {
    /// A file or folder could not be opened, made, read or mended at the start.
    Open {
        /// What was tried, as a verb: `create`, `read`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: Arc<io::Error>,
    },
    /// Another process (or another store of this one) holds the file.
    InUse {
        /// The data file.
        path: PathBuf,
    },
    /// A line is not a record, and it is not a last line that a crash tore.
    Damaged {
        /// The data file.
        path: PathBuf,
        /// The line's number, from 1.
        line: u64,
        /// What is wrong with it.
        damage: Damage,
    },
    /// The caller's value cannot be kept as a line. Nothing was changed.
    Unstorable(Unstorable),
    /// The change could not be written. The file was cut back: nothing of it is stored, and later changes may succeed.
    Write {
        /// The data file.
        path: PathBuf,
        /// Why it failed.
        source: Arc<io::Error>,
    },
    /// What reached the disk is not known, since an fsync or the cutting back failed. Reads go on; changes are refused until
    /// the store is opened anew, which shows what is there. The change that met the failure may then be there or not.
    Halted {
        /// The data file.
        path: PathBuf,
        /// What failed.
        source: Arc<io::Error>,
    },
}

/// What is wrong with a line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Damage {
    /// Longer than the limit.
    TooLong {
        /// [`MAX_LINE_BYTES`](crate::MAX_LINE_BYTES).
        limit: usize,
    },
    /// Not a JSON object with the fields of a record.
    Malformed {
        /// The byte in the line, from 1.
        column: usize,
        /// The parser's words, which may quote the line: printable, but of any length.
        message: String,
    },
}

/// Why a value cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unstorable {
    /// Its line would be too long to be loaded.
    TooLong {
        /// The line's bytes.
        length: usize,
        /// [`MAX_LINE_BYTES`](crate::MAX_LINE_BYTES).
        limit: usize,
    },
    /// It is no JSON, or its JSON does not read back as a value: it is `null`, nested too deep, a number that is not finite.
    NotReadable {
        /// The words of serde.
        message: String,
    },
}

impl Error {
    /// Tells of a failure of `action` on `path`; for `map_err`.
    pub(crate) fn open(action: &'static str, path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Open {
            action,
            path: path.to_owned(),
            source: Arc::new(source),
        }
    }
}

impl std::error::Error for Error {}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open {
                action,
                path,
                source,
            } => {
                write!(
                    f,
                    "cannot {action} {}: {source}; check the path, its permissions and the disk",
                    Printable::path(path)
                )
            }
            Self::InUse { path } => {
                let path = Printable::path(path);
                write!(
                    f,
                    "{path} is in use by another process; stop it or choose another file"
                )
            }
            Self::Damaged { path, line, damage } => {
                let path = Printable::path(path);
                write!(
                    f,
                    "{path} is damaged at line {line}: {damage}; mend or remove that line, then start again"
                )
            }
            Self::Unstorable(reason) => write!(f, "{reason}"),
            Self::Write { path, source } => {
                let path = Printable::path(path);
                write!(
                    f,
                    "cannot write {path}: {source}; nothing was stored, try again once the disk has room"
                )
            }
            Self::Halted { path, source } => {
                let path = Printable::path(path);
                write!(
                    f,
                    "{path} takes no more changes after a failed write to disk: {source}; check the disk, then restart"
                )
            }
        }
    }
}

impl Display for Damage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { limit } => write!(f, "longer than {limit} bytes"),
            Self::Malformed { column, message } => {
                write!(f, "{} (byte {column})", Printable(message))
            }
        }
    }
}

impl Display for Unstorable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { length, limit } => {
                write!(
                    f,
                    "cannot store a value whose line takes {length} bytes; the limit is {limit}"
                )
            }
            Self::NotReadable { message } => {
                write!(
                    f,
                    "cannot store a value that would not load again: {}",
                    Printable(message)
                )
            }
        }
    }
}

/// Text from a file or a flag, made fit for a terminal: control characters escaped, cut to [`Self::LIMIT`] characters.
pub(crate) struct Printable<S>(pub(crate) S);

impl<S> Printable<S> {
    /// Longer than any path a person types; a damaged line may be a million bytes.
    const LIMIT: usize = 500;
}

impl Printable<String> {
    pub(crate) fn path(path: &Path) -> Self {
        Self(path.to_string_lossy().into_owned())
    }
}

impl<S: AsRef<str>> Display for Printable<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut chars = self.0.as_ref().chars();
        for character in chars.by_ref().take(Self::LIMIT) {
            if character.is_control() {
                write!(f, "{}", character.escape_default())?;
            } else {
                f.write_char(character)?;
            }
        }
        if chars.next().is_some() {
            f.write_str("…")
        } else {
            Ok(())
        }
    }
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
            source: full(),
        };
        assert_eq!(
            write.to_string(),
            "cannot write data/cli\\u{1b}ents.jsonl: no storage space; nothing was stored, try again once the disk has room"
        );
        let message = "a".repeat(1_000_000);
        let damaged = Error::Damaged {
            path,
            line: 7,
            damage: Damage::Malformed { column: 3, message },
        };
        assert!(
            damaged
                .to_string()
                .starts_with("data/cli\\u{1b}ents.jsonl is damaged at line 7: aaa")
        );
        assert!(
            damaged
                .to_string()
                .ends_with("… (byte 3); mend or remove that line, then start again")
        );
        assert!(damaged.to_string().len() < 1_000);
    }
}
