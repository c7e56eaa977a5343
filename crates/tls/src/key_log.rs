//! `SSLKEYLOGFILE`: session secrets in a file, so that a packet analyser can show what was said.

use std::env;
use std::sync::Arc;

use rustls::{KeyLog, KeyLogFile, NoKeyLog};

/// The variable that names the file. Browsers, curl and Wireshark use it too.
const VARIABLE: &str = "SSLKEYLOGFILE";

/// The file that the environment names, or none.
pub(crate) fn key_log() -> Arc<dyn KeyLog> {
    if is_set() {
        Arc::new(KeyLogFile::new())
    } else {
        Arc::new(NoKeyLog)
    }
}

/// The warning to show when session secrets are written to a file; `None` if they are not.
#[must_use]
pub fn key_log_warning() -> Option<String> {
    is_set().then(|| {
        format!(
            "warning: {VARIABLE} is set, so users who can read that file can read everything that is sent over TLS; \
             unset it when the lesson is over"
        )
    })
}

fn is_set() -> bool {
    env::var_os(VARIABLE).is_some_and(|path| !path.is_empty())
}
