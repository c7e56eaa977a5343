//! What stops other chats.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use proto::chat::{Datagram, Hello, MAX_DATAGRAM_BYTES, Nonce, Notice, Reason, VERSION};
use udp_chat::End;

use crate::client::Client;
use crate::server;

fn stranger() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    socket
}

fn hello(nick: &str) -> Vec<u8> {
    let hello = Hello {
        version: VERSION,
        nonce: Nonce::from_bytes([7; 16]),
        nick: nick.to_owned(),
        session: None,
        cookie: None,
    };
    let mut bytes = Vec::new();
    Datagram::Hello(hello).encode(&mut bytes).unwrap();
    bytes
}

#[test]
fn no_datagram_stops_the_chat_or_gets_an_answer() {
    let server = server(&[]);
    let address = server.await_address();
    let anna = Client::join(address, "Anna");
    let boris = Client::join(address, "Boris");
    let stranger = stranger();
    let session = r#""session":"00112233445566778899aabbccddeeff""#;
    let say = r#"{"type":"say","text":"I am Anna"}"#;
    let datagrams = [
        Vec::new(),
        b"\xff\xfe\x1b[2J".to_vec(),
        "Привет всем".into(),
        vec![b'x'; 60_000],
        "[".repeat(1_200).into(),
        format!("{}1{}", r#"{"a":"#.repeat(127), "}".repeat(127)).into(),
        format!(r#"{{"type":"data",{session},"seq":1,"ack":0,"message":{say}}}"#).into(),
        format!(r#"{{"type":"bye",{session},"reason":"quit"}}"#).into(),
        hello("Eve")[..1_199].to_vec(),
    ];
    for bytes in &datagrams {
        stranger.send_to(bytes, address).unwrap();
    }
    // Answers come in order: only this hello has one, and it is a seventh of the question.
    let hello = hello("Eve");
    stranger.send_to(&hello, address).unwrap();
    let mut answer = [0; MAX_DATAGRAM_BYTES];
    let length = stranger.recv(&mut answer).unwrap();
    assert!(length * 7 < hello.len(), "{length} bytes");
    assert!(matches!(
        Datagram::decode(&answer[..length]),
        Ok(Datagram::Challenge(_))
    ));

    anna.say("undisturbed");
    boris.wait_for_text("Anna", "undisturbed");
    boris.look(|seen| assert_eq!(seen.heard.len(), 1, "{:?}", seen.heard));
    assert!(
        server.log().lines_with("Eve").is_empty(),
        "no cookie, no state"
    );
}

#[test]
fn who_floods_has_to_go() {
    let server = server(&[]);
    let address = server.await_address();
    let anna = Client::join(address, "Anna");
    let flood = Client::join(address, "Flood");
    for number in 0..150 {
        flood.say(&number.to_string());
    }
    let (nick, reason) = ("Flood".to_owned(), Reason::Flooding);
    anna.wait_for_notice(&Notice::Left { nick, reason });
    let texts = anna.texts_from("Flood").len();
    assert!((100..150).contains(&texts), "{texts}");
    server.log().wait_for("Flood left: flooding; wrote 1");
}

#[test]
fn hellos_without_end_hold_up_neither_byes_nor_the_stop() {
    let server = server(&[]);
    let address = server.await_address();
    let anna = Client::join(address, "Anna");
    // Gone without a word, so it takes time to know that it confirms nothing.
    Client::join(address, "Boris").vanish();
    let clara = Client::join(address, "Clara");
    anna.wait("Clara", |seen| seen.heard.len() == 2);
    let _flood = Flood::start(address);
    server.terminate();
    let end = Some(End::PeerLeft(Reason::Stopping));
    for client in [&anna, &clara] {
        client.wait("the server's bye", |seen| seen.end == end);
    }
    server.wait_within(Duration::from_secs(5)).expect_success();
}

/// Says hello as fast as it can, until it is dropped.
struct Flood(Arc<AtomicBool>);

impl Flood {
    fn start(server: SocketAddr) -> Self {
        let (stranger, hello) = (stranger(), hello("Eve"));
        let is_over = Arc::new(AtomicBool::new(false));
        let flood = Self(Arc::clone(&is_over));
        let socket = stranger.try_clone().unwrap();
        thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                // The last ones find nobody.
                let _ = socket.send_to(&hello, server);
            }
        });
        stranger.recv(&mut [0; MAX_DATAGRAM_BYTES]).unwrap();
        flood
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
