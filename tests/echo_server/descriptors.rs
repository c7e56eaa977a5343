//! A server that runs out of descriptors goes on as soon as there are some.

use std::net::SocketAddr;

use proto::FramedSocket;
use testbed::{LogFile, Program, Running};

use crate::server::{connect, expect_reply};

/// More than may be open in the server at once.
const CLIENTS: usize = 60;

/// A server that may have 40 files and sockets open.
struct PoorServer {
    running: Running,
    address: SocketAddr,
}

impl PoorServer {
    fn start(flags: &[&str]) -> Self {
        let script = r#"ulimit -n 40 && exec "$0" "$@""#;
        let running = Program::new("sh")
            .args([
                "-c",
                script,
                env!("CARGO_BIN_EXE_echo-server"),
                "--port",
                "0",
            ])
            .args(flags)
            .spawn();
        let line = running.next_line();
        let address = line.strip_prefix("echo-server listening on ").unwrap();
        let address = address.parse().unwrap();
        Self { running, address }
    }

    fn log(&self) -> LogFile {
        self.running.folder().log("logs/echo-server.log")
    }

    /// The processor time it has used, user's and system's, in hundredths of a second (proc_pid_stat(5)).
    #[cfg(target_os = "linux")]
    fn processor_time(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.running.pid())).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let fields: Vec<_> = fields.split(' ').collect();
        [fields[11], fields[12]]
            .map(|ticks| ticks.parse::<u64>().unwrap())
            .iter()
            .sum()
    }
}

#[test]
fn who_waits_is_served_when_others_leave() {
    let server = PoorServer::start(&[]);
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| connect(server.address)).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.send_text(&number.to_string()).unwrap();
    }
    let line = server.log().wait_for("cannot accept clients: ");
    assert!(line.contains(" WARN  "), "{line}");
    // Each that leaves makes room for one more.
    for (number, mut client) in clients.into_iter().enumerate() {
        expect_reply(&mut client, &number.to_string());
    }
    server.log().wait_for("clients are served again, after ");
    server.running.terminate();
    server.running.wait().expect_success();
}

#[test]
#[cfg(target_os = "linux")]
fn to_be_short_of_descriptors_is_told_once_and_costs_no_time() {
    // The silent ones are disconnected after two seconds, which ends the shortage.
    let server = PoorServer::start(&["--idle-timeout", "2"]);
    let clients: Vec<_> = (0..CLIENTS).map(|_| connect(server.address)).collect();
    server.log().wait_for("cannot accept clients: ");
    let before = server.processor_time();
    server.log().wait_for("clients are served again, after ");
    let used = server.processor_time() - before;
    assert!(used < 50, "{used} hundredths of a second");
    let log = server.log().text();
    let (shortage, _) = log.split_once("clients are served again").unwrap();
    assert_eq!(
        shortage.matches("cannot accept clients").count(),
        1,
        "{log}"
    );
    drop(clients);
}
