//! Typing and pasting: nothing that a person writes is lost, doubled or said by mistake.

use crate::{in_pipe, in_terminal, serve};

pub const PASTE_START: &str = "\u{1b}[200~";
pub const PASTE_END: &str = "\u{1b}[201~";

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_paste_of_200_lines_is_asked_about_and_sent_whole() {
    let (_server, address) = serve();
    let anna = in_terminal(address, "anna");
    let bo = in_pipe(address, "bo");
    anna.expect("bo joined");
    anna.type_keys("half");
    let lines: Vec<_> = (0..200).map(|line| format!("/who\t{line}")).collect();
    anna.type_keys(&format!("{PASTE_START}{}\n{PASTE_END}", lines.join("\n")));
    anna.expect("send 200 lines? [y/N]");
    anna.type_line("y");
    for line in 0..200 {
        assert_eq!(bo.wait_for_line("<anna>"), format!("<anna> /who {line}"));
    }
    anna.expect("anna> half");
    anna.type_keys("\r");
    assert_eq!(bo.wait_for_line("<anna>"), "<anna> half");
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_paste_is_not_sent_before_the_person_agrees() {
    let (_server, address) = serve();
    let anna = in_terminal(address, "anna");
    let bo = in_pipe(address, "bo");
    anna.type_keys(&format!("{PASTE_START}one\r\ntwo\r\n{PASTE_END}"));
    anna.expect("send 2 lines? [y/N]");
    anna.type_keys("ye");
    anna.expect(" ye");
    bo.write_stdin("meanwhile\n");
    anna.expect("<bo> meanwhile");
    anna.expect("send 2 lines? [y/N] ye");
    anna.type_line("t");
    anna.expect("* \"yet\" is neither yes nor no");
    anna.type_keys("\r");
    anna.expect("* not sent: 2 pasted lines");
    anna.type_keys(&format!("{PASTE_START}single\tline\n{PASTE_END}"));
    anna.expect("anna> single line");
    anna.type_keys("!\r");
    assert_eq!(bo.wait_for_line("<anna>"), "<anna> single line!");
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_mistyped_command_is_not_sent_as_a_text() {
    let (_server, address) = serve();
    let anna = in_terminal(address, "anna");
    let bo = in_pipe(address, "bo");
    anna.type_line(" /mgs bo secret");
    anna.expect("! there is no command /mgs; /help lists them");
    anna.type_line("/clear");
    anna.expect_raw("\u{1b}[2J");
    anna.type_line("done");
    assert_eq!(bo.wait_for_line("<anna>"), "<anna> done");
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn invalid_utf8_is_shown_and_the_program_goes_on() {
    let (_server, address) = serve();
    let anna = in_terminal(address, "anna");
    let bo = in_pipe(address, "bo");
    anna.type_bytes(b"caf\xe9 and more\r");
    assert_eq!(bo.wait_for_line("<anna>"), "<anna> caf\u{fffd} and more");
    anna.type_line("still here");
    assert_eq!(bo.wait_for_line("<anna>"), "<anna> still here");
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_line_taller_than_the_screen_stays_on_its_row() {
    let (_server, address) = serve();
    let anna = in_terminal(address, "anna");
    let bo = in_pipe(address, "bo");
    anna.resize(6, 40);
    let long = "tall ".repeat(100);
    anna.type_keys(&long);
    anna.expect("anna> <");
    bo.write_stdin("one\ntwo\n");
    anna.expect("<bo> two");
    anna.type_keys("end");
    anna.expect("end");
    let rows = anna.drawn(6, 40);
    assert!(
        rows.iter().any(|row| row.ends_with("<bo> one")),
        "{rows:#?}"
    );
    assert_eq!(
        rows.iter().filter(|row| row.contains("anna> <")).count(),
        1,
        "{rows:#?}"
    );
    anna.type_keys("\r");
    assert_eq!(bo.wait_for_line("<anna>"), format!("<anna> {long}end"));
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_resize_while_typing_erases_no_message() {
    let (_server, address) = serve();
    let anna = in_terminal(address, "anna");
    let bo = in_pipe(address, "bo");
    anna.expect("bo joined");
    for line in 0..10 {
        bo.write_stdin(format!("message {line}\n"));
    }
    anna.expect("message 9");
    let typed = "word ".repeat(30);
    anna.type_keys(&typed);
    for columns in [40, 100, 30, 80] {
        anna.expect("anna> <");
        anna.resize(24, columns);
    }
    anna.expect("anna> <");
    anna.type_keys("end");
    anna.expect("end");
    let rows = anna.drawn(24, 80);
    for line in 0..10 {
        let message = format!("<bo> message {line}");
        assert_eq!(
            rows.iter().filter(|row| row.ends_with(&message)).count(),
            1,
            "{rows:#?}"
        );
    }
    anna.type_keys("\r");
    assert_eq!(bo.wait_for_line("<anna>"), format!("<anna> {typed}end"));
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_private_message_is_answered() {
    let (_server, address) = serve();
    let anna = in_terminal(address, "anna");
    let bo = in_pipe(address, "bo");
    anna.type_line("/r hello?");
    anna.expect("! not sent: nobody has written to you alone yet");
    bo.write_stdin("/msg anna psst\n");
    anna.expect("[bo] psst");
    anna.type_line("/r hello!");
    assert_eq!(bo.wait_for_line("hello"), "[anna] hello!");
}
