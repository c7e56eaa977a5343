//! What can go wrong with files and with trust, each with what to do next.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use proto::Reason;

use crate::fingerprint::Fingerprint;
use crate::server_id::ServerId;

/// A file of keys or fingerprints could not be used. The message names the file, the cause and what to do next, so
/// [`std::error::Error::source`] does not repeat the cause. It never quotes the file's content, which may be a key.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system refused something.
    #[error("cannot {action} {}: {}; {}", path.display(), Reason(cause), remedy(cause))]
    Io {
        /// What was tried: `read`, `lock`, `write`.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// The path leads to a folder, a device or a pipe.
    #[error("cannot use {}: it is not a regular file; choose another path", path.display())]
    NotRegular {
        /// Where.
        path: PathBuf,
    },
    /// The file is not what it should be.
    #[error("{} is damaged: {problem}; restore it from a backup, or move it away to get a new one", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// One more entry would make the file of known servers too large.
    #[error("cannot add to {}: it has reached {limit} bytes; remove servers that are no longer there", path.display())]
    Full {
        /// Which file.
        path: PathBuf,
        /// The most bytes it may have.
        limit: u64,
    },
    /// A key could not be made.
    #[error("cannot make a key for {}: {problem}; try again", path.display())]
    KeyGeneration {
        /// The file it was meant for.
        path: PathBuf,
        /// What the generator reported.
        problem: String,
    },
    /// There is no folder for the file.
    #[error(
        "there is no folder to keep known servers in: set HOME or XDG_STATE_HOME (on Windows LOCALAPPDATA)"
    )]
    NoStateFolder,
}

/// Why a server is not trusted. Nothing was sent to it.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The server is not known, and was not accepted.
    #[error(
        "the server {server} is unknown and {reason}. Its fingerprint is {presented}. Compare it with the one that the \
         server shows when it starts; if they are the same, add --fingerprint {presented}"
    )]
    Unknown {
        /// Which server.
        server: ServerId,
        /// What it showed.
        presented: Fingerprint,
        /// Why it was not accepted.
        reason: UnknownServerReason,
    },
    /// The server is known with another key.
    #[error(
        "the key of {server} has changed, so nothing was sent to it. It was {known}, now it is {presented}. Either the \
         server was set up again (its identity file is new), or another server answers at this address, or someone is \
         in between. Ask the server's administrator for its fingerprint; only if it is the new one, add \
         --fingerprint {presented}"
    )]
    Changed {
        /// Which server.
        server: ServerId,
        /// What it showed before.
        known: Fingerprint,
        /// What it showed now.
        presented: Fingerprint,
    },
    /// The server does not have the key that `--fingerprint` demands.
    #[error(
        "the server {server} does not have the expected key, so nothing was sent to it. Expected {pinned}, \
         got {presented}. Check the address and --fingerprint with the server's administrator"
    )]
    NotPinned {
        /// Which server.
        server: ServerId,
        /// What the flag says.
        pinned: Fingerprint,
        /// What the server showed.
        presented: Fingerprint,
    },
    /// The known servers could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The question could not be asked.
    #[error(
        "cannot ask whether to trust {server}: {}; add --fingerprint with the fingerprint that the server shows when \
         it starts",
        Reason(cause)
    )]
    Ask {
        /// Which server.
        server: ServerId,
        /// Why not.
        cause: io::Error,
    },
}

fn remedy(cause: &io::Error) -> &'static str {
    match cause.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room on the disk",
        ErrorKind::FileTooLarge => "raise the limit on the size of files (ulimit -f)",
        ErrorKind::NotADirectory => "move that file away, or choose another path",
        _ => "check the path, its permissions and the disk",
    }
}

/// Why an unknown server was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownServerReason {
    /// The policy accepts known servers only.
    #[error("--trust known accepts only servers that were accepted before")]
    OnlyKnown,
    /// The policy is to ask, and there is no terminal.
    #[error("nobody can be asked, since there is no terminal")]
    NobodyToAsk,
    /// A person said no.
    #[error("was not accepted")]
    Declined,
}
