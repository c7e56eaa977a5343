//! The client in a script.

use crate::server::{Server, client};

#[test]
fn a_script_is_greeted_and_goes_on() {
    let server = Server::start();
    let script = "whoami\nrename Аня\r\n\n forget \nname Bo\nwhoami\nexit\nwhoami\n";
    let program = client(server.address).args(["--name", " Anna "]);
    let done = program.stdin_bytes(script).output().expect_success();
    assert_eq!(
        done.stdout_text(),
        "Hello, Anna!\n\
         You are Anna, by your address 127.0.0.1.\n\
         Hello, Аня!\n\
         Your name is forgotten.\n\
         Hello, Bo!\n\
         You are Bo, by your address 127.0.0.1.\n"
    );
    assert_eq!(server.known().as_deref(), Some("Bo"));
}

#[test]
fn what_passes_is_reported_on_stderr() {
    let server = Server::start();
    let done = client(server.address).args(["--name", "Anna"]).output();
    let done = done.expect_success();
    let mut messages = done
        .stderr_text()
        .lines()
        .map(|line| line.split_once("] ").unwrap().1);
    let address = server.address;
    for start in [
        &format!("connected to {address} from 127.0.0.1:"),
        "received 26 bytes: 1 message",
        "sent 33 bytes: 1 message",
        "received 36 bytes: 1 message",
        "sent 19 bytes: 1 message",
        "received 18 bytes: 1 message",
        "disconnected: the server said bye; sent 52 bytes, received 80 bytes",
    ] {
        let message = messages.next().unwrap_or("nothing");
        assert!(message.starts_with(start), "{start:?}: {message}");
    }
    assert_eq!(messages.next(), None);
}

#[test]
fn the_first_line_answers_the_question() {
    let server = Server::start();
    let program = client(server.address).arg("--quiet");
    let done = program.clone().stdin_bytes("\nАня\nwhoami").output();
    let done = done.expect_success();
    assert_eq!(
        done.stdout_text(),
        "Hello, Аня!\nYou are Аня, by your address 127.0.0.1.\n"
    );
    let question = "What is your name?\n";
    assert_eq!(
        done.stderr_text(),
        question.repeat(2),
        "a blank line is no answer"
    );
    // From now on it is greeted at once.
    let done = program.output().expect_success();
    assert_eq!(
        (done.stdout_text(), done.stderr_text()),
        ("Hello, Аня!\n", "")
    );
}

#[test]
fn a_name_that_the_server_does_not_need_is_not_given() {
    let server = Server::knowing("Anna");
    let program = client(server.address).arg("--quiet");
    let done = program
        .clone()
        .args(["--name", "Bo"])
        .output()
        .expect_success();
    assert_eq!(done.stdout_text(), "Hello, Anna!\n");
    let error = "you are Anna already; rename Bo changes it\n";
    assert_eq!(done.stderr_text(), error);
    let script = "name  Bo\nname \u{1b}\nname Anna\n";
    let done = program.clone().stdin_bytes(script).output();
    let done = done.expect_success();
    assert_eq!(done.stdout_text(), "Hello, Anna!\n".repeat(4));
    let error = format!("{error}you are Anna already; rename NAME changes it\n");
    assert_eq!(done.stderr_text(), error);
    assert_eq!(server.known().as_deref(), Some("Anna"));
    let done = program.args(["--name", "Anna "]).output().expect_success();
    assert_eq!(done.stderr_text(), "");
}

#[test]
fn what_was_not_done_is_reported_and_fails() {
    let server = Server::knowing("Anna");
    let script = b"dance \x1b[2J\nforget\nwhoami\nrename \xff\nrename\nname Bo\n";
    let program = client(server.address).arg("--quiet").stdin_bytes(*script);
    let done = program.output().expect_code(1);
    assert_eq!(
        done.stdout_text(),
        "Hello, Anna!\nYour name is forgotten.\nHello, Bo!\n"
    );
    let lines: Vec<_> = done.stderr_text().lines().collect();
    assert_eq!(
        lines,
        [
            "dance is not a command; help lists the commands",
            r#"this address has no name yet; send one with "name""#,
            r#""rename \xff" is not UTF-8 text"#,
            "rename needs a name after it; help lists the commands",
            "ident-client: 4 commands were not carried out, as explained above",
        ]
    );
}

#[test]
fn an_input_without_a_name_fails() {
    let server = Server::start();
    let program = client(server.address).arg("--quiet").stdin_bytes("\n  \n");
    let done = program.output().expect_code(1);
    let error =
        "ident-client: the server asks for a name, and the input has none; give one with --name";
    assert_eq!(done.stderr_text().lines().last(), Some(error));
    assert_eq!(server.known(), None);
}

#[test]
fn the_first_bad_answer_ends_it_and_the_next_line_is_no_name() {
    let server = Server::start();
    let too_long = format!("{}\nforget\n", "x".repeat(65));
    let far_too_long = format!("{}\nforget\n", "x".repeat(2000));
    for (script, why) in [
        (&b"Jos\xe9\nforget\n"[..], r#""Jos\xe9" is not UTF-8 text"#),
        (
            too_long.as_bytes(),
            "the server does not take the name: a name has at most 64 characters",
        ),
        (far_too_long.as_bytes(), "is too long: at most 1024 bytes"),
        (b"a\xe2\x80\xaeb\nforget\n", "this one has U+202E"),
    ] {
        let program = client(server.address).arg("--quiet").stdin_bytes(script);
        let done = program.output().expect_code(1);
        assert!(done.stderr_text().contains(why), "{}", done.stderr_text());
        assert_eq!(done.stdout_text(), "");
    }
    assert_eq!(server.known(), None);
}

#[test]
fn a_command_is_never_taken_for_a_name() {
    let server = Server::start();
    for command in [
        "exit",
        "whoami",
        " forget ",
        "help",
        "name Anna",
        "rename Anna",
        "rename",
    ] {
        let program = client(server.address).arg("--quiet");
        let done = program.stdin_bytes(format!("{command}\nAnna\n")).output();
        let done = done.expect_code(1);
        let error = format!(
            "ident-client: the server asks for a name first, and \"{}\" is a command; give the name with --name",
            command.trim()
        );
        assert_eq!(done.stderr_text().lines().last(), Some(&*error));
        assert_eq!(server.known(), None, "{command}");
    }
    let named = client(server.address).args(["--name", "forget"]);
    let done = named.stdin_bytes("whoami\n").output().expect_success();
    assert!(done.stdout_text().starts_with("Hello, forget!\n"));
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_name() {
    let server = Server::start();
    let program = client(server.address).arg("--quiet");
    let done = program.stdin_bytes("\u{feff}Anna\r\nwhoami\r\n").output();
    let done = done.expect_success();
    assert!(
        done.stdout_text()
            .starts_with("Hello, Anna!\nYou are Anna, ")
    );
    assert_eq!(server.known().as_deref(), Some("Anna"));
}

#[test]
fn a_flag_that_is_no_name_is_wrong_usage() {
    let server = Server::start();
    let program = client(server.address).args(["--name", "\u{1b}[2J"]);
    let done = program.output().expect_code(2);
    let error = "ident-client: --name cannot be a name: a name has no control or invisible characters, this one \
         has U+001B\n";
    assert_eq!(done.stderr_text(), error);
}

#[cfg_attr(windows, ignore = "Windows has no shell and tools of Unix")]
#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let server = Server::knowing("Anna");
    let program = client(server.address).stdin_bytes("whoami\n".repeat(10_000));
    let done = program.redirect("| head -n 2").output().expect_success();
    assert_eq!(done.stdout_text().lines().count(), 2);
    let full = client(server.address)
        .redirect("> /dev/full")
        .output()
        .expect_code(1);
    let error = "ident-client: cannot write to stdout: no space left on device";
    assert_eq!(full.stderr_text().lines().last(), Some(error));
}

/// As another program may leave them.
#[cfg(unix)]
#[test]
fn streams_that_do_not_block_are_waited_for() {
    use std::io::{Read, Write, pipe};
    use std::process::{Command, Stdio};

    const REPLY: &str = "You are Anna, by your address 127.0.0.1.\n";
    // More replies than a pipe holds.
    const COMMANDS: usize = 4_000;

    let server = Server::knowing("Anna");
    let (input, mut to_client) = pipe().unwrap();
    let (mut from_client, output) = pipe().unwrap();
    rustix::io::ioctl_fionbio(&input, true).unwrap();
    rustix::io::ioctl_fionbio(&output, true).unwrap();
    let mut client = Command::new(env!("CARGO_BIN_EXE_ident-client"))
        .args([&format!("{}", server.address), "--quiet"])
        .stdin(input)
        .stdout(output)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // After its greeting the client finds its input empty.
    let mut greeting = vec![0; "Hello, Anna!\n".len()];
    from_client.read_exact(&mut greeting).unwrap();
    to_client
        .write_all("whoami\n".repeat(COMMANDS).as_bytes())
        .unwrap();
    drop(to_client);
    let (mut replies, mut errors) = (String::new(), String::new());
    from_client.read_to_string(&mut replies).unwrap();
    let mut stderr = client.stderr.take().unwrap();
    stderr.read_to_string(&mut errors).unwrap();
    assert!(client.wait().unwrap().success(), "{errors}");
    assert_eq!(replies, REPLY.repeat(COMMANDS));
}
