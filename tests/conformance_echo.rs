//! Our echo server passes all checks that lab-check has for echo servers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use lab_check::{Header, Target, Verdict, Wire, echo, run};
use testbed::Program;

#[track_caller]
fn passes(flags: &[&str], wire: Wire) {
    let program = Program::new(env!("CARGO_BIN_EXE_echo-server"))
        .args(["--port", "0"])
        .args(flags);
    let server = program.spawn();
    let target = Target::new(server.await_address(), wire, Duration::from_secs(20));
    let outcomes = run(
        &echo::checks(wire),
        &target,
        echo::still_serves,
        |outcome| {
            println!("{} {:?}", outcome.check.name, outcome.verdict);
        },
    );
    let passed = |verdict: &Verdict| matches!(verdict, Verdict::Passed);
    assert!(outcomes.iter().all(|outcome| passed(&outcome.verdict)));
    assert!(outcomes.len() >= 25);
}

#[test]
fn the_framed_server_passes() {
    passes(&[], Wire::Framed(Header::Be4));
}

#[test]
fn the_raw_server_passes() {
    passes(&["--raw"], Wire::Raw);
}
