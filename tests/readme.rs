//! Holds what the documents point to against what is there.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

const DOCUMENTS: [&str; 3] = [
    "README.md",
    "crates/proto/PROTOCOL.md",
    "crates/auth-server/README.md",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The text of every Rust file below.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &fs::read_to_string(&path).unwrap();
        }
    }
    text
}

#[test]
fn every_test_that_the_readme_names_is_there() {
    let root = root();
    let sources = sources(&root.join("crates")) + &sources(&root.join("tests"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let (_, table) = readme
        .split_once("## What the promises rest on")
        .expect("the table of promises");
    let (table, _) = table.split_once("\n## ").expect("a section after it");
    // Others in backquotes are flags and commands.
    let names = table.split('`').skip(1).step_by(2);
    let names: Vec<_> = names.filter(|name| name.contains('_')).collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        assert!(sources.contains(&format!("fn {name}(")), "no test {name}");
    }
}

#[test]
fn every_link_leads_somewhere() {
    let root = root();
    let mut links = 0;
    for document in DOCUMENTS {
        let text = fs::read_to_string(root.join(document)).unwrap();
        let folder = root.join(document).parent().unwrap().to_owned();
        for link in text.split("](").skip(1) {
            let (target, _) = link.split_once(')').expect("the end of a link");
            let (file, section) = target.split_once('#').unwrap_or((target, ""));
            if file.contains("://") {
                continue;
            }
            links += 1;
            assert!(folder.join(file).exists(), "{document} links to {target}");
            let is_heading = |line: &str| line.starts_with('#') && anchor(line) == section;
            assert!(
                !file.is_empty() || text.lines().any(is_heading),
                "{document} has no section {target}"
            );
        }
    }
    assert!(links > 40, "{links}");
}

/// The name by which a heading is linked to: `## From another machine` as `from-another-machine`.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let is_kept = |c: &char| c.is_alphanumeric() || "-_ ".contains(*c);
    heading
        .chars()
        .filter(is_kept)
        .collect::<String>()
        .replace(' ', "-")
}
