//! A client of a server that speaks JSON in frames, from an address that the test chooses.

use std::fmt::Display;
use std::io::{self, ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};

use proto::{FramedSocket, MAX_DIALOGUE_BYTES};
use serde_json::Value;
use socket2::{Domain, Socket, Type};
use testbed::TIME_LIMIT;

pub struct Client {
    pub socket: TcpStream,
}

impl Client {
    /// A client that has received nothing yet.
    #[track_caller]
    pub fn connect(server: SocketAddr, from: &str) -> Self {
        Self::try_connect(server, from).unwrap()
    }

    /// Fails when the server is gone.
    pub fn try_connect(server: SocketAddr, from: &str) -> io::Result<Self> {
        let from = SocketAddr::new(from.parse().expect("an address"), 0);
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, None)?;
        if from.is_ipv6() {
            // Windows binds a mapped IPv4 address only then.
            socket.set_only_v6(false)?;
        }
        socket.bind(&from.into())?;
        socket.connect(&server.into())?;
        let socket = TcpStream::from(socket);
        socket.set_read_timeout(Some(TIME_LIMIT))?;
        Ok(Self { socket })
    }

    #[track_caller]
    pub fn hear(&mut self) -> Value {
        self.try_hear().unwrap()
    }

    /// Fails when the server is gone.
    pub fn try_hear(&mut self) -> io::Result<Value> {
        let text = self.socket.recv_text(MAX_DIALOGUE_BYTES);
        let text = text.map_err(io::Error::other)?;
        let text = text.ok_or(ErrorKind::UnexpectedEof)?;
        Ok(serde_json::from_str(&text)?)
    }

    /// The reply to a text, be it a request or not.
    #[track_caller]
    pub fn ask(&mut self, text: impl Display) -> Value {
        self.try_ask(text).unwrap()
    }

    /// Fails when the server is gone.
    pub fn try_ask(&mut self, text: impl Display) -> io::Result<Value> {
        let sent = self.socket.send_text(&text.to_string());
        sent.map_err(io::Error::other)?;
        self.try_hear()
    }

    /// The reply must be an error of this code; returns its message.
    #[track_caller]
    pub fn refused(&mut self, text: impl Display, code: &str) -> String {
        let reply = self.ask(text);
        assert_eq!(reply["type"], "error", "{reply}");
        assert_eq!(reply["code"], code, "{reply}");
        reply["message"].as_str().unwrap().to_owned()
    }

    /// The server must have ended the connection after what was received.
    #[track_caller]
    pub fn expect_end(mut self) {
        let mut rest = vec![];
        self.socket.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"");
    }
}
