//! `SSLKEYLOGFILE`: session secrets in a file, so that a packet analyser can show what was said.

use std::env;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proto::{Escaped, Reason};
use rustls::{KeyLog, KeyLogFile, NoKeyLog};

/// The variable that names the file. Browsers, curl and Wireshark use it too.
const VARIABLE: &str = "SSLKEYLOGFILE";

/// The file that the environment names, or none.
pub(crate) fn key_log() -> Arc<dyn KeyLog> {
    match path() {
        Some(_) => Arc::new(KeyLogFile::new()),
        None => Arc::new(NoKeyLog),
    }
}

/// The warning to show when session secrets are written to a file, or should be and cannot; `None` if the environment
/// does not ask for them.
#[must_use]
pub fn key_log_warning() -> Option<String> {
    let path = path()?;
    Some(match check(&path) {
        Ok(()) => format!(
            "{VARIABLE} is set, so users who can read that file can read everything that is sent over TLS; unset it \
             when the lesson is over"
        ),
        Err(error) => format!(
            "{VARIABLE} is set, but {} cannot be written: {}; session secrets are not written, give another path",
            Escaped::from_bytes(path.as_os_str().as_encoded_bytes()),
            Reason(&error)
        ),
    })
}

/// Whether the file can be written: rustls goes on without it in silence. It creates the file, private to its owner.
fn check(path: &Path) -> io::Result<()> {
    drop(KeyLogFile::new());
    File::options().append(true).open(path).map(drop)
}

fn path() -> Option<PathBuf> {
    let path = env::var_os(VARIABLE).filter(|path| !path.is_empty());
    path.map(PathBuf::from)
}
