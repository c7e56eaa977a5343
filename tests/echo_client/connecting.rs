//! Where to connect, and the errors when no server is there.

use std::net::TcpListener;

use echo_server::{Echo, EchoService};
use proto::MAX_ECHO_BYTES;
use tcp_server::{Limits, StopHandle, serve};
use testbed::{Program, Signal};

use crate::server::{FRAMED, client_of, echo_client, echo_server};

#[track_caller]
fn error_line(client: Program) -> String {
    let finished = client.output().expect_code(1);
    let words = finished.stderr_text();
    match words
        .strip_prefix("echo-client: ")
        .and_then(|words| words.strip_suffix('\n'))
    {
        Some(line) if !line.contains('\n') => line.to_owned(),
        _ => finished.fail("expected one line on stderr"),
    }
}

#[test]
fn a_refused_connection_is_reported() {
    let unused = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    assert_eq!(
        error_line(client_of(unused)),
        format!("cannot connect to {unused}: connection refused; is the server running?")
    );
}

#[test]
fn a_host_that_does_not_exist_is_reported() {
    let client = echo_client().args(["--host", "no.such.host", "--port", "1"]);
    // Where questions to name servers are lost, not for long.
    let error_line = error_line(client.env("RES_OPTIONS", "timeout:1 attempts:1"));
    let start = "cannot find the host no.such.host: ";
    assert!(error_line.starts_with(start), "{error_line}");
    let next = "; check its spelling, or give an address";
    assert!(error_line.ends_with(next), "{error_line}");
}

#[test]
fn a_name_will_do() {
    let port = echo_server(FRAMED).port().to_string();
    let client = echo_client().args(["--host", "localhost", "--port", &port]);
    let finished = client.stdin_bytes("hello\n").output().expect_success();
    assert_eq!(finished.stdout_text(), "hello\n");
}

#[test]
fn ipv6_is_spoken() {
    let listener = match TcpListener::bind("[::1]:0") {
        Ok(listener) => listener,
        Err(error) => return println!("skipped: this machine has no ::1 ({error})"),
    };
    let address = listener.local_addr().unwrap();
    let stop = StopHandle::new();
    let server = std::thread::spawn({
        let stop = stop.clone();
        let echo = Echo::Framed {
            max_message: MAX_ECHO_BYTES,
        };
        let service = EchoService::new(echo, None);
        move || serve(listener, &Limits::default(), &stop, service)
    });
    for host in ["::1", "[::1]"] {
        let client = echo_client().args(["--host", host, "--port", &address.port().to_string()]);
        let finished = client.stdin_bytes("hello\n").output().expect_success();
        assert_eq!(finished.stdout_text(), "hello\n");
        let message = format!("] connected to {address} from [::1]:");
        assert!(finished.stderr_text().contains(&message));
    }
    stop.stop();
    assert_eq!(server.join().unwrap().unwrap().clients, 2);
}

#[test]
fn one_can_come_again_after_exit_and_after_a_kill() {
    let server = echo_server(FRAMED);
    let hello = client_of(server).stdin_bytes("hello\nexit\n");
    assert_eq!(hello.output().expect_success().stdout_text(), "hello\n");

    let killed = client_of(server).stdin_pipe().spawn();
    killed.write_stdin("hello\n");
    killed.next_line();
    killed.kill();
    killed.wait().expect_signal(Signal::KILL);

    assert_eq!(hello.output().expect_success().stdout_text(), "hello\n");
}

#[test]
fn two_clients_talk_at_the_same_time() {
    let server = echo_server(FRAMED);
    let clients = [1, 2].map(|_| client_of(server).stdin_pipe().spawn());
    for line in ["one", "two", "three"] {
        for client in &clients {
            client.write_stdin(format!("{line}\n"));
            assert_eq!(client.next_line(), line);
        }
    }
}
