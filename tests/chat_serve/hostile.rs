//! Hostile datagrams: what they draw, and that they harm nobody.

use std::net::UdpSocket;
use std::time::Duration;

use crate::client::Client;
use crate::server;

/// What arrives at a socket within half a second.
fn drawn(socket: &UdpSocket) -> usize {
    socket
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let mut buffer = [0; 2_048];
    std::iter::from_fn(|| socket.recv(&mut buffer).ok()).sum()
}

#[test]
fn garbage_gets_no_answer_and_changes_nothing() {
    let server = server(&[]);
    let address = server.await_address();
    let (anna, boris) = (
        Client::join(address, "Anna"),
        Client::join(address, "Boris"),
    );
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    stranger.connect(address).unwrap();
    for length in [0, 1, 24, 25, 33, 1_199, 1_200, 1_201, 9_000, 60_000] {
        for first in [0_u8, 1, 2, 3, b'{', b'[', 0xff] {
            let mut datagram = vec![first; length];
            datagram
                .iter_mut()
                .skip(1)
                .enumerate()
                .for_each(|(at, byte)| *byte = (at * 7) as u8);
            let _ = stranger.send(&datagram);
        }
    }
    anna.say("still here");
    boris.wait_for_text("Anna", "still here");
    // Datagrams of unknown sessions may draw a reset of 33 bytes each, which is less than they have.
    assert!(drawn(&stranger) <= 2 * 8 * 33);
}

#[test]
fn an_old_client_learns_that_it_is_too_old() {
    let server = server(&[]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(server.await_address()).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let nonce = "00112233445566778899aabbccddeeff";
    let mut hello = format!(r#"{{"type":"hello","version":1,"nonce":"{nonce}","nick":"Anna"}}"#);
    let mut buffer = [0; 2_048];
    let answer = loop {
        socket.send(hello.as_bytes()).unwrap();
        let length = socket.recv(&mut buffer).unwrap();
        assert!(length <= hello.len(), "{length} bytes for {}", hello.len());
        let answer: serde_json::Value = serde_json::from_slice(&buffer[..length]).unwrap();
        match answer["cookie"].as_str() {
            Some(cookie) => hello = hello.replace('}', &format!(r#","cookie":"{cookie}"}}"#)),
            None => break answer,
        }
    };
    assert_eq!(
        (&answer["type"], &answer["code"]),
        (&"refused".into(), &"bad_version".into())
    );
    assert!(answer["message"].as_str().unwrap().contains('2'));
}

#[cfg(target_os = "linux")]
#[test]
fn it_answers_from_the_address_that_was_asked() {
    let server = server(&["--host", "0.0.0.0"]);
    let port = server.await_address().port();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    // A connected socket takes answers from this address alone.
    socket.connect(("127.0.0.5", port)).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut hello = format!(
        r#"{{"type":"hello","versions":[9],"features":[],"nonce":"{}","pad":""}}"#,
        "A".repeat(22)
    );
    let padding = "0".repeat(1_200 - hello.len());
    hello.insert_str(hello.len() - 2, &padding);
    socket.send(hello.as_bytes()).unwrap();
    let mut buffer = [0; 2_048];
    let length = socket.recv(&mut buffer).unwrap();
    assert!(String::from_utf8_lossy(&buffer[..length]).contains(r#""versions":[2]"#));
}
