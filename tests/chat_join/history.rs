//! What was said before a member came.

use crate::{join, lines, member, serve};

#[test]
fn who_comes_later_gets_the_history() {
    let server = serve(0).spawn();
    let address = server.await_address();
    let input = "hi\n/me waves\n";
    join(address, "anna")
        .stdin_bytes(input)
        .output()
        .expect_success();
    let bo = member(address, "bo");
    assert_eq!(bo.next_line(), "| <anna> hi");
    assert_eq!(bo.next_line(), "| ** anna waves");
}

#[test]
fn who_stays_for_a_moment_gets_all_of_the_history() {
    let server = serve(0).spawn();
    let address = server.await_address();
    let texts: String = (0..50).map(|text| format!("{text}\n")).collect();
    join(address, "anna")
        .stdin_bytes(texts)
        .output()
        .expect_success();
    for (nick, input) in [("bo", ""), ("carl", "hi\n")] {
        let bo = join(address, nick).stdin_bytes(input).output();
        let bo = bo.expect_success();
        let history = (0..50).map(|text| format!("| <anna> {text}"));
        assert!(lines(&bo).into_iter().eq(history), "{}", bo.stdout_text());
    }
}

#[test]
fn as_much_history_is_shown_as_is_wanted() {
    let server = serve(0).spawn();
    let address = server.await_address();
    let texts: String = (0..9).map(|text| format!("{text}\n")).collect();
    join(address, "anna")
        .stdin_bytes(texts)
        .output()
        .expect_success();
    for (nick, wanted) in [("bo", 3), ("carl", 0)] {
        let bo = join(address, nick).args(["--history", &wanted.to_string()]);
        let bo = bo.stdin_bytes("").output().expect_success();
        let history = (9 - wanted..9).map(|text| format!("| <anna> {text}"));
        assert!(lines(&bo).into_iter().eq(history), "{}", bo.stdout_text());
    }
}
