//! The second implementation of the protocols, in Python (`tests/interop`), for interoperability tests.

use std::io::{Write, stderr};
use std::process::{Command, Stdio};

use crate::program::Program;

/// The oldest version that the scripts support; current distributions have newer ones.
const OLDEST: &str = "3.8";
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/interop");

/// The program `script` of `tests/interop`. None, with the reason on stderr, without a suitable Python.
pub fn python(script: &str) -> Option<Program> {
    if let Err(reason) = find() {
        // Not `eprintln!`, whose output a test that passes never shows.
        let _ = writeln!(stderr(), "skipped {script}: {reason}");
        return None;
    }
    let program = Program::new("python3")
        .arg("-B") // leaves no compiled files among the sources
        .arg(format!("{SCRIPTS}/{script}"));
    Some(program)
}

/// Whether `python3` is there and new enough.
fn find() -> Result<(), String> {
    let check = format!(
        "import sys; sys.exit(sys.version_info < ({}))",
        OLDEST.replace('.', ",")
    );
    let status = Command::new("python3")
        .args(["-c", &check])
        .stdin(Stdio::null())
        .status()
        .map_err(|error| format!("cannot run python3: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("python3 is older than {OLDEST}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_found_and_runs() {
        if let Some(program) = python("echo.py") {
            let help = program.arg("--help").output().expect_success();
            assert!(help.stdout_text().contains("echo server"));
        }
    }
}
