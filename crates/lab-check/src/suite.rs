//! The checks of one protocol, chosen by flags and run against one server.

use std::io::{Write, stdout};
use std::net::SocketAddr;
use std::process::ExitCode;

use cli::{
    Endpoint, RetryWouldBlock, StdoutError, UsageError, ask_to_trust, connect, is_interactive,
};
use lab_check::report::{Summary, outcome_json, write_outcome, write_summary};
use lab_check::{Check, Failure, run};
use serde_json::json;
use trust::{Fingerprint, Protocol, Question, ServerId, TrustError};

use crate::options::CommonFlags;

/// The checks of one protocol for servers that are reached by a `T`.
pub struct Suite<T: 'static> {
    pub protocol: &'static str,
    pub checks: Vec<&'static Check<T>>,
    pub still_serves: fn(&T) -> Result<(), Failure>,
}

impl<T> Suite<T> {
    /// Keeps the checks that `--only` names.
    ///
    /// # Errors
    ///
    /// When it names one that does not exist.
    pub fn choose(mut self, only: &[String]) -> Result<Self, UsageError> {
        for name in only {
            if !self.checks.iter().any(|check| check.name == name) {
                let names: Vec<_> = self.checks.iter().map(|check| check.name).collect();
                return Err(UsageError(format!(
                    "there is no check {name:?}; the checks are {}",
                    names.join(", ")
                )));
            }
        }
        if !only.is_empty() {
            self.checks
                .retain(|check| only.iter().any(|name| name == check.name));
        }
        Ok(self)
    }

    /// Prints a line for each check, and tries none.
    ///
    /// # Errors
    ///
    /// When stdout is broken.
    pub fn list(&self) -> Result<ExitCode, StdoutError> {
        let mut output = RetryWouldBlock(stdout().lock());
        for check in &self.checks {
            writeln!(
                output,
                "{:<16} task {:<3} {}",
                check.name, check.task, check.about
            )
            .map_err(StdoutError)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Tries all checks and reports them: as lines, or as one JSON document that also names the server and how it was
    /// spoken to.
    ///
    /// # Errors
    ///
    /// When stdout is broken.
    pub fn run(
        &self,
        target: &T,
        server: SocketAddr,
        wire: impl Fn() -> String,
        as_json: bool,
    ) -> anyhow::Result<ExitCode> {
        let mut output = RetryWouldBlock(stdout().lock());
        let mut summary = Summary::default();
        let mut written = Ok(());
        let outcomes = run(&self.checks, target, self.still_serves, |outcome| {
            summary.add(&outcome.verdict);
            if !as_json && written.is_ok() {
                written = write_outcome(&mut output, outcome);
            }
        });
        if as_json {
            let checks: Vec<_> = outcomes.iter().map(outcome_json).collect();
            let server = server.to_string();
            let document = json!({
                "server": server, "protocol": self.protocol, "wire": wire(), "summary": summary, "checks": checks,
            });
            written = writeln!(output, "{document:#}");
        } else if written.is_ok() {
            written = write_summary(&mut output, summary);
        }
        written.map_err(StdoutError)?;
        Ok(if summary.failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

impl CommonFlags {
    /// The server that the flags name.
    ///
    /// # Errors
    ///
    /// When they name none.
    pub fn endpoint(&self, default_port: u16) -> Result<Endpoint, UsageError> {
        let missing = || UsageError("name the server to check: HOST[:PORT]".into());
        let server = self.server.as_ref().ok_or_else(missing)?;
        Ok(Endpoint {
            host: server.host.clone(),
            port: server.port.unwrap_or(default_port),
        })
    }

    /// Where the server listens, once it has accepted a connection, and with TLS its key, once it is trusted. So a
    /// server that is not there, or not trusted, is one clear error.
    ///
    /// # Errors
    ///
    /// When there is no connection, or the key is not trusted.
    pub fn reach(
        &self,
        endpoint: &Endpoint,
        tls: bool,
    ) -> anyhow::Result<(SocketAddr, Option<Fingerprint>)> {
        let socket = connect(endpoint, None, self.timeout())?;
        let address = socket.peer_addr()?;
        if !tls {
            return Ok((address, None));
        }
        let server = ServerId::new(Protocol::Tcp, &endpoint.host, endpoint.port);
        let (_, key) = tls::connect(
            socket,
            &server,
            &self.trust.trust()?,
            self.timeout(),
            asking(&mut ask_to_trust),
        )?;
        Ok((address, Some(key)))
    }

    /// Whether the chat server's key is trusted.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub fn check_chat_key(
        &self,
        endpoint: &Endpoint,
        server: SocketAddr,
        key: &[u8; 32],
    ) -> Result<(), TrustError> {
        let id = ServerId::new(Protocol::Udp, &endpoint.host, endpoint.port);
        let is_loopback = server.ip().to_canonical().is_loopback();
        self.trust.trust()?.check(
            &id,
            is_loopback,
            Fingerprint::of_x25519(key),
            asking(&mut ask_to_trust),
        )
    }
}

/// Asks a person, where there is one.
fn asking(ask: &mut dyn FnMut(&Question) -> std::io::Result<bool>) -> Option<trust::Ask<'_>> {
    is_interactive().then_some(ask)
}
