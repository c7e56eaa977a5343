//! Runs the two example servers that the README shows.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use proto::{FramedSocket, MAX_ECHO_BYTES};

#[path = "../../tcp-server/examples/echo.rs"]
#[allow(dead_code, reason = "its main is not called")]
mod echo;

#[path = "../examples/framed_echo.rs"]
#[allow(dead_code, reason = "its main is not called")]
mod framed_echo;

fn client_of(serve: fn(&TcpListener) -> std::io::Result<()>) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || serve(&listener));
    TcpStream::connect(address).unwrap()
}

#[test]
fn the_bare_example_echoes_bytes() {
    let mut client = client_of(echo::serve);
    client.write_all("Привет\n\0".as_bytes()).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut reply = String::new();
    client.read_to_string(&mut reply).unwrap();
    assert_eq!(reply, "Привет\n\0");
}

#[test]
fn the_framed_example_echoes_messages_until_exit() {
    let mut client = client_of(framed_echo::serve);
    for text in ["Привет", "", "exit now"] {
        client.send_text(text).unwrap();
        assert_eq!(
            client.recv_text(MAX_ECHO_BYTES).unwrap().as_deref(),
            Some(text)
        );
    }
    client.send_text("exit").unwrap();
    assert_eq!(client.recv_text(MAX_ECHO_BYTES).unwrap(), None);
}
