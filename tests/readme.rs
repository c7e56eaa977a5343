//! Holds what the documents point to against what is there.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

const DOCUMENTS: [&str; 9] = [
    "README.md",
    "crates/README.ru.md",
    "crates/auth-server/README.md",
    "crates/chat-link/CHAT.md",
    "crates/echo-server/BENCHMARKS.md",
    "crates/lab-check/README.md",
    "crates/proto/PROTOCOL.md",
    "crates/proto/fuzz/README.md",
    "crates/testbed/PROMISES.md",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
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
fn every_test_that_a_promise_names_is_there() {
    let root = root();
    let sources = sources(&root.join("crates")) + &sources(&root.join("tests"));
    let promises = read("crates/testbed/PROMISES.md");
    // Others in backquotes are flags and commands.
    let names = promises.split('`').skip(1).step_by(2);
    let names: Vec<_> = names
        .filter(|name| name.contains('_') && !name.contains([' ', '=']))
        .collect();
    assert!(names.len() > 20, "{names:?}");
    let missing: Vec<_> = names
        .iter()
        .filter(|name| !sources.contains(&format!("fn {name}(")))
        .collect();
    assert!(missing.is_empty(), "no tests {missing:?}");
}

#[test]
fn the_servers_in_the_readme_are_the_compiled_examples() {
    let readme = read("README.md");
    let blocks: Vec<_> = readme
        .split("```rust\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap())
        .collect();
    let examples = [
        "crates/tcp-server/examples/echo.rs",
        "crates/proto/examples/framed_echo.rs",
    ];
    assert_eq!(blocks.len(), examples.len());
    for (block, example) in blocks.iter().zip(examples) {
        assert!(
            read(example).contains(block),
            "{example} is not what the README shows:\n{block}"
        );
    }
}

#[test]
fn the_readme_can_be_read_in_one_sitting() {
    let readme = read("README.md");
    assert!(readme.lines().count() <= 250, "{}", readme.lines().count());
}

#[test]
fn every_link_leads_somewhere() {
    let root = root();
    let mut links = 0;
    for document in DOCUMENTS {
        let text = read(document);
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
