//! Programs of other makers, for interoperability tests.

use std::io::{Write, stderr};
use std::process::{Command, Stdio};

use crate::program::Program;

/// The program `name`, if it is installed: `name version_flag` can be run. `None`, with the reason on stderr,
/// otherwise.
pub fn installed(name: &str, version_flag: &str) -> Option<Program> {
    let run = Command::new(name)
        .arg(version_flag)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if let Err(reason) = run {
        // Not `eprintln!`, whose output a test that passes never shows.
        let _ = writeln!(stderr(), "skipped: cannot run {name}: {reason}");
        return None;
    }
    Some(Program::new(name))
}
