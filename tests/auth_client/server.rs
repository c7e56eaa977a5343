//! A server inside the test, and the client as it is started against it.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use auth_server::{Auth, AuthService, Cost, PasswordRules, Policy, SessionLimits, Transport};
use serde_json::Value;
use tcp_server::{Limits, StopHandle, serve};
use testbed::{Folder, Program};
use tls::ServerTls;
use trust::{Fingerprint, TlsIdentity};

pub const PASSWORD: &str = "correct horse";

pub struct Server {
    pub address: SocketAddr,
    /// Of its key, by which the client keeps tokens.
    pub fingerprint: Fingerprint,
    /// Where the client runs, which is its home.
    pub home: Folder,
    stop: StopHandle,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start() -> Self {
        Self::start_with(SessionLimits {
            idle: 1_800,
            max: 28_800,
        })
    }

    pub fn start_with(limits: SessionLimits) -> Self {
        Self::start_on(TcpListener::bind("127.0.0.1:0").unwrap(), limits)
    }

    pub fn start_on(listener: TcpListener, limits: SessionLimits) -> Self {
        let (data, home) = (Folder::new(), Folder::new());
        let policy = Policy {
            cost: Cost::LEAST,
            rules: PasswordRules::new(8).unwrap(),
            registration_open: true,
        };
        let [users, sessions] = ["users.jsonl", "sessions.jsonl"].map(|name| data.join(name));
        let auth = Arc::new(Auth::open(&users, &sessions, policy, limits).unwrap());
        let identity = TlsIdentity::load_or_create(&data.join("auth-server.identity")).unwrap();
        let fingerprint = identity.fingerprint();
        let transport = Transport {
            tls: ServerTls::new(&identity).unwrap(),
            allow_plaintext: false,
        };
        let address = listener.local_addr().unwrap();
        let stop = StopHandle::new();
        let thread = thread::spawn({
            let stop = stop.clone();
            move || {
                let service = AuthService::new(auth, transport);
                serve(listener, &Limits::default(), &stop, service).unwrap();
                drop(data);
            }
        });
        Self {
            address,
            fingerprint,
            home,
            stop,
            thread: Some(thread),
        }
    }

    /// The client without service messages, in the home of its user.
    pub fn client(&self, arguments: &[&str]) -> Program {
        client(self.address)
            .args(arguments)
            .arg("--quiet")
            .in_folder(&self.home)
    }

    /// A client whose passwords are lines of its input.
    pub fn scripted(&self, arguments: &[&str], passwords: &str) -> Program {
        let client = self.client(arguments).arg("--password-stdin");
        client.stdin_bytes(passwords)
    }

    /// Registers, so that the token is kept.
    pub fn register(&self, user: &str) {
        let register = self.scripted(&["--user", user, "register"], PASSWORD);
        let registered = register.output().expect_success();
        assert_eq!(registered.stdout_text(), format!("Hello, {user}!\n"));
    }

    pub fn token_file(&self) -> PathBuf {
        self.home.join(".local/state/socket-lab/tokens.json")
    }

    /// The token that is kept.
    pub fn token(&self) -> Option<String> {
        let text = fs::read_to_string(self.token_file()).unwrap();
        let tokens: Value = serde_json::from_str(&text).unwrap();
        let entry = tokens.get(self.fingerprint.to_string())?;
        Some(entry["token"].as_str().unwrap().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

pub fn client(server: SocketAddr) -> Program {
    let (host, port) = (server.ip().to_string(), server.port().to_string());
    Program::new(env!("CARGO_BIN_EXE_auth-client")).args(["--host", &host, "--port", &port])
}
