//! A running server and its clients.

use serde_json::{Value, json};
use testbed::{Folder, Program};

pub use crate::dialogue_client::Client;
pub use crate::dialogue_server::Server;

/// Where the server keeps its clients by default.
pub const DATA_FILE: &str = "data/clients.jsonl";

pub fn program() -> Program {
    Program::new(env!("CARGO_BIN_EXE_ident-server")).args(["--port", "0"])
}

impl Server {
    pub fn start(flags: &[&str]) -> Self {
        Self::run(&program().args(flags))
    }

    /// On the files that another server may have left.
    pub fn start_in(folder: &Folder) -> Self {
        Self::run(&program().in_folder(folder))
    }

    /// The client at this address, which is known by this name.
    pub fn greet(&self, from: &str, name: &str) -> Client {
        let mut client = self.connect_from(from);
        assert_eq!(client.hear(), welcome(name));
        client
    }

    /// A client at this address, which gives this name.
    pub fn register(&self, from: &str, name: &str) -> Client {
        let mut client = self.connect_from(from);
        assert_eq!(client.hear(), json!({"type": "who_are_you"}));
        let reply = client.ask(json!({"type": "name", "name": name}));
        assert_eq!(reply, welcome(name));
        client
    }
}

pub fn welcome(name: &str) -> Value {
    json!({"type": "welcome", "name": name})
}
