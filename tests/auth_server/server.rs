//! A running server and its clients.

use std::fs;

use serde_json::{Value, json};
use testbed::{Folder, Program};

pub use crate::dialogue_client::Client;
pub use crate::dialogue_server::Server;

pub const USERS_FILE: &str = "data/users.jsonl";
pub const SESSIONS_FILE: &str = "data/sessions.jsonl";

/// A password that the rules allow.
pub const PASSWORD: &str = "correct horse";

pub fn program() -> Program {
    Program::new(env!("CARGO_BIN_EXE_auth-server")).args(["--port", "0"])
}

impl Server {
    pub fn start(flags: &[&str]) -> Self {
        Self::run(&program().args(flags))
    }

    /// On the files that another server may have left.
    pub fn start_in(folder: &Folder, flags: &[&str]) -> Self {
        Self::run(&program().args(flags).in_folder(folder))
    }

    /// A client at 127.0.0.1.
    pub fn connect(&self) -> Client {
        self.connect_from("127.0.0.1")
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
        let last = of_key.next_back();
        last.map_or(Value::Null, |line| line["value"].clone())
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

impl Client {
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
}
