//! The command line.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use cli::{HostPort, TrustFlags};
use lab_check::Header;

/// Checks a server of the labs, in any language: one line for each check, with a hint for each failure
#[derive(Parser)]
#[command(after_help = "Examples:
  lab-check echo 127.0.0.1:9090                 an echo server with a 4-byte header
  lab-check echo --raw 192.0.2.7:7              an echo server without headers (RFC 862)
  lab-check echo --header ascii4 127.0.0.1:5000 a header of 4 decimal digits
  lab-check ident 127.0.0.1 --only forget
  lab-check auth --tls 192.0.2.7 --json > result.json
  lab-check chat 127.0.0.1:9390

Exit status: 0 all passed, 1 some failed, 2 wrong usage.")]
pub struct Flags {
    #[command(subcommand)]
    pub protocol: Protocol,
}

#[derive(Subcommand)]
pub enum Protocol {
    /// An echo server (tasks 1 to 7, 13, 14)
    Echo(EchoFlags),
    /// An identification server (task 11)
    Ident(TcpFlags),
    /// An authentication server (task 12)
    Auth(TcpFlags),
    /// A chat server (task 15)
    Chat(ChatFlags),
}

#[derive(Args)]
pub struct EchoFlags {
    /// Bytes come back as they are, without headers
    #[arg(long, conflicts_with = "header")]
    pub raw: bool,

    /// The header of the server's messages: be4, be2, le4, or asciiN for N decimal digits
    #[arg(long, default_value_t = Header::Be4)]
    pub header: Header,

    #[command(flatten)]
    pub tcp: TcpFlags,
}

#[derive(Args)]
pub struct TcpFlags {
    /// Speak TLS
    #[arg(long)]
    pub tls: bool,

    /// Also wait this long for the server to disconnect a client that says nothing, and note it if it does not
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub idle: Option<u32>,

    #[command(flatten)]
    pub common: CommonFlags,
}

#[derive(Args)]
pub struct ChatFlags {
    /// Leave the sessions readable; the server must allow it with the same flag
    #[arg(long)]
    pub plaintext: bool,

    #[command(flatten)]
    pub common: CommonFlags,
}

#[derive(Args)]
pub struct CommonFlags {
    /// The server: HOST, HOST:PORT or [ADDRESS]:PORT
    #[arg(value_name = "HOST[:PORT]", required_unless_present = "list", value_parser = HostPort::parse)]
    pub server: Option<HostPort>,

    /// Try only this check; may be given several times
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,

    /// List the checks and try none
    #[arg(long)]
    pub list: bool,

    /// One JSON document on stdout instead of lines
    #[arg(long)]
    pub json: bool,

    /// How long the server has for each reply
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub timeout: u32,

    #[command(flatten)]
    pub trust: TrustFlags,
}

impl CommonFlags {
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout.into())
    }
}
