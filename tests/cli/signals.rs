//! Signals and limits of Unix: the stop, the reopened log, the question that is interrupted.

use std::fs;
use std::io::BufRead;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use crate::{Process, role_program};

impl Process {
    /// Reads stderr up to this line.
    fn await_line(&mut self, awaited: &str) {
        let mut seen = String::new();
        while !seen.ends_with(&format!("{awaited}\n")) {
            let count = self.stderr.read_line(&mut seen).unwrap();
            assert_ne!(count, 0, "it ended without {awaited:?}: {seen}");
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

/// A server that logs to `file`, from its start to its end by `signal`: the last words on stderr.
fn life_of_a_server(file: &Path, signal: Signal) -> String {
    let variables = [
        ("LAB_ROLE_LOG_FILE", file.to_str().unwrap()),
        ("LAB_ROLE_STRICT_PORT", "yes"),
    ];
    let mut server = Process::start("server", &variables);
    server.await_line("ready");
    server.signal(signal);
    let (status, rest) = server.end();
    assert_eq!(status, Some(0), "{rest}");
    rest
}

#[test]
fn a_server_logs_all_from_start_to_stop() {
    for signal in [Signal::INT, Signal::TERM] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("logs/role.log");
        life_of_a_server(&file, signal);
        let log = fs::read_to_string(&file).unwrap();
        let messages: Vec<_> = log
            .lines()
            .map(|line| line.split_once("] ").unwrap().1)
            .collect();
        assert_eq!(messages[0], "strict port: true");
        assert_eq!(messages[1], r"a stranger says \x1b[2J\nforged");
        assert!(
            messages[2].starts_with("thread worker: panicked at "),
            "{log}"
        );
        assert!(messages[2].ends_with(r"\na bug"), "{log}");
        assert_eq!(messages[3..], ["server stopped"]);
    }
}

#[test]
fn a_full_disk_stops_no_server() {
    let words = life_of_a_server(Path::new("/dev/full"), Signal::TERM);
    let end = "cannot write to the log file /dev/full: no space left on device; 4 log lines lost\n";
    assert!(words.ends_with(end), "{words}");
}

#[test]
fn a_second_signal_ends_a_stuck_program_at_once() {
    for (signal, expected) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut stuck = Process::start("stuck", &[]);
        stuck.await_line("ready");
        stuck.signal(signal);
        stuck.await_line("stopping");
        stuck.signal(signal);
        assert_eq!(stuck.end().0, Some(expected));
    }
}

#[test]
fn a_client_says_its_last_words_and_exits_130() {
    let mut client = Process::start("client", &[]);
    client.await_line("ready");
    client.signal(Signal::INT);
    let (status, words) = client.end();
    assert_eq!(status, Some(130));
    assert!(words.ends_with("] disconnected\n"), "{words}");
}

#[test]
fn a_hangup_reopens_the_logs_of_a_server_and_does_not_stop_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("role.log");
    let mut server = Process::start("server", &[("LAB_ROLE_LOG_FILE", file.to_str().unwrap())]);
    server.await_line("ready");
    for _ in 0..2 {
        server.signal(Signal::HUP);
        server.await_line("reopening");
    }
    server.signal(Signal::TERM);
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn the_file_size_limit_is_an_error_and_no_death() {
    let limited = role_program("writer").prelude("ulimit -f 1").output();
    let limited = limited.expect_success();
    assert!(limited.stderr_text().contains("file too large\n"));
}

#[test]
fn every_signal_that_ends_a_hidden_question_gives_the_echo_back() {
    for signal in [Signal::QUIT, Signal::USR1, Signal::ALARM] {
        let terminal = testbed::Program::new("sh")
            .args([
                "-c",
                r#""$0" --exact role --nocapture; stty -a | tr ';' '\n'; echo done"#,
            ])
            .arg(std::env::current_exe().unwrap())
            .env("ROLE", "password")
            .spawn_in_terminal();
        terminal.expect(" Password: ");
        let shown = terminal.plain();
        let pid = shown.split_once(" Password: ").unwrap().0;
        let pid: i32 = pid.rsplit(['\n', ' ']).next().unwrap().parse().unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
        terminal.expect("done\n");
        let modes = terminal.plain();
        assert!(
            modes.contains(" echo ") && !modes.contains("-echo "),
            "{signal:?}: {modes}"
        );
    }
}
