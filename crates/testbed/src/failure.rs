//! The report of a failing test: the command, how it ended, its output and logs.

use std::fs;

use crate::folder::Folder;
use crate::program::Program;
use crate::section::section;

/// The whole report: what was expected, then everything about the program.
pub(crate) fn report(
    what: &str,
    program: &Program,
    state: &str,
    streams: &[(&str, Vec<u8>)],
    folder: &Folder,
) -> String {
    let mut report = format!("{}: {what}\n{program}\n{state}", program.name());
    for (title, bytes) in streams {
        report += &section(title, bytes);
    }
    for (title, bytes) in logs(folder) {
        report += &section(&title, &bytes);
    }
    report
}

/// The files of the folder's `logs`, where servers write by default.
fn logs(folder: &Folder) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder.join("logs")) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            Some((path.display().to_string(), fs::read(path).ok()?))
        })
        .collect()
}
