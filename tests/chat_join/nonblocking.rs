//! Standard streams that do not block, as another program may leave them.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use testbed::Folder;

use crate::{UDP_CHAT, join, member, serve};

#[test]
fn input_and_output_that_do_not_block_are_waited_for() {
    const TEXTS: usize = 60;
    let server = serve(0).spawn();
    let address = server.await_address();
    let carl = member(address, "carl");
    let (input, mut to_anna) = std::io::pipe().unwrap();
    let (from_anna, output) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&input, true).unwrap();
    rustix::io::ioctl_fionbio(&output, true).unwrap();
    let folder = Folder::new();
    let port = address.port().to_string();
    let mut anna = Command::new(UDP_CHAT)
        .args(["join", "--json", "--nick", "anna", "--port", &port])
        .env("XDG_STATE_HOME", folder.path())
        .current_dir(folder.path())
        .stdin(input)
        .stdout(output)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(from_anna).lines();
    to_anna.write_all(b"first\n").unwrap();
    let mut confirmed = lines.by_ref().map(Result::unwrap);
    assert!(confirmed.any(|line| line.contains(r#""type":"confirmed""#)));
    // By now she has found her input empty. This is more than her output holds while nobody reads it.
    let texts = "x".repeat(4_000) + "\n";
    join(address, "bo")
        .stdin_bytes(texts.repeat(TEXTS))
        .output()
        .expect_success();
    let said = lines.by_ref().map(Result::unwrap);
    let said = said.filter(|line| line.contains(r#""from":"bo""#));
    assert_eq!(said.take(TEXTS).count(), TEXTS);
    to_anna.write_all(b"last\n").unwrap();
    drop(to_anna);
    lines.for_each(|line| drop(line.unwrap()));
    let mut stderr = String::new();
    anna.stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    assert!(anna.wait().unwrap().success(), "{stderr}");
    assert_eq!(carl.wait_for_line("<anna>"), "<anna> first");
    assert_eq!(carl.wait_for_line("<anna>"), "<anna> last");
}
