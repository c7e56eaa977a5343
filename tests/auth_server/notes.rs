//! Holds the tests that the security notes name against those that there are.

use std::fs;
use std::path::Path;

const NOTES: &str = include_str!("../../crates/auth-server/README.md");

fn all_sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all_sources(&path, text);
        } else {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn each_test_that_the_notes_name_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = String::new();
    for folder in ["src", "../../tests/auth_server", "../../tests/auth_client"] {
        all_sources(&root.join(folder), &mut sources);
    }
    let (_, table) = NOTES.split_once("## Requirement and test").unwrap();
    let (table, _) = table.split_once("## Deviations").unwrap();
    let mut tests = 0;
    for name in table.split('`').skip(1).step_by(2) {
        let name = name.rsplit("::").next().unwrap();
        // Others are flags, commands, and modules as a whole.
        if name.contains('_') {
            assert!(sources.contains(&format!("fn {name}()")), "no test {name}");
            tests += 1;
        }
    }
    assert!(tests > 30, "{tests}");
}
