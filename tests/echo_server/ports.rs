//! Where a server listens: the walk past taken ports, both families, and refusals.

use std::net::TcpListener;

use proto::FramedSocket;
use testbed::{Folder, Program};

use crate::server::{Server, echo_server, expect_echo, rest};

/// The one error on stderr, after the line about the log, of a server that ends with status 1.
#[track_caller]
fn error_line(program: &Program) -> String {
    let finished = program.output().expect_code(1);
    assert_eq!(finished.stdout_text(), "", "it accepted no client");
    let words = finished.stderr_text().lines();
    let error_lines: Vec<_> = words
        .filter(|line| {
            !line.starts_with("service messages go to ") && !line.starts_with("using the default")
        })
        .collect();
    match error_lines[..] {
        [error_line] => error_line.to_owned(),
        _ => finished.fail("expected one line about an error"),
    }
}

#[test]
fn three_servers_share_one_wish() {
    let first = Server::start(&[]);
    let wish = first.address.port();
    let program = echo_server().args(["--port", &wish.to_string()]);
    let (second, third) = (Server::spawn(&program), Server::spawn(&program));
    for server in [&second, &third] {
        let line = server.wait_for_stderr_line(" taken, using ");
        assert!(line.contains(&wish.to_string()), "{line}");
        assert_ne!(server.address.port(), wish);
        server.log().wait_for(&format!(
            "listening on {}, since port {wish} is taken",
            server.address
        ));
        assert_eq!(server.log().text().matches(" taken, using ").count(), 1);
    }
    assert_ne!(second.address, third.address);
    for server in [&first, &second, &third] {
        expect_echo(&mut server.connect(), "hello");
    }
}

#[cfg_attr(windows, ignore = "Wine has no texts for errors of sockets")]
#[test]
fn a_strict_port_is_that_or_none() {
    let first = Server::start(&[]);
    let wish = first.address.port().to_string();
    let program = echo_server().args(["--strict-port", "--port", &wish]);
    assert_eq!(
        error_line(&program),
        format!(
            "echo-server: cannot listen on 127.0.0.1:{wish}: address already in use; stop the program that has it, or \
             choose another --port"
        )
    );
    let mut client = first.connect();
    expect_echo(&mut client, "I stay");
    client.send_text("exit").unwrap();
    assert_eq!(rest(&mut client), b"");
    drop(client);
    first.stop();

    // The system still knows the connection that the server was first to close (TIME-WAIT, RFC
    // 9293), and that does not keep the port.
    let again = Server::spawn(&program);
    assert_eq!(again.address.port().to_string(), wish);
}

#[test]
fn ipv6_is_spoken() {
    if let Err(error) = TcpListener::bind("[::1]:0") {
        return println!("skipped: this machine has no ::1 ({error})");
    }
    for host in ["::1", "[::1]"] {
        let server = Server::start(&["--host", host]);
        assert_eq!(server.address.ip().to_string(), "::1");
        let mut client = server.connect();
        expect_echo(&mut client, "hello");
        let peer = client.local_addr().unwrap();
        server
            .log()
            .wait_for(&format!("client connected: {peer} (connection 1)"));
        let stdout = String::from_utf8(server.stdout()).unwrap();
        assert!(
            stdout.starts_with("echo-server listening on [::1]:"),
            "{stdout}"
        );
    }
}

#[test]
fn an_ipv4_client_of_both_families_is_reported_as_ipv4() {
    if let Err(error) = TcpListener::bind("[::]:0") {
        return println!("skipped: this machine has no IPv6 ({error})");
    }
    let server = Server::start(&["--host", "::"]);
    let there = ("127.0.0.1", server.address.port());
    let Ok(mut client) = std::net::TcpStream::connect(there) else {
        return println!("skipped: this machine keeps the families apart");
    };
    expect_echo(&mut client, "hello");
    let peer = client.local_addr().unwrap();
    server
        .log()
        .wait_for(&format!("client connected: {peer} (connection 1)"));
}

#[test]
fn a_name_will_do() {
    let server = Server::start(&["--host", "localhost"]);
    assert!(server.address.ip().is_loopback());
    expect_echo(&mut server.connect(), "hello");
}

#[test]
fn a_host_that_does_not_exist_is_reported() {
    let program = echo_server().args(["--port", "0", "--host", "no.such.host"]);
    // Where questions to name servers are lost, not for long.
    let error_line = error_line(&program.env("RES_OPTIONS", "timeout:1 attempts:1"));
    let start = "echo-server: cannot find the host no.such.host: ";
    assert!(error_line.starts_with(start), "{error_line}");
    let next = "; check its spelling, or give an address";
    assert!(error_line.ends_with(next), "{error_line}");
}

#[cfg_attr(windows, ignore = "Wine has no texts for errors of sockets")]
#[test]
fn an_address_of_another_machine_is_reported() {
    // No machine has an address of TEST-NET-1 (RFC 5737).
    let program = echo_server().args(["--port", "0", "--host", "192.0.2.1"]);
    assert_eq!(
        error_line(&program),
        "echo-server: cannot listen on 192.0.2.1:0: cannot assign requested address; give an address of this machine \
         as --host, or 0.0.0.0 for all"
    );
    let finished = program.output();
    finished.log().wait_for("[ERROR]");
}

#[test]
fn a_port_for_administrators_is_reported() {
    let refused = TcpListener::bind("127.0.0.1:80").map_err(|error| error.kind());
    if !matches!(refused, Err(std::io::ErrorKind::PermissionDenied)) {
        return println!("skipped: this user may have port 80");
    }
    assert_eq!(
        error_line(&echo_server().args(["--port", "80"])),
        "echo-server: cannot listen on 127.0.0.1:80: permission denied; ports below 1024 are for administrators: \
         choose a higher --port"
    );
}

#[cfg_attr(windows, ignore = "Windows has another form of absolute paths")]
#[test]
fn a_log_file_that_cannot_be_created_is_reported() {
    let folder = Folder::new();
    std::fs::write(folder.join("file"), "").unwrap();
    let program =
        echo_server()
            .in_folder(&folder)
            .args(["--port", "0", "--log-file", "file/server.log"]);
    let error_line = error_line(&program);
    let start = "echo-server: cannot open the log file /";
    assert!(error_line.starts_with(start), "{error_line}");
    assert!(error_line.contains("/file/server.log: /"), "{error_line}");
    assert!(
        error_line.contains("/file is a file, not a folder; "),
        "{error_line}"
    );
    let next = "; choose another with --log-file, or --log-to console";
    assert!(error_line.ends_with(next), "{error_line}");
}
