//! Lines are edited and remembered on a terminal, and replies appear above the line that is being typed.

#[cfg(unix)]
use std::fs;
use std::sync::mpsc;

use proto::FramedSocket;
#[cfg(unix)]
use rustix::process::{Pid, Signal, kill_process};
use testbed::Terminal;
#[cfg(unix)]
use testbed::{Folder, Program};

use crate::server::{FakeServer, client_of, echo_client};

const UP: &str = "\u{1b}[A";
const LEFT: &str = "\u{1b}[D";
const BACKSPACE: &str = "\u{7f}";
#[cfg(unix)]
const CTRL_C: &str = "\u{3}";
#[cfg(unix)]
const CTRL_D: &str = "\u{4}";
#[cfg(unix)]
const CTRL_Z: &str = "\u{1a}";

fn local() -> Terminal {
    let terminal = echo_client().arg("--local").spawn_in_terminal();
    terminal.expect("> ");
    terminal
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn letters_of_several_bytes_are_edited_and_lines_are_recalled() {
    let terminal = local();
    terminal.type_keys(&format!("Привт{LEFT}е\r"));
    terminal.expect("\nПривет\n> ");
    terminal.type_keys(&format!("{UP}{BACKSPACE}{BACKSPACE}\r"));
    terminal.expect("\nПрив\n> ");
    terminal.type_keys(&format!("{UP}{UP}!\r"));
    terminal.expect("\nПривет!\n> ");
    terminal.type_keys("a\tb\r");
    terminal.expect("\na\\tb\n> ");
    terminal.type_line("exit");
    assert!(terminal.wait().success());
    let rows = terminal.drawn(60, 80);
    for line in ["> Привет", "> Прив", "> Привет!", "> a\\tb", "> exit"] {
        assert!(rows.iter().any(|row| row == line), "{line}: {rows:#?}");
    }
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_byte_that_is_no_utf8_loses_nothing() {
    let terminal = local();
    terminal.type_bytes(b"a\xffb\xd0\r");
    terminal.expect("\na\u{fffd}b\u{fffd}\n> ");
    terminal.type_line("exit");
    assert!(terminal.wait().success());
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_reply_appears_above_the_line() {
    let (reply, replies) = mpsc::channel::<&str>();
    let server = FakeServer::start(move |mut client| {
        let first = client.recv_text(64).unwrap();
        client.send_text(replies.recv().unwrap()).unwrap();
        let second = client.recv_text(64).unwrap();
        client.send_text("half done").unwrap();
        client.recv_text(64).unwrap();
        (first, second)
    });
    let terminal = client_of(server.address).spawn_in_terminal();
    terminal.expect("> ");
    terminal.type_line("first");
    terminal.expect("sent 9 bytes: 4 header + 5 text\n");
    terminal.type_keys(&format!("half d{LEFT}"));
    terminal.expect("half d");
    reply.send("first").unwrap();
    terminal.expect("first\n");
    terminal.expect("> half d");
    let rows = terminal.drawn(24, 80);
    let typed = rows.iter().position(|row| row == "> half d").unwrap();
    assert_eq!(rows[typed - 1], "first", "{rows:#?}");
    assert_eq!(rows.iter().filter(|row| row.contains("half")).count(), 1);
    terminal.type_keys("\u{5}one\r");
    terminal.expect("\nhalf done\n> ");
    terminal.type_line("exit");
    let lines = ["first", "half done"].map(|line| Some(line.to_owned()));
    assert_eq!(server.join(), (lines[0].clone(), lines[1].clone()));
    terminal.wait();
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_long_line_stays_on_its_row_and_is_sent_whole() {
    let terminal = local();
    let long = "я".repeat(3_000);
    terminal.type_keys(&long);
    terminal.expect("<яяя");
    terminal.resize(24, 40);
    terminal.type_line("");
    terminal.expect("sent 6004 bytes: 4 header + 6000 text\n");
    terminal.expect(&format!("\n{long}\n> "));
    terminal.type_line("exit");
    assert!(terminal.wait().success());
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn the_longest_line_is_pasted_in_time_and_comes_back_whole() {
    let terminal = local();
    let longest = "0123456789abcdef".repeat(4_096);
    terminal.type_keys(&format!("{longest}!\r"));
    terminal.expect("the line is full; a pipe or a file takes longer ones\n");
    terminal.expect(&longest);
    terminal.expect(&format!("\n{longest}\n> "));
    terminal.type_line("exit");
    assert!(terminal.wait().success());
}

#[cfg(unix)]
#[test]
fn ctrl_z_gives_the_shell_its_terminal_and_fg_goes_on_with_the_line() {
    for (shell, flags) in [
        ("bash", &["--norc", "--noprofile", "-i"][..]),
        ("dash", &["-i"]),
    ] {
        let folder = Folder::new();
        let shell = Program::new(shell).args(flags).env("PS1", "shell$ ");
        let terminal = shell.in_folder(&folder).spawn_in_terminal();
        terminal.expect("shell$ ");
        let client = env!("CARGO_BIN_EXE_echo-client");
        let command = format!("sh -c 'echo $$ > pid; exec {client} --local'");
        terminal.type_line(&command);
        terminal.expect("ends the dialogue.\n");
        terminal.expect("\n> ");
        let pid = || {
            let pid = fs::read_to_string(folder.join("pid")).unwrap();
            Pid::from_raw(pid.trim().parse().unwrap()).unwrap()
        };
        for round in 0..3 {
            terminal.type_keys("half");
            terminal.expect("half");
            match round {
                2 => kill_process(pid(), Signal::TSTP).unwrap(),
                _ => terminal.type_keys(CTRL_Z),
            }
            terminal.expect("topped");
            terminal.expect("shell$ ");
            terminal.type_line("echo $((6*7))");
            terminal.expect("echo $((6*7))\n");
            terminal.expect("42\n");
            terminal.type_line("fg");
            terminal.expect("> half");
            terminal.type_keys(&format!(" line {round}\r"));
            terminal.expect(&format!("\nhalf line {round}\n> "));
        }
        terminal.type_line("exit");
        terminal.expect("everything came back");
        terminal.expect("shell$ ");
        terminal.type_line("echo $((6*7))");
        terminal.expect("42\n");
    }
}

#[cfg(unix)]
#[test]
fn every_way_out_restores_the_terminal() {
    let client = env!("CARGO_BIN_EXE_echo-client");
    let run = "trap : INT QUIT; \"$0\" --local; echo \"ended with $?\"; stty -a | grep -o -- '-*\\(icanon\\|echo\\) '";
    for (keys, status) in [
        ("exit\r", 0),
        (CTRL_D, 0),
        (&*format!("half{CTRL_C}"), 130),
        ("half\u{1c}", 131),
    ] {
        let terminal = Program::new("sh")
            .args(["-c", run, client])
            .spawn_in_terminal();
        terminal.expect("> ");
        terminal.type_keys(keys);
        terminal.expect(&format!("ended with {status}\n"));
        terminal.expect("icanon \necho ");
        terminal.wait();
        let shown = terminal.plain();
        assert!(
            !shown.contains("-icanon") && !shown.contains("-echo "),
            "{shown}"
        );
    }
}
