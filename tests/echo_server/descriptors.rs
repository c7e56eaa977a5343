//! A server that runs out of descriptors goes on as soon as there are some.

use proto::FramedSocket;

use crate::server::{Server, echo_server, expect_reply};

/// More than may be open in the server at once.
const CLIENTS: usize = 60;

/// A server that may have 40 files and sockets open.
fn start_poor(flags: &[&str]) -> Server {
    let poor = echo_server().prelude("ulimit -n 40").args(["--port", "0"]);
    Server::spawn(&poor.args(flags))
}

#[cfg_attr(windows, ignore = "Windows has no shell and tools of Unix")]
#[test]
fn waiting_clients_are_served_when_others_leave() {
    let server = start_poor(&[]);
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| server.connect()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.send_text(&number.to_string()).unwrap();
    }
    let line = server.log().wait_for("cannot accept clients: ");
    assert!(line.contains(" [WARN] "), "{line}");
    // Each that leaves makes room for one more.
    for (number, mut client) in clients.into_iter().enumerate() {
        expect_reply(&mut client, &number.to_string());
    }
    server.log().wait_for("clients are served again, after ");
    server.stop();
}

#[test]
#[cfg(target_os = "linux")]
fn a_lack_of_descriptors_is_reported_once_and_costs_no_time() {
    // The silent ones are disconnected after two seconds, which ends the shortage.
    let server = start_poor(&["--idle-timeout", "2"]);
    let clients: Vec<_> = (0..CLIENTS).map(|_| server.connect()).collect();
    server.log().wait_for("cannot accept clients: ");
    let before = server.processor_time().unwrap();
    server.log().wait_for("clients are served again, after ");
    let used = server.processor_time().unwrap() - before;
    assert!(used.as_millis() < 500, "{used:?}");
    let log = server.log().text();
    let (shortage, _) = log.split_once("clients are served again").unwrap();
    assert_eq!(
        shortage.matches("cannot accept clients").count(),
        1,
        "{log}"
    );
    drop(clients);
}
