//! Flags that servers share, as groups that a program flattens into its own.

use std::time::Duration;

use clap::Args;
use clap::builder::TypedValueParser;
use tcp_server::Limits;

use crate::endpoint::EndpointFlags;
use crate::logging::LogFlags;

/// Flags of every server.
///
/// A program changes a default on the struct that flattens this one:
/// `#[command(mut_arg("max_clients", |arg| arg.default_value("1000")))]`.
#[derive(Args, Clone, Debug)]
pub struct ServerFlags {
    /// Where to listen.
    #[command(flatten)]
    pub endpoint: EndpointFlags,

    /// Fail when the port is in use, instead of trying the next ones
    #[arg(long)]
    pub strict_port: bool,

    /// The most clients served at once
    #[arg(
        long, value_name = "N", default_value = "10000",
        value_parser = clap::value_parser!(u32).range(1..).map(|clients| clients as usize)
    )]
    pub max_clients: usize,

    /// Service messages.
    #[command(flatten)]
    pub log: LogFlags,
}

/// Flags of every TCP server.
#[derive(Args, Clone, Debug)]
pub struct TcpServerFlags {
    /// Flags of every server.
    #[command(flatten)]
    pub server: ServerFlags,

    /// Disconnect a client that sends no whole message for this long; 0: never
    #[arg(long = "idle-timeout", value_name = "SECONDS", default_value = "300")]
    idle_timeout_seconds: u32,
}

impl TcpServerFlags {
    /// How many clients are served at once, and how long an idle one.
    pub fn limits(&self) -> Limits {
        let seconds = u64::from(self.idle_timeout_seconds);
        Limits {
            max_clients: self.server.max_clients,
            idle_timeout: (seconds > 0).then(|| Duration::from_secs(seconds)),
        }
    }
}
