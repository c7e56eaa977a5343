//! A log whose disk is full costs lines of the log, which are counted, and nothing else.

#![cfg(target_os = "linux")]

use std::thread;

use testbed::Resource;

use crate::server::{Server, expect_echo};

const CLIENTS: usize = 4;
/// Few enough that each has lines of its own.
const MESSAGES: usize = 20;

/// The lines of a server with these clients, and another that stays until the stop: the start, the limit of files, the
/// address, what it echoes, the beginning and the end of the stop; of each client a connect and a disconnect; of each
/// message two.
const LINES: usize = 6 + 2 + CLIENTS * (2 + 2 * MESSAGES);

#[test]
fn it_is_reported_once_and_clients_are_served() {
    let server = Server::start(&["--log-file", "/dev/full"]);
    let _witness = server.connect();
    server.wait_for_stderr_line(
        "cannot write to the log file /dev/full: no space left on device; log lines are dropped until there is room \
         again",
    );
    expect_service(&server);
    let memory = server.memory().unwrap();
    assert!(memory.peak < 20 << 20, "{memory:?}");
    let finished = server.stop();
    let words = finished.stderr_text();
    assert_eq!(
        words.matches("until there is room again").count(),
        1,
        "{words}"
    );
    let end = format!("no space left on device; {LINES} log lines lost\n");
    assert!(words.ends_with(&end), "{words}");
}

#[test]
fn every_line_is_there_or_counted_once_there_is_room_again() {
    const ROOM: usize = 5000;
    let server = Server::start(&[]);
    let mut witness = server.connect();
    server.restrict(Resource::Fsize, Some(ROOM as u64));
    expect_service(&server);
    let error_line = server.wait_for_stderr_line("cannot write to the log file /");
    let reason =
        "/echo-server.log: file too large; log lines are dropped until there is room again";
    assert!(error_line.ends_with(reason), "{error_line}");
    server.restrict(Resource::Fsize, None);
    expect_echo(&mut witness, "there is room");
    let notice = server.log().wait_for(" log lines lost: file too large");
    assert!(notice.contains(" [WARN] "), "{notice}");
    let (_, reported) = notice.split_once("] ").unwrap();
    let lost: usize = reported.split(' ').next().unwrap().parse().unwrap();

    let finished = server.stop();
    let log = finished.log().text();
    // Beside the notice, a line may be torn where the room ended.
    let torn = usize::from(!log[..ROOM].ends_with('\n'));
    let whole = log.lines().count() - 1 - torn;
    assert_eq!(whole + lost, LINES + 2, "{notice}");
    assert_eq!(log.matches("log lines").count(), 1);
    let words = finished.stderr_text();
    assert_eq!(words.matches("log lines").count(), 1, "{words}");
}

/// Messages of several clients at once come back.
fn expect_service(server: &Server) {
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            scope.spawn(move || {
                let mut client = server.connect();
                for message in 0..MESSAGES {
                    expect_echo(&mut client, &format!("{number} {message}"));
                }
            });
        }
    });
}

#[test]
fn help_past_the_limit_on_the_size_of_files_is_an_error() {
    let folder = testbed::Folder::new();
    let help = std::process::Command::new("sh")
        .args(["-c", r#"ulimit -f 0; exec "$0" --help >help"#])
        .arg(env!("CARGO_BIN_EXE_echo-server"))
        .current_dir(folder.join("."))
        .output()
        .unwrap();
    assert_eq!(help.status.code(), Some(1), "{help:?}");
    assert_eq!(
        String::from_utf8_lossy(&help.stderr),
        "echo-server: cannot write to stdout: file too large\n"
    );
}
