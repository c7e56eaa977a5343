//! How a person leaves, and what becomes of the terminal.

use std::fs;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use chat_link::CloseReason;
use rustix::process::{Pid, Signal, kill_process};
use testbed::{Folder, Program};

use crate::stranger::{Order, Stranger};
use crate::{CTRL_C, CTRL_D, UDP_CHAT, flags, in_pipe, in_terminal, serve};

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn every_way_out_restores_the_terminal() {
    for (way, status) in [
        ("quit", 0),
        ("ctrl-d", 0),
        ("ctrl-c", 130),
        ("term", 143),
        ("hangup", 129),
        ("removed", 1),
    ] {
        let stranger = Stranger::start();
        let folder = Folder::new();
        let script = r#"stty -a > before; sh -c 'echo $$ > pid; exec "$@"' - "$@"; echo "status $?"
stty -a > after; cmp before after && echo restored"#;
        let args = ["-c", script, "-", UDP_CHAT].map(str::to_owned);
        let args = args.into_iter().chain(flags(stranger.address, "anna"));
        let anna = Program::new("sh")
            .args(args)
            .in_folder(&folder)
            .spawn_in_terminal();
        anna.expect("connected to");
        anna.type_keys("half");
        anna.expect("half");
        let kill = |signal| {
            let pid = fs::read_to_string(folder.join("pid")).unwrap();
            let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
            kill_process(pid, signal).unwrap();
        };
        match way {
            "quit" => anna.type_keys("\u{15}/quit\r"),
            "ctrl-d" => anna.type_keys(&format!("\u{15}{CTRL_D}")),
            "ctrl-c" => anna.type_keys(CTRL_C),
            "term" => kill(Signal::TERM),
            "hangup" => kill(Signal::HUP),
            _ => stranger.order(Order::Close(CloseReason::Kicked)),
        }
        anna.expect(&format!("status {status}\n"));
        anna.expect("restored");
        assert!(anna.wait().success(), "{way}");
        assert!(String::from_utf8_lossy(&anna.raw()).ends_with("restored\r\n"));
    }
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn a_lone_exit_in_a_terminal_is_sent_when_typed_twice() {
    let (_server, address) = serve();
    let bo = in_pipe(address, "bo");
    let anna = in_terminal(address, "anna");
    anna.type_line("exit");
    anna.expect("* not said: /quit leaves; type exit again to say it");
    anna.type_line("exit it is");
    assert_eq!(bo.wait_for_line("exit"), "<anna> exit it is");
    anna.type_line("exit");
    assert_eq!(bo.next_line(), "<anna> exit");
    bo.write_stdin("exit\n");
    anna.expect("<bo> exit");
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn who_quits_without_contact_knows_what_is_waited_for() {
    let (server, address) = serve();
    let anna = in_terminal(address, "anna");
    let bo = in_terminal(address, "bo");
    server.terminate();
    server.wait().expect_success();
    for (member, line, status) in [(&anna, "later", 130), (&bo, "", 0)] {
        member.expect("! the server stopped");
        member.type_line(line);
        let left = Instant::now();
        member.type_line("/quit");
        if status == 130 {
            member.expect("* waiting up to 5 s for what is not confirmed yet (1 of your");
            member.type_keys(CTRL_C);
            member.expect("! not confirmed: later");
        }
        assert_eq!(member.wait().code(), Some(status));
        assert!(
            left.elapsed() < Duration::from_secs(4),
            "{:?}",
            left.elapsed()
        );
    }
    assert!(!bo.plain().contains("waiting up to"));
}

#[cfg_attr(windows, ignore = "Wine shows nothing of a pseudo-terminal")]
#[test]
fn what_follows_ctrl_c_stands_below_the_half_typed_line() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let anna = Program::new(UDP_CHAT).args(flags(silent.local_addr().unwrap(), "anna"));
    let anna = anna.spawn_in_terminal();
    // Who says hello has its signals watched.
    silent
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    silent.recv_from(&mut [0; 2_000]).unwrap();
    anna.type_keys("half");
    anna.expect("half");
    anna.type_keys(CTRL_C);
    assert_eq!(anna.wait().code(), Some(130));
    let rows = anna.drawn(24, 80);
    let last = rows.iter().rposition(|row| !row.is_empty()).unwrap();
    assert_eq!(rows[last], "anna> half");
    assert!(anna.raw().ends_with(b"\x1b[?7h"));
}
