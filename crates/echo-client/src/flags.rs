//! The command line.

use std::io::{IsTerminal, stderr, stdin};
use std::time::Duration;

use clap::{Args, Parser};
use cli::{TcpClientFlags, TrustFlags, UsageError};
use echo_bench::Load;
use echo_client::Wire;
use proto::MAX_ECHO_BYTES;

/// Sends lines to an echo server and prints what comes back; a line `exit` ends it
#[derive(Parser)]
#[command(after_help = "Examples:
  echo-client --local                  server and client in one, to see it work
  echo-client --local --show-frames    what a message looks like on the wire
  echo-client                          asks for host and port, Enter takes the defaults
  echo-client 192.0.2.7:7777
  seq 1 1000 | echo-client --quiet | sha256sum
  echo-client --raw --port 7           any echo server of RFC 862
  echo-client --bench --connections 50 --window 8 192.0.2.7:7777")]
pub struct Flags {
    /// Where the server is, and how long to wait for it.
    #[command(flatten)]
    pub tcp: TcpClientFlags,

    /// Start an echo server inside this program and talk to it
    #[arg(long, conflicts_with_all = ["address", "host", "port", "bind"])]
    pub local: bool,

    /// Send lines as they are, without frames, to any echo server (RFC 862)
    #[arg(long)]
    raw: bool,

    /// Print each frame as header and payload, in hex and as text, on stderr
    #[arg(long, conflicts_with_all = ["raw", "bench"])]
    pub show_frames: bool,

    /// The longest message in bytes, sent or received
    #[arg(
        long, value_name = "BYTES", default_value_t = MAX_ECHO_BYTES as u32, conflicts_with = "raw",
        value_parser = clap::value_parser!(u32).range(1..=1 << 28)
    )]
    max_message: u32,

    /// Speak TLS 1.3; the server needs it too
    #[arg(long, conflicts_with = "local")]
    pub tls: bool,

    /// Which servers to trust.
    #[command(flatten)]
    pub trust: TrustFlags,

    /// Whether and how to measure.
    #[command(flatten)]
    pub bench: BenchFlags,
}

/// How to measure a server instead of talking to it.
#[derive(Args)]
#[command(next_help_heading = "Measuring")]
pub struct BenchFlags {
    /// Measure the server: how many messages it returns, and how fast; every reply is checked
    #[arg(long)]
    pub bench: bool,

    /// Connections at once
    #[arg(
        long, value_name = "N", default_value_t = 1, requires = "bench",
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    pub connections: u32,

    /// Bytes of a message, without its header
    #[arg(
        long, value_name = "BYTES", default_value_t = 64, requires = "bench",
        value_parser = clap::value_parser!(u32).range(1..=1 << 28)
    )]
    size: u32,

    /// Messages in flight on each connection
    #[arg(
        long, value_name = "N", default_value_t = 1, requires = "bench",
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    window: u32,

    /// How long messages are sent
    #[arg(
        long, value_name = "SECONDS", default_value_t = 5, requires = "bench",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    duration: u32,

    /// Print the figures as one JSON object
    #[arg(long, requires = "bench")]
    pub json: bool,
}

impl Flags {
    /// Whether a person types the lines and reads the service messages.
    pub fn is_interactive(&self) -> bool {
        let is_dialogue = !self.tcp.quiet && !self.bench.bench;
        is_dialogue && stdin().is_terminal() && stderr().is_terminal()
    }

    /// The protocol to speak.
    pub fn wire(&self) -> Wire {
        if self.raw {
            Wire::Raw
        } else {
            Wire::Framed {
                max_message: self.max_message as usize,
            }
        }
    }

    /// Checks that the messages to send are not longer than the longest message allowed.
    pub fn check_load(&self) -> Result<(), UsageError> {
        let (size, most) = (self.bench.size, self.max_message);
        if self.raw || size <= most {
            return Ok(());
        }
        Err(UsageError(format!(
            "a message of {size} bytes is over --max-message ({most}); raise it here and at the server"
        )))
    }

    /// The load of a measurement.
    pub fn load(&self) -> Load {
        Load {
            wire: if self.raw {
                echo_bench::Wire::Raw
            } else {
                echo_bench::Wire::Framed
            },
            size: self.bench.size as usize,
            window: self.bench.window as usize,
            duration: Duration::from_secs(self.bench.duration.into()),
            timeout: self.tcp.timeout(),
        }
    }
}
