//! Stopping the program and going on with it, in shells.

use std::fs;
use std::net::SocketAddr;

use rustix::process::{Pid, Signal, kill_process};
use testbed::{Folder, Program, Terminal, installed};

use crate::{CTRL_D, UDP_CHAT, flags, in_pipe, serve};

const CTRL_Z: &str = "\u{1a}";

/// A shell with jobs, in which a member has joined.
struct Shell {
    terminal: Terminal,
    folder: Folder,
}

impl Shell {
    fn start(shell: &str, address: SocketAddr) -> Self {
        let folder = Folder::new();
        let flags: &[&str] = match shell {
            "bash" => &["--norc", "--noprofile", "-i"],
            _ => &["-i"],
        };
        let shell = Program::new(shell).args(flags).env("PS1", "shell$ ");
        let terminal = shell.in_folder(&folder).spawn_in_terminal();
        terminal.expect("shell$ ");
        let command = format!("{UDP_CHAT} {}", flags_of(address));
        terminal.type_line(&format!("sh -c 'echo $$ > pid; exec {command}'"));
        terminal.expect("* here: ");
        terminal.expect("anna> ");
        Self { terminal, folder }
    }

    fn signal(&self, signal: Signal) {
        let pid = fs::read_to_string(self.folder.join("pid")).unwrap();
        let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// The shell has a terminal that echoes and takes lines.
    fn expect_usable(&self) {
        self.terminal.type_line("echo $((6*7))");
        self.terminal.expect("echo $((6*7))\n");
        self.terminal.expect("42\n");
    }
}

fn flags_of(address: SocketAddr) -> String {
    flags(address, "anna").join(" ")
}

#[test]
fn ctrl_z_gives_the_shell_its_terminal_and_fg_goes_on_with_the_line() {
    for shell in ["bash", "dash"] {
        let (_server, address) = serve();
        let shell = Shell::start(shell, address);
        let bo = in_pipe(address, "bo");
        let anna = &shell.terminal;
        anna.expect("bo joined");
        for round in 0..3 {
            anna.type_keys("half");
            anna.expect("half");
            anna.type_keys(CTRL_Z);
            anna.expect("topped");
            shell.expect_usable();
            bo.write_stdin(format!("meanwhile {round}\n"));
            anna.type_line("fg");
            anna.expect("anna> half");
            anna.expect(&format!("<bo> meanwhile {round}"));
            anna.type_keys(&format!(" line {round}\r"));
            assert_eq!(
                bo.wait_for_line("<anna>"),
                format!("<anna> half line {round}")
            );
        }
        anna.type_line("/quit");
        anna.expect("disconnected: everything is confirmed");
        anna.expect("shell$ ");
        shell.expect_usable();
    }
}

#[cfg_attr(windows, ignore = "Windows has no signals")]
#[test]
fn a_stop_from_outside_and_fg_lose_nothing() {
    for name in ["bash", "dash"] {
        let (_server, address) = serve();
        let shell = Shell::start(name, address);
        let bo = in_pipe(address, "bo");
        let anna = &shell.terminal;
        anna.expect("bo joined");
        anna.type_keys("half");
        anna.expect("half");
        shell.signal(Signal::STOP);
        anna.expect("topped");
        // Dash leaves the modes as they are, so that only a line feed ends a line.
        anna.type_keys("fg\n");
        anna.expect("anna> half");
        anna.type_keys(" line\r");
        assert_eq!(bo.wait_for_line("<anna>"), "<anna> half line");
        anna.type_line("/quit");
        anna.expect("disconnected: everything is confirmed");
    }
}

#[test]
fn in_the_background_it_leaves_the_terminal_alone() {
    let (_server, address) = serve();
    let shell = Shell::start("bash", address);
    let anna = &shell.terminal;
    anna.type_keys("half");
    anna.expect("half");
    anna.type_keys(CTRL_Z);
    anna.expect("topped");
    anna.type_line("bg");
    shell.expect_usable();
    anna.type_line("fg");
    anna.expect("anna> half");
    anna.type_keys("\u{15}/quit\r");
    anna.expect("disconnected: everything is confirmed");
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_terminal_that_another_program_left_non_blocking_is_waited_for() {
    if installed("python3", "--version").is_none() {
        return;
    }
    let (_server, address) = serve();
    let bo = in_pipe(address, "bo");
    let unblock = "python3 -c 'import os; os.set_blocking(0, False)'";
    let member = Program::new(UDP_CHAT).args(flags(address, "anna"));
    let anna = member.prelude(unblock).spawn_in_terminal();
    anna.expect("* here: ");
    anna.type_line("hi");
    assert_eq!(bo.wait_for_line("<anna>"), "<anna> hi");
    anna.type_keys(CTRL_D);
    assert!(anna.wait().success(), "{}", anna.plain());
}
