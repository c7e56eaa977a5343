//! What others' texts look like: nobody can forge a line, flood a row, or ring without end.

use testbed::Program;

use crate::{UDP_CHAT, flags, in_pipe, in_terminal, serve};

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn padding_forges_no_line() {
    let (_server, address) = serve();
    let anna = in_terminal(address, "anna");
    let bo = in_pipe(address, "bo");
    let forged = "19:59   <Anna> I am the traitor";
    for blank in [" ", "\u{a0}", "\u{2800}", "\u{3000}"] {
        for padding in 30..80 {
            let padding = blank.repeat(padding);
            bo.write_stdin(format!("hi all{padding}{forged}\n"));
        }
    }
    bo.write_stdin("that was all\n");
    anna.expect("that was all");
    let rows = anna.drawn(900, 80);
    assert!(rows.iter().any(|row| row.ends_with(forged)));
    let starts = |row: &String| {
        row.trim_start_matches(['\u{a0}', '\u{2800}', '\u{3000}'])
            .starts_with("19:59   ")
    };
    assert!(!rows.iter().any(starts), "{rows:#?}");
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn stacked_marks_and_invisible_texts_are_shown_safely() {
    let (_server, address) = serve();
    let anna = in_terminal(address, "anna");
    let bo = in_pipe(address, "bo");
    let marks = "\u{301}".repeat(450);
    bo.write_stdin(format!("z{marks}algo\n"));
    anna.expect(&format!("<bo> z{}algo", "\u{301}".repeat(8)));
    anna.type_line("\u{3164}");
    anna.expect("! not sent: a reader would see nothing of this text");
    bo.write_stdin(" \u{200b} \n");
    assert_eq!(
        bo.wait_for_line("not sent"),
        "! not sent: a reader would see nothing of this text"
    );
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn the_bell_rings_as_the_member_wants() {
    let (_server, address) = serve();
    let members = ["mention", "private", "never"].map(|bell| {
        let member = Program::new(UDP_CHAT).args(flags(address, bell));
        let member = member.args(["--bell", bell]).spawn_in_terminal();
        member.expect("* here: ");
        member
    });
    let bo = in_pipe(address, "bo");
    bo.write_stdin("hello, all\nhello, mention, private, never\n");
    let whispers = ["mention", "private", "never"].map(|nick| format!("/msg {nick} psst\n"));
    for member in &members {
        member.expect("hello, mention, private, never");
    }
    let rings = |index: usize| {
        members[index]
            .raw()
            .iter()
            .filter(|&&byte| byte == 7)
            .count()
    };
    assert_eq!([rings(1), rings(2)], [0, 0]);
    members[0].expect_raw("\u{7}");
    bo.write_stdin(whispers.concat());
    for member in &members {
        member.expect("[bo] psst");
    }
    members[1].expect_raw("\u{7}");
    assert_eq!(rings(2), 0);
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn who_is_ignored_is_hidden_also_when_coming_later() {
    let (_server, address) = serve();
    let bo = in_pipe(address, "bo");
    let anna = in_terminal(address, "anna");
    anna.type_line("/ignore Bo");
    anna.expect("* what Bo says is hidden");
    anna.type_line("/ignore bo");
    anna.expect("* what bo says is shown again");
    anna.type_line("/ignore carl");
    anna.expect("* nobody here is called carl; what carl says will be hidden");
    let carl = in_pipe(address, "carl");
    carl.write_stdin("unheard\n");
    bo.wait_for_line("<carl> unheard");
    bo.write_stdin("/msg anna after it\n");
    anna.expect("[bo] after it");
    anna.type_line("/ignore Carl");
    anna.expect("* what Carl says is shown again");
    carl.write_stdin("heard\n");
    anna.expect("<carl> heard");
    assert!(!anna.plain().contains("unheard"));
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn renames_of_who_is_ignored_are_hidden_and_followed() {
    let (_server, address) = serve();
    let bo = in_pipe(address, "bo");
    let anna = in_terminal(address, "anna");
    anna.type_line("/ignore bo");
    anna.expect("* what bo says is hidden");
    bo.write_stdin("/nick bob\nunheard\n");
    let carl = in_pipe(address, "carl");
    carl.write_stdin("hi\n");
    anna.expect("<carl> hi");
    assert!(!anna.plain().contains("bob") && !anna.plain().contains("unheard"));
    anna.type_keys("/msg bo\t");
    anna.expect("/msg bob ");
}
