//! What `cli` does to a whole process: exit status, signals, variables, prompts, the log from start to end.
//!
//! The process is this test's own executable, which runs the one test `role` as the program that `ROLE` names.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;

use clap::Parser;
use cli::{Program, TcpServerFlags};
use line_editor::Terminal;
use rustix::process::{Pid, Signal, kill_process};

const PROGRAM: Program = Program {
    name: "role",
    default_port: 1,
};

#[derive(Parser, Debug)]
struct Flags {
    #[command(flatten)]
    tcp: TcpServerFlags,
}

#[test]
fn role() {
    let status = match std::env::var("ROLE").as_deref() {
        Ok("server") => PROGRAM.run(serve),
        Ok("stuck") => PROGRAM.run(get_stuck),
        Ok("client") => PROGRAM.run(talk),
        Ok("password") => PROGRAM.run(ask_for_password),
        Ok("writer") => PROGRAM.run(write_too_much),
        _ => return,
    };
    std::process::exit((status != ExitCode::SUCCESS).into());
}

fn serve() -> anyhow::Result<ExitCode> {
    let flags: Flags = PROGRAM.try_parse_from(["role"])?;
    let _log = flags.tcp.server.log.start(&PROGRAM)?;
    let (stop, stopped) = mpsc::channel();
    cli::on_server_signals(
        move || stop.send(()).expect("main waits"),
        || eprintln!("reopening"),
    )?;
    log::info!("strict port: {}", flags.tcp.server.strict_port);
    log::info!("a stranger says \x1b[2J\nforged");
    let worker = thread::Builder::new().name("worker".into());
    let _ = worker.spawn(|| panic!("a bug"))?.join();
    eprintln!("ready");
    stopped.recv()?;
    log::info!("server stopped");
    Ok(ExitCode::SUCCESS)
}

fn get_stuck() -> anyhow::Result<ExitCode> {
    let park = || {
        eprintln!("stopping");
        loop {
            thread::park();
        }
    };
    cli::on_server_signals(park, || {})?;
    eprintln!("ready");
    loop {
        thread::park();
    }
}

fn talk() -> anyhow::Result<ExitCode> {
    cli::log_to_stderr(log::LevelFilter::Info)?;
    cli::exit_on_stop(|| log::info!("disconnected"))?;
    eprintln!("ready");
    loop {
        thread::park();
    }
}

fn ask_for_password() -> anyhow::Result<ExitCode> {
    let terminal = Terminal::default();
    let _session = terminal.start()?.expect("the test has a terminal");
    let hidden = terminal.ask_hidden(&format!("{} Password: ", std::process::id()))?;
    let password = cli::read_line(&mut terminal.lines())?;
    drop(hidden);
    eprintln!("got {password:?}");
    Ok(ExitCode::SUCCESS)
}

fn write_too_much() -> anyhow::Result<ExitCode> {
    let written = fs::write("file", vec![b'x'; 1 << 20]);
    eprintln!("{}", cli::Reason(&written.unwrap_err()));
    Ok(ExitCode::SUCCESS)
}

/// This test's executable as the program of a role.
fn role_program(role: &str) -> testbed::Program {
    testbed::Program::new(std::env::current_exe().unwrap())
        .args(["--exact", "role", "--nocapture"])
        .env("ROLE", role)
}

struct Process {
    child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Process {
    fn start(role: &str, variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "role", "--nocapture"])
            .env("ROLE", role)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stderr }
    }

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

    /// Its exit status, and the rest of stderr.
    fn end(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
fn a_log_file_that_cannot_be_opened_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let (status, words) = Process::start("server", &[("LAB_ROLE_LOG_FILE", folder)]).end();
    assert_eq!(status, Some(1));
    let expected = format!(
        "role: cannot open the log file {folder}: is a directory; choose another with --log-file, or --log-to console\n"
    );
    assert_eq!(words, expected);
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
fn a_variable_is_checked_like_a_flag() {
    let (_, words) = Process::start("server", &[("LAB_ROLE_STRICT_PORT", "perhaps")]).end();
    assert!(
        words.contains("invalid value 'perhaps' for 'LAB_ROLE_STRICT_PORT'"),
        "{words}"
    );
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

#[test]
fn a_hidden_answer_is_not_shown() {
    let terminal = role_program("password").spawn_in_terminal();
    terminal.expect(" Password: ");
    terminal.type_line("secret");
    terminal.expect("got Some(Ok(\"secret\"))\n");
    assert!(terminal.wait().success());
    assert_eq!(terminal.plain().matches("secret").count(), 1);
}
