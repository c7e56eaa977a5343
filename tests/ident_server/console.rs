//! Commands on the server's own terminal.

use std::fs;

use testbed::Folder;

use crate::server::{DATA_FILE, program};

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn names_are_listed_and_forgotten() {
    let folder = Folder::new();
    fs::create_dir(folder.join("data")).unwrap();
    let line = |key, name| format!("{{\"key\":\"{key}\",\"value\":{{\"name\":\"{name}\"}}}}\n");
    let (anna, bo) = (line("127.0.0.1", "Anna"), line("fe80::7%eth0", "Bo"));
    // No client has this key.
    let invalid = line("localhost", "Carl");
    fs::write(folder.join(DATA_FILE), format!("{anna}{bo}{invalid}")).unwrap();
    let server = program().args(["--prompt", "never"]).in_folder(&folder);
    let terminal = server.spawn_in_terminal();
    terminal.expect("ident-server listening on ");
    terminal.type_line("names");
    terminal.expect("127.0.0.1                Anna\n");
    terminal.expect("fe80::7%eth0             Bo\nclients known: 2\n");
    terminal.type_line("forget 127.0.0.01");
    terminal.expect("forget: give an address as names lists it\n");
    terminal.type_line("forget 127.0.0.2");
    terminal.expect("forget: no client is known by this address\n");
    terminal.type_line("forget 127.0.0.1");
    terminal.expect("127.0.0.1 is forgotten\n");
    terminal.type_line("stop");
    terminal.expect("; clients known: 1, changes: 1, ");
    assert!(terminal.wait().success());
    let left = fs::read_to_string(folder.join(DATA_FILE)).unwrap();
    assert_eq!(left, format!("{bo}{invalid}"));
}
