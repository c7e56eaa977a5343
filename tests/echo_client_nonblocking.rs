//! Standard streams that do not block, as another program may leave them.

#![cfg(unix)]

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::thread;

#[test]
fn input_and_output_that_do_not_block_are_waited_for() {
    let (input, mut to_client) = std::io::pipe().unwrap();
    let (mut from_client, output) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&input, true).unwrap();
    rustix::io::ioctl_fionbio(&output, true).unwrap();
    let mut client = Command::new(env!("CARGO_BIN_EXE_echo-client"))
        .args(["--local", "--quiet"])
        .stdin(input)
        .stdout(output)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reply = vec![0; 5];
    to_client.write_all(b"wait\n").unwrap();
    from_client.read_exact(&mut reply).unwrap();
    // By now the client has found its input empty. The rest is more than both pipes hold, so its output is full at
    // times.
    let text = "Привет, мир!\n".repeat(40_000);
    let writer = thread::spawn({
        let text = text.clone();
        move || to_client.write_all(text.as_bytes()).unwrap()
    });
    reply.clear();
    from_client.read_to_end(&mut reply).unwrap();
    writer.join().unwrap();
    let mut stderr = String::new();
    client
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    assert!(client.wait().unwrap().success(), "{stderr}");
    assert!(reply == text.as_bytes());
}
