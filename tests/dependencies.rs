//! What the workspace may and may not turn on in the libraries that it stands on.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use serde_json::Value;

/// Features of serde_json under which a key of an object has a meaning of its own, or depth has no limit. With any of
/// them a hostile message reaches code that no message should reach: a stack overflow ends the whole process.
const FORBIDDEN: [&str; 3] = ["raw_value", "arbitrary_precision", "unbounded_depth"];

#[test]
fn no_feature_of_serde_json_gives_keys_a_meaning() {
    let metadata = metadata();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let is_serde_json = |node: &&Value| node["id"].as_str().unwrap().contains("serde_json@");
    let found: Vec<_> = nodes.iter().filter(is_serde_json).collect();
    assert!(!found.is_empty(), "the workspace depends on serde_json");
    for node in found {
        let features = node["features"].as_array().unwrap();
        for forbidden in FORBIDDEN {
            assert!(
                !features.iter().any(|feature| feature == forbidden),
                "{forbidden}: {features:?}"
            );
        }
    }
}

/// Clippy's lint `incompatible_msrv` checks the same for functions of the standard library.
#[test]
fn no_dependency_needs_a_newer_rust_than_the_workspace_says() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let ours = packages.iter().find(|package| package["name"] == "proto");
    let ours = version(&ours.unwrap()["rust_version"]).unwrap();
    for package in packages {
        let needed = version(&package["rust_version"]);
        assert!(needed <= Some(ours), "{}: {needed:?}", package["name"]);
    }
}

/// `1.88` and `1.88.0` as numbers; `None` where a package names none.
fn version(value: &Value) -> Option<(u32, u32)> {
    let mut numbers = value
        .as_str()?
        .split('.')
        .map(|number| number.parse().unwrap());
    Some((numbers.next()?, numbers.next()?))
}

/// The packages that the workspace is made of on this machine.
fn metadata() -> Value {
    let version = String::from_utf8(cargo(&["-vV"])).unwrap();
    let mut lines = version.lines();
    let host = lines.find_map(|line| line.strip_prefix("host: ")).unwrap();
    // Without the filter cargo needs the sources for every platform, which a machine without a network may lack.
    let metadata = cargo(&[
        "metadata",
        "--format-version=1",
        "--locked",
        "--offline",
        "--all-features",
        "--filter-platform",
        host,
    ]);
    serde_json::from_slice(&metadata).unwrap()
}

/// What `cargo` prints on stdout.
fn cargo(arguments: &[&str]) -> Vec<u8> {
    let mut cargo = Command::new(env!("CARGO"));
    let output = cargo
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}
