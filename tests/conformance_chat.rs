//! Our chat server passes all checks that lab-check has for chat servers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use lab_check::chat::{CHECKS, ChatTarget, still_serves};
use lab_check::{Verdict, run};
use testbed::Program;

#[test]
fn the_server_passes() {
    let program = Program::new(env!("CARGO_BIN_EXE_udp-chat")).args(["serve", "--port", "0"]);
    let server = program.spawn();
    let target = ChatTarget {
        address: server.await_address(),
        timeout: Duration::from_secs(20),
        plaintext: false,
        trust: Box::new(|_| Ok(())),
    };
    let checks: Vec<_> = CHECKS.iter().collect();
    let outcomes = run(&checks, &target, still_serves, |outcome| {
        println!("{} {:?}", outcome.check.name, outcome.verdict);
    });
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome.verdict, Verdict::Passed))
    );
    assert!(outcomes.len() >= 12);
}
