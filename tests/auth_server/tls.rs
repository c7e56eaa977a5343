//! TLS and plaintext on one port.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use proto::{FramedSocket, MAX_DIALOGUE_BYTES};
use serde_json::{Value, json};
use testbed::{Folder, TIME_LIMIT};
use tls::{TlsStream, client_handshake};

use crate::server::{PASSWORD, Server, login, program};

fn connect_tls(server: &Server) -> TlsStream<TcpStream> {
    let socket = TcpStream::connect(server.address).unwrap();
    let set_timeout = |socket: &mut TcpStream, limit| socket.set_read_timeout(limit);
    let (stream, fingerprint) = client_handshake(socket, None, TIME_LIMIT, set_timeout).unwrap();
    server
        .log()
        .wait_for(&format!("the fingerprint of this server is {fingerprint}"));
    stream.get_ref().set_read_timeout(Some(TIME_LIMIT)).unwrap();
    stream
}

fn ask(stream: &mut TlsStream<TcpStream>, request: &Value) -> Value {
    stream.send_json(request).unwrap();
    stream
        .recv_json(MAX_DIALOGUE_BYTES)
        .unwrap()
        .expect("a reply")
}

#[test]
fn both_are_spoken_on_one_port() {
    let server = Server::start(&[]);
    server.register("anna", PASSWORD);
    let mut client = connect_tls(&server);
    let session = ask(&mut client, &login("anna", PASSWORD));
    assert_eq!(session["type"], "session");
    // A token is good over either.
    let resume = json!({"type": "resume", "token": session["token"]});
    server.connect().ask(resume.clone());
    let mut again = connect_tls(&server);
    assert_eq!(ask(&mut again, &resume)["user"], "anna");
    assert_eq!(ask(&mut again, &json!({"type": "exit"}))["type"], "bye");
    assert_eq!(again.read(&mut [0]).unwrap(), 0, "a clean end");
}

#[test]
fn half_a_handshake_and_no_byte_at_all_harm_nobody() {
    let server = Server::start(&[]);
    for bytes in [
        &b""[..],
        &[0x16],
        &[0x16, 3, 1, 0, 4, 1, 2, 3, 4],
        &[0x15, 3, 3, 0, 2, 1, 0],
    ] {
        let mut socket = TcpStream::connect(server.address).unwrap();
        socket.write_all(bytes).unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        let _alert = socket.read_to_end(&mut vec![]);
        let address = socket.local_addr().unwrap();
        server
            .log()
            .wait_for(&format!("client disconnected: {address} "));
    }
    server.register("anna", PASSWORD);
}

#[test]
fn a_damaged_identity_stops_the_start() {
    let folder = Folder::new();
    fs::create_dir(folder.join("data")).unwrap();
    fs::write(folder.join("data/auth-server.identity"), "not a key").unwrap();
    let refused = program().in_folder(&folder).output().expect_code(1);
    assert!(
        refused
            .stderr_text()
            .contains("auth-server.identity is damaged"),
        "{}",
        refused.stderr_text()
    );
    assert_eq!(refused.stdout_text(), "");
    assert_eq!(
        fs::read_to_string(folder.join("data/auth-server.identity")).unwrap(),
        "not a key"
    );
}
