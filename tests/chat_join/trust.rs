//! Which server a member trusts, and sessions that are not encrypted.

use testbed::{Finished, Folder, Program};

use crate::{join, leave, member, serve};

/// The only fingerprint in a text.
fn fingerprint(text: &str) -> &str {
    let at = text.find("SHA256:").unwrap();
    let end = text[at..]
        .find([';', ',', '.', ' ', '\n'])
        .unwrap_or(text.len() - at);
    &text[at..at + end]
}

fn in_vain(member: Program) -> Finished {
    member.stdin_bytes("secret\n").output().expect_code(1)
}

#[test]
fn an_unknown_server_is_trusted_by_its_fingerprint_and_known_afterwards() {
    let server = serve(0).spawn();
    let address = server.await_address();
    let folder = Folder::new();
    let anna = || join(address, "anna").in_folder(&folder).stdin_bytes("hi\n");
    let refused = anna().args(["--trust", "known"]).output().expect_code(1);
    let why = refused.stderr_text();
    assert!(
        why.contains("is unknown") && why.contains("add --fingerprint SHA256:"),
        "{why}"
    );
    let wrong = format!("SHA256:{}", "A".repeat(43));
    let other = anna()
        .args(["--fingerprint", &wrong])
        .output()
        .expect_code(1);
    assert!(
        other
            .stderr_text()
            .contains("does not have the expected key")
    );
    let fingerprint = fingerprint(why).to_owned();
    anna()
        .args(["--fingerprint", &fingerprint])
        .output()
        .expect_success();
    anna().args(["--trust", "known"]).output().expect_success();
}

#[test]
fn a_changed_key_is_refused_before_anything_is_sent() {
    let folder = Folder::new();
    let server = serve(0).spawn();
    let address = server.await_address();
    join(address, "anna")
        .in_folder(&folder)
        .stdin_bytes("hi\n")
        .output()
        .expect_success();
    server.kill();
    drop(server);
    // Another folder, so another key.
    let server = serve(address.port()).spawn();
    server.await_address();
    let bo = member(address, "bo");
    let anna = join(address, "anna")
        .in_folder(&folder)
        .args(["--trust", "new"]);
    let why = in_vain(anna);
    assert!(
        why.stderr_text()
            .contains("has changed, so nothing was sent to it"),
        "{}",
        why.stderr_text()
    );
    let bo = leave(bo).expect_success();
    assert_eq!(bo.stdout_text(), "", "nobody joined, and nothing was said");
}

#[test]
fn nobody_is_asked_in_a_pipe() {
    let server = serve(0).spawn();
    let port = server.await_address().port().to_string();
    // This address reaches the own machine, and is not one of its loopback addresses.
    let flags = [
        "join", "--host", "0.0.0.0", "--port", &port, "--nick", "anna",
    ];
    let why = in_vain(Program::new(crate::UDP_CHAT).args(flags));
    let why = why.stderr_text();
    assert!(
        why.contains("nobody can be asked") && why.contains("add --fingerprint"),
        "{why}"
    );
}

#[test]
fn a_session_that_is_not_encrypted_needs_both_ends_and_is_announced() {
    let server = serve(0).spawn();
    let address = server.await_address();
    let refused = in_vain(join(address, "anna").arg("--plaintext"));
    assert!(
        refused.stderr_text().contains("join without --plaintext"),
        "{}",
        refused.stderr_text()
    );

    let server = serve(0).arg("--plaintext").spawn();
    let address = server.await_address();
    let bo = member(address, "bo");
    let anna = join(address, "anna").arg("--plaintext").stdin_bytes("hi\n");
    anna.output().expect_success();
    assert_eq!(bo.next_line(), "* anna joined (not encrypted)");
    assert_eq!(bo.next_line(), "<anna> hi");
}
