//! TLS, with clients of other makers and clients that do not keep to the protocol.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use proto::{FramedSocket, MAX_ECHO_BYTES};
#[cfg(unix)]
use testbed::Folder;
use testbed::{TIME_LIMIT, installed, python};
use tls::{TlsStream, client_handshake};
use trust::Fingerprint;

use crate::server::{Server, connect};

/// The start of a TLS handshake: a record of 512 bytes is announced, and does not come.
const HALF_HANDSHAKE: &[u8] = &[0x16, 3, 1, 2, 0, 1];

fn tls_client(address: SocketAddr) -> (TlsStream<TcpStream>, Fingerprint) {
    let set_timeout = |socket: &mut TcpStream, limit| socket.set_read_timeout(limit);
    let (stream, fingerprint) =
        client_handshake(connect(address), None, TIME_LIMIT, set_timeout).unwrap();
    stream.get_ref().set_read_timeout(Some(TIME_LIMIT)).unwrap();
    (stream, fingerprint)
}

#[test]
fn messages_come_back_over_tls_and_the_fingerprint_is_everywhere_the_same() {
    let server = Server::start(&["--tls"]);
    let (mut client, fingerprint) = tls_client(server.address);
    for text in ["Привет", "", &"ж".repeat(100_000)] {
        client.send_text(text).unwrap();
        assert_eq!(
            client.recv_text(MAX_ECHO_BYTES).unwrap().as_deref(),
            Some(text)
        );
    }
    client.send_text("exit").unwrap();
    assert_eq!(
        client.recv_text(MAX_ECHO_BYTES).unwrap(),
        None,
        "a clean end"
    );
    let shown = format!("the fingerprint of this server is {fingerprint}");
    server.wait_for_stderr(&shown);
    server.log().wait_for(&shown);
    let folder = server.folder().clone();
    let identity = folder.join("data/echo-server.identity");
    assert!(
        fs::read_to_string(identity)
            .unwrap()
            .contains(&fingerprint.to_string())
    );
    server.stop();
    let again = Server::spawn(
        &crate::server::echo_server()
            .args(["--port", "0", "--tls"])
            .in_folder(&folder),
    );
    assert_eq!(tls_client(again.address).1, fingerprint);
}

#[test]
fn frames_are_counted_without_what_tls_adds() {
    let server = Server::start(&["--tls"]);
    let (mut client, _) = tls_client(server.address);
    client.send_text("hello").unwrap();
    client.recv_text(MAX_ECHO_BYTES).unwrap();
    server.log().wait_for("received 9 bytes from");
    server.log().wait_for("sent 9 bytes to");
}

#[test]
fn a_cut_off_is_distinguished_from_a_clean_end() {
    let server = Server::start(&["--tls"]);
    let (mut client, _) = tls_client(server.address);
    let address = client.get_ref().local_addr().unwrap();
    client.close().unwrap();
    assert_eq!(
        server.why_disconnected(address),
        "the client closed the connection"
    );
    let (client, _) = tls_client(server.address);
    let address = client.get_ref().local_addr().unwrap();
    drop(client);
    let why = server.why_disconnected(address);
    assert!(
        why.contains("cut off") && why.contains("close_notify"),
        "{why}"
    );
}

#[test]
fn a_client_without_tls_is_sent_away() {
    let server = Server::start(&["--tls"]);
    let mut client = connect(server.address);
    let address = client.local_addr().unwrap();
    client.send_text("hello").unwrap();
    let _alert = client.read_to_end(&mut vec![]);
    let why = server.why_disconnected(address);
    assert_eq!(why, "the peer does not speak TLS");
}

#[test]
fn without_tls_a_handshake_is_data_or_a_bad_frame() {
    let server = Server::start(&["--raw"]);
    let mut client = connect(server.address);
    client.write_all(HALF_HANDSHAKE).unwrap();
    let mut echo = [0; HALF_HANDSHAKE.len()];
    client.read_exact(&mut echo).unwrap();
    assert_eq!(echo, HALF_HANDSHAKE);

    let server = Server::start(&[]);
    let mut client = connect(server.address);
    let address = client.local_addr().unwrap();
    client.write_all(HALF_HANDSHAKE).unwrap();
    client.read_to_end(&mut vec![]).unwrap();
    let why = server.why_disconnected(address);
    assert!(why.contains("over the limit"), "{why}");
}

#[test]
fn a_thousand_half_handshakes_harm_only_themselves() {
    let server = Server::start(&["--tls"]);
    let start = Instant::now();
    let mut clients: Vec<_> = (0..1000).map(|_| connect(server.address)).collect();
    for client in &mut clients {
        client.write_all(HALF_HANDSHAKE).unwrap();
    }
    let (mut client, _) = tls_client(server.address);
    client.send_text("hello").unwrap();
    assert_eq!(
        client.recv_text(MAX_ECHO_BYTES).unwrap().as_deref(),
        Some("hello")
    );
    for client in &mut clients {
        client
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        // The server sends nothing to a client that has not said hello, and ends the connection.
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    }
    assert!(start.elapsed() >= Duration::from_secs(10));
    server
        .log()
        .wait_for("the TLS handshake did not finish within 10 s");
    client.send_text("hello").unwrap();
    assert_eq!(
        client.recv_text(MAX_ECHO_BYTES).unwrap().as_deref(),
        Some("hello")
    );
}

#[test]
fn what_is_no_record_ends_the_connection_after_the_handshake_too() {
    let server = Server::start(&["--tls"]);
    for garbage in [
        &b"\x17\x03\x03\x00\x20garbage garbage garbage garbage!"[..],
        b"\0\0\0\x05hello",
        &[0xff; 300],
    ] {
        let (client, _) = tls_client(server.address);
        let mut socket = client.get_ref().try_clone().unwrap();
        let address = socket.local_addr().unwrap();
        socket.write_all(garbage).unwrap();
        let _alert = socket.read_to_end(&mut vec![]);
        let why = server.why_disconnected(address);
        assert!(!why.contains("closed the connection"), "{why}");
    }
    let (mut client, _) = tls_client(server.address);
    client.send_text("hello").unwrap();
    assert_eq!(
        client.recv_text(MAX_ECHO_BYTES).unwrap().as_deref(),
        Some("hello")
    );
}

#[test]
fn a_python_client_with_the_certificate_is_understood() {
    let server = Server::start(&["--tls"]);
    let identity = server.folder().join("data/echo-server.identity");
    let Some(python) = python("tls.py") else {
        return;
    };
    let port = server.address.port().to_string();
    let client = python.args(["127.0.0.1", &port]).arg(&identity);
    assert_eq!(client.output().expect_success().stdout_text(), "Привет\n");
    // Another server's certificate.
    let other = Server::start(&["--tls"]);
    let port = other.address.port().to_string();
    let Some(python) = testbed::python("tls.py") else {
        return;
    };
    let refused = python
        .args(["127.0.0.1", &port])
        .arg(&identity)
        .output()
        .expect_code(1);
    assert!(
        refused.stderr_text().contains("CERTIFICATE_VERIFY_FAILED"),
        "{}",
        refused.stderr_text()
    );
}

#[test]
fn openssl_and_socat_are_understood() {
    let server = Server::start(&["--tls", "--raw"]);
    let address = server.address.to_string();
    if let Some(openssl) = installed("openssl", "version") {
        let client = openssl
            .args(["s_client", "-quiet", "-no_ign_eof", "-connect", &address])
            .stdin_pipe();
        let client = client.spawn();
        client.write_stdin("Привет, openssl\n");
        assert_eq!(client.wait_for_line("openssl"), "Привет, openssl");
    }
    if let Some(socat) = installed("socat", "-V") {
        let client = socat
            .args(["-", &format!("OPENSSL:{address},verify=0")])
            .stdin_bytes("Привет, socat\n");
        assert_eq!(
            client.output().expect_success().stdout_text(),
            "Привет, socat\n"
        );
    }
}

#[test]
fn session_secrets_are_written_where_the_environment_says() {
    let program = crate::server::echo_server()
        .args(["--port", "0", "--tls"])
        .env("SSLKEYLOGFILE", "keys");
    let server = Server::spawn(&program);
    server.wait_for_stderr("SSLKEYLOGFILE is set");
    tls_client(server.address);
    let keys = fs::read_to_string(server.folder().join("keys")).unwrap();
    assert!(keys.contains("CLIENT_TRAFFIC_SECRET_0 ") && keys.contains("SERVER_TRAFFIC_SECRET_0 "));
}

#[test]
fn a_file_for_session_secrets_that_cannot_be_written_is_reported_once() {
    let program = crate::server::echo_server()
        .args(["--port", "0", "--tls"])
        .env("SSLKEYLOGFILE", "no\u{1b}folder/keys");
    let server = Server::spawn(&program);
    let warning = "SSLKEYLOGFILE is set, but no\\x1bfolder/keys cannot be written: ";
    server.wait_for_stderr(warning);
    tls_client(server.address).0.send_text("hello").unwrap();
    let line = server.log().wait_for(warning);
    assert!(line.contains("[WARN]"), "{line}");
    server.log().wait_for("received 9 bytes");
    assert_eq!(server.log().text().matches(warning).count(), 1);
}

#[cfg(unix)]
#[test]
fn an_unusable_identity_file_is_explained_once() {
    let folder = Folder::new();
    fs::write(folder.join("file"), "no folder").unwrap();
    let flags = ["--tls", "--identity", "file/key"];
    let server = crate::server::echo_server().args(flags);
    let finished = server.in_folder(&folder).output().expect_code(1);
    let stderr = finished.stderr_text();
    let expected = "echo-server: cannot read file/key: file is a file, not a folder; move that file away, or choose \
                    another path";
    assert_eq!(stderr.lines().last(), Some(expected), "{stderr}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_held_connection_costs_little_memory() {
    const CLIENTS: u64 = 300;
    let server = Server::start(&["--tls"]);
    let visit = || {
        let (mut client, _) = tls_client(server.address);
        client.send_text("hello").unwrap();
        client.recv_text(MAX_ECHO_BYTES).unwrap();
        client
    };
    drop(visit());
    let before = server.memory().unwrap().resident;
    let clients: Vec<_> = (0..CLIENTS).map(|_| visit()).collect();
    let each = (server.memory().unwrap().resident - before) / CLIENTS;
    // 92 KiB in a build without optimisation, whose stacks are deeper.
    assert!(each < 128 << 10, "{each} bytes a connection");
    drop(clients);
}

#[cfg(unix)]
#[test]
fn an_identity_in_a_pipe_is_refused_at_once() {
    let folder = Folder::new();
    let made = std::process::Command::new("mkfifo")
        .arg(folder.join("pipe"))
        .status();
    assert!(made.unwrap().success());
    let server = crate::server::echo_server().args(["--tls", "--identity", "pipe"]);
    let finished = server.in_folder(&folder).output().expect_code(1);
    let stderr = finished.stderr_text();
    let expected = "echo-server: cannot use pipe: it is not a regular file; choose another path";
    assert_eq!(stderr.lines().last(), Some(expected), "{stderr}");
}
