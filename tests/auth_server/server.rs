//! A running server, and clients whose address a test chooses.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, SocketAddr, TcpStream};

use proto::{FramedSocket, MAX_DIALOGUE_BYTES};
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};
use testbed::{Folder, LogFile, Program, Running, TIME_LIMIT};

pub const USERS_FILE: &str = "data/users.jsonl";
pub const SESSIONS_FILE: &str = "data/sessions.jsonl";

/// A password that the rules allow.
pub const PASSWORD: &str = "correct horse";

pub fn program() -> Program {
    Program::new(env!("CARGO_BIN_EXE_auth-server")).args(["--port", "0"])
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
    pub fn start_in(folder: &Folder, flags: &[&str]) -> Self {
        Self::run(&program().args(flags).in_folder(folder))
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

    /// A client at 127.0.0.1.
    pub fn connect(&self) -> Client {
        self.connect_from("127.0.0.1")
    }

    pub fn connect_from(&self, address: &str) -> Client {
        Client::connect(self.address, address.parse().unwrap())
    }

    /// A client that registers, and the token of its session.
    pub fn register(&self, user: &str, password: &str) -> (Client, String) {
        let mut client = self.connect();
        let token = client.enter("register", user, password);
        (client, token)
    }

    /// What a file says last of a key; null when it is gone.
    pub fn last_line(&self, file: &str, key: &str) -> Value {
        let text = fs::read_to_string(self.folder().join(file)).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let mut of_key = lines.filter(|line: &Value| line["key"] == key);
        of_key.next_back().expect("a line of the key")["value"].clone()
    }

    pub fn stop(self) -> Folder {
        let folder = self.folder().clone();
        self.running.terminate();
        self.running.wait().expect_success();
        folder
    }

    /// Ends it as a power cut would, save that the kernel lives on.
    pub fn kill(self) -> Folder {
        let folder = self.folder().clone();
        self.running.kill();
        drop(self.running);
        folder
    }
}

pub fn login(user: &str, password: &str) -> Value {
    json!({"type": "login", "user": user, "password": password})
}

pub fn register(user: &str, password: &str) -> Value {
    json!({"type": "register", "user": user, "password": password})
}

pub fn change_password(old: &str, new: &str) -> Value {
    json!({"type": "change_password", "old": old, "new": new})
}

pub fn resume(token: &str) -> Value {
    json!({"type": "resume", "token": token})
}

/// A request without fields.
pub fn plain(kind: &str) -> Value {
    json!({"type": kind})
}

pub struct Client {
    pub socket: TcpStream,
}

impl Client {
    fn connect(server: SocketAddr, from: IpAddr) -> Self {
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

    /// Registers or logs in, and gives the token.
    #[track_caller]
    pub fn enter(&mut self, kind: &str, user: &str, password: &str) -> String {
        let reply = self.ask(json!({"type": kind, "user": user, "password": password}));
        assert_eq!(reply["type"], "session", "{reply}");
        reply["token"].as_str().expect("a token").to_owned()
    }

    #[track_caller]
    pub fn is(&mut self, user: &str) {
        let reply = self.ask(plain("whoami"));
        assert_eq!(reply, json!({"type": "you_are", "user": user}));
    }

    /// The reply must be an error of this code; gives its message.
    #[track_caller]
    pub fn refused(&mut self, request: Value, code: &str) -> String {
        let reply = self.ask(request);
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
