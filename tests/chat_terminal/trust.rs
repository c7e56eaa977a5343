//! The question whether a server is to be trusted: only a whole line that says so is yes.

use std::net::SocketAddr;

use testbed::{Folder, Program, Terminal};

use crate::editing::{PASTE_END, PASTE_START};
use crate::{CTRL_C, CTRL_D, UDP_CHAT, in_pipe, serve};

/// Joins under an address that reaches the own machine, and is not one of its loopback addresses.
fn asked(server: SocketAddr, folder: &Folder) -> Terminal {
    let port = server.port().to_string();
    let flags = [
        "join", "--host", "0.0.0.0", "--port", &port, "--nick", "anna",
    ];
    let anna = Program::new(UDP_CHAT).args(flags).in_folder(folder);
    let anna = anna.spawn_in_terminal();
    anna.expect("is unknown");
    anna.expect("SHA256:");
    anna.expect("[y/N]");
    anna
}

/// Whether any file below the folder knows a server.
fn knows_a_server(folder: &Folder) -> bool {
    fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .flat_map(|path| match path.is_dir() {
                true => files(&path),
                false => vec![path],
            })
            .collect()
    }
    let mut files = files(folder.path()).into_iter();
    files.any(|file| file.ends_with("known-servers.json"))
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_person_is_asked_whether_to_trust_a_server_that_is_not_on_loopback() {
    let (_server, address) = serve();
    for (answer, trusts) in [("n", false), ("y", true)] {
        let folder = Folder::new();
        let anna = asked(address, &folder);
        anna.type_line(answer);
        if trusts {
            anna.expect("you are anna");
            anna.type_line("/quit");
        }
        assert_eq!(anna.wait().success(), trusts);
        assert_eq!(knows_a_server(&folder), trusts);
    }
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_line_that_is_not_yes_or_no_is_explained_and_not_said() {
    let (_server, address) = serve();
    let bo = in_pipe(address, "bo");
    let folder = Folder::new();
    let anna = asked(address, &folder);
    for line in ["maybe", "why?", "SHA256:xyz", "yn"] {
        anna.type_line(line);
        anna.expect(&format!("* \"{line}\" is neither yes nor no"));
    }
    assert!(!knows_a_server(&folder));
    anna.type_keys("yes no\u{15}yess\u{7f}");
    anna.expect("[y/N] yes");
    anna.type_keys("\r");
    anna.expect("you are anna");
    anna.type_line("hi");
    assert_eq!(bo.next_line(), "* anna joined");
    assert_eq!(bo.next_line(), "<anna> hi");
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn ctrl_c_and_ctrl_d_are_no() {
    let (_server, address) = serve();
    for (keys, status) in [(format!("y{CTRL_C}"), 130), (CTRL_D.to_owned(), 1)] {
        let folder = Folder::new();
        let anna = asked(address, &folder);
        anna.type_keys(&keys);
        assert_eq!(anna.wait().code(), Some(status));
        assert!(!knows_a_server(&folder));
    }
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn what_is_pasted_after_the_answer_is_asked_about() {
    let (_server, address) = serve();
    let bo = in_pipe(address, "bo");
    let anna = asked(address, &Folder::new());
    anna.type_keys(&format!("{PASTE_START}maybe\ryes\rone\r{PASTE_END}"));
    anna.expect("\"maybe\" is neither yes nor no");
    anna.type_keys(&format!("{PASTE_START}yes\rtwo{PASTE_END}"));
    anna.expect("you are anna");
    anna.expect("send 3 lines? [y/N]");
    anna.type_line("y");
    assert_eq!(bo.next_line(), "* anna joined");
    for line in ["yes", "one", "two"] {
        assert_eq!(bo.next_line(), format!("<anna> {line}"));
    }
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_question_is_whole_on_a_narrow_terminal() {
    let (_server, address) = serve();
    let anna = asked(address, &Folder::new());
    anna.resize(24, 30);
    anna.type_keys("ye");
    anna.expect("] ye");
    anna.type_keys("p\r");
    anna.expect("\"yep\" is neither");
    anna.type_keys("yes");
    anna.expect("[y/N] yes");
    let rows = anna.drawn(24, 30);
    let last = rows.iter().rfind(|row| !row.is_empty()).unwrap();
    assert_eq!(last, "<rom now on? [y/N] yes", "{rows:#?}");
    anna.type_keys("\r");
    anna.expect("you are anna");
    let rows = anna.drawn(24, 30);
    let whole = ["Trust this server from now", "  on? [y/N] yes"];
    assert!(rows.windows(2).any(|pair| pair == whole), "{rows:#?}");
}
