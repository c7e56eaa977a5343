//! What `cli` does to a whole process: exit status, signals, variables, prompts, the log from start to end.
//!
//! The process is this test's own executable, which runs the one test `role` as the program that `ROLE` names.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{BufReader, Read};
use std::process::{Child, ChildStderr, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;

use clap::Parser;
use cli::{Program, TcpServerFlags};

#[cfg(unix)]
#[path = "cli/signals.rs"]
mod signals;
use line_editor::Terminal;

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
    let _log = flags.tcp.server.log.start(&PROGRAM, &[])?;
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
    let password = dialogue::read_line(&mut terminal.lines())?;
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

#[cfg_attr(windows, ignore = "Windows has another reason than Unix")]
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
fn a_variable_is_checked_like_a_flag() {
    let (_, words) = Process::start("server", &[("LAB_ROLE_STRICT_PORT", "perhaps")]).end();
    assert!(
        words.contains("invalid value 'perhaps' for 'LAB_ROLE_STRICT_PORT'"),
        "{words}"
    );
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_hidden_answer_is_not_shown() {
    let terminal = role_program("password").spawn_in_terminal();
    terminal.expect(" Password: ");
    terminal.type_line("secret");
    terminal.expect("got Some(Ok(\"secret\"))\n");
    assert!(terminal.wait().success());
    assert_eq!(terminal.plain().matches("secret").count(), 1);
}
