//! Our auth server passes all checks that lab-check has for auth servers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use lab_check::{Header, Target, Verdict, Wire, auth, run};
use testbed::Program;

#[test]
fn the_server_passes() {
    let program = Program::new(env!("CARGO_BIN_EXE_auth-server")).args(["--port", "0"]);
    let server = program.spawn();
    let wire = Wire::Framed(Header::Be4);
    let target = Target::new(server.await_address(), wire, Duration::from_secs(20));
    let checks: Vec<_> = auth::CHECKS.iter().collect();
    let outcomes = run(&checks, &target, auth::still_serves, |outcome| {
        println!("{} {:?}", outcome.check.name, outcome.verdict);
    });
    let passed = |verdict: &Verdict| matches!(verdict, Verdict::Passed);
    assert!(outcomes.iter().all(|outcome| passed(&outcome.verdict)));
    assert!(outcomes.len() >= 15);
}
