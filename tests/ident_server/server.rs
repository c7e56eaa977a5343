//! A running server, and clients whose address a test chooses.

use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, SocketAddr, TcpStream};

use proto::{FramedSocket, MAX_DIALOGUE_BYTES};
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};
use testbed::{Folder, LogFile, Program, Running, TIME_LIMIT};

/// What the server keeps its clients in, unless told otherwise.
pub const DATA_FILE: &str = "data/clients.jsonl";

pub fn program() -> Program {
    Program::new(env!("CARGO_BIN_EXE_ident-server")).args(["--port", "0"])
}

pub struct Server {
    pub running: Running,
    pub address: SocketAddr,
}

impl Server {
    pub fn start(flags: &[&str]) -> Self {
        Self::run(&program().args(flags))
    }

    /// On the files that another server may have left.
    pub fn start_in(folder: &Folder) -> Self {
        Self::run(&program().in_folder(folder))
    }

    pub fn run(program: &Program) -> Self {
        let running = program.spawn();
        let address = running.await_address();
        Self { running, address }
    }

    pub fn folder(&self) -> &Folder {
        self.running.folder()
    }

    pub fn log(&self) -> LogFile {
        self.running.log()
    }

    /// A client that has heard nothing yet.
    pub fn connect(&self, from: &str) -> Client {
        Client::connect(self.address, from.parse().unwrap())
    }

    /// The client at this address, which is known by this name.
    pub fn greet(&self, from: &str, name: &str) -> Client {
        let mut client = self.connect(from);
        assert_eq!(client.hear(), welcome(name));
        client
    }

    /// A client at this address, which gives this name.
    pub fn register(&self, from: &str, name: &str) -> Client {
        let mut client = self.connect(from);
        assert_eq!(client.hear(), json!({"type": "who_are_you"}));
        let reply = client.ask(json!({"type": "name", "name": name}));
        assert_eq!(reply, welcome(name));
        client
    }

    pub fn stop(self) {
        self.running.terminate();
        self.running.wait().expect_success();
    }
}

pub fn welcome(name: &str) -> Value {
    json!({"type": "welcome", "name": name})
}

pub struct Client {
    pub socket: TcpStream,
}

impl Client {
    pub fn connect(server: SocketAddr, from: IpAddr) -> Self {
        Self::try_connect(server, from).unwrap()
    }

    /// Fails when the server is gone.
    pub fn try_connect(server: SocketAddr, from: IpAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(from, 0).into())?;
        socket.connect(&server.into())?;
        let socket = TcpStream::from(socket);
        socket.set_read_timeout(Some(TIME_LIMIT))?;
        Ok(Self { socket })
    }

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

    /// Fails when the server is gone.
    pub fn try_ask(&mut self, request: &Value) -> io::Result<Value> {
        let sent = self.socket.send_text(&request.to_string());
        sent.map_err(io::Error::other)?;
        self.try_hear()
    }

    pub fn ask(&mut self, request: Value) -> Value {
        self.say(&request.to_string())
    }

    /// The reply to a text, be it a request or not.
    pub fn say(&mut self, text: &str) -> Value {
        self.socket.send_text(text).unwrap();
        self.hear()
    }

    /// The reply must be an error of this code; gives its message.
    #[track_caller]
    pub fn refused(&mut self, text: &str, code: &str) -> String {
        let reply = self.say(text);
        assert_eq!(reply["type"], "error", "{reply}");
        assert_eq!(reply["code"], code, "{reply}");
        reply["message"].as_str().unwrap().to_owned()
    }

    /// The server must have ended the connection after what was heard.
    #[track_caller]
    pub fn expect_end(mut self) {
        let mut rest = vec![];
        self.socket.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"");
    }
}
