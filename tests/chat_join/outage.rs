//! Servers that stop or die, and what scripts see of it.

use testbed::Folder;

use crate::{leave, lines, member, serve};

#[test]
fn members_come_back_when_the_server_is_started_again() {
    let folder = Folder::new();
    let server = serve(0).in_folder(&folder).spawn();
    let address = server.await_address();
    let anna = member(address, "anna");
    let bo = member(address, "bo");
    bo.write_stdin("before\n");
    anna.wait_for_line("<bo> before");
    anna.write_stdin("seen\n");
    // What comes from the server confirms what went there before.
    bo.wait_for_line("<anna> seen");
    server.kill();
    drop(server);
    bo.write_stdin("lost\n");
    anna.write_stdin("lost, too\n");
    assert_eq!(
        bo.next_line(),
        "! the server does not answer; trying to come back"
    );
    let server = serve(address.port()).in_folder(&folder).spawn();
    server.await_address();
    assert_eq!(bo.wait_for_line("not confirmed"), "! not confirmed: lost");
    bo.wait_for_line("! the server answers again");
    anna.wait_for_line("! not confirmed: lost, too");
    anna.wait_for_line("! the server answers again");
    bo.write_stdin("after\n");
    // The member that comes back second has it from the history.
    assert!(anna.wait_for_line("after").ends_with("<bo> after"));
    let bo = leave(bo).expect_code(1);
    assert!(!bo.stdout_text().contains("<bo>"), "one's own is not shown");
    let anna = leave(anna).expect_code(1);
    assert_eq!(anna.stdout_text().matches("before").count(), 1);
}

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn members_wait_for_a_server_that_says_it_stops() {
    let folder = Folder::new();
    let server = serve(0).in_folder(&folder).spawn();
    let address = server.await_address();
    let anna = member(address, "anna");
    server.terminate();
    server.wait().expect_success();
    assert_eq!(
        anna.next_line(),
        "! the server stopped; trying to come back"
    );
    let server = serve(address.port()).in_folder(&folder).spawn();
    server.await_address();
    anna.wait_for_line("! the server answers again");
    leave(anna).expect_success();
}

#[test]
fn unconfirmed_texts_are_reported_at_the_end() {
    let server = serve(0).spawn();
    let anna = member(server.await_address(), "anna");
    server.kill();
    drop(server);
    anna.write_stdin("one\n/me two\n/msg bo three\n");
    let anna = leave(anna).expect_code(1);
    for line in ["one", "/me two", "/msg bo three"] {
        let shown = format!("! not confirmed: {line}");
        assert_eq!(
            lines(&anna).iter().filter(|&&line| line == shown).count(),
            1
        );
    }
}

#[cfg_attr(windows, ignore = "a test on Windows can only kill")]
#[test]
fn texts_written_during_an_outage_are_marked_waiting_and_sent_after_it() {
    let folder = Folder::new();
    let server = serve(0).in_folder(&folder).spawn();
    let address = server.await_address();
    let anna = member(address, "anna");
    server.terminate();
    server.wait().expect_success();
    anna.wait_for_line("! the server stopped");
    anna.write_stdin("one\ntwo\n");
    assert_eq!(
        anna.next_line(),
        "! no contact; it is sent when the server is back"
    );
    let server = serve(address.port()).in_folder(&folder).spawn();
    server.await_address();
    assert_eq!(anna.next_line(), "! the server answers again");
    leave(anna).expect_success();
    let bo = leave(member(address, "bo")).expect_success();
    assert_eq!(lines(&bo), ["| <anna> one", "| <anna> two"]);
}
