//! The command line.

use clap::Parser;
use cli::{TcpServerFlags, TlsFlags};
use echo_server::Echo;
use proto::MAX_ECHO_BYTES;

/// Gives back what clients send: text in frames, or with --raw any bytes (RFC 862)
#[derive(Parser)]
#[command(after_help = "Examples:
  echo-server                          asks for host and port, Enter takes the defaults
  echo-server --host 0.0.0.0 --port 7777 --log-to both
  echo-server --raw --port 0           a plain echo server on any free port
  echo-server --tls --host 0.0.0.0     encrypted; shows the fingerprint that clients compare")]
pub struct Flags {
    #[command(flatten)]
    pub tcp: TcpServerFlags,

    /// Give back the bytes themselves, without frames (RFC 862)
    #[arg(long)]
    pub raw: bool,

    /// The most bytes read at once with --raw
    #[arg(
        long,
        value_name = "BYTES",
        default_value_t = 1024,
        requires = "raw",
        value_parser = clap::value_parser!(u32).range(1..=1 << 20)
    )]
    portion: u32,

    /// The longest message in bytes; a frame that promises more ends the connection
    #[arg(
        long,
        value_name = "BYTES",
        default_value_t = MAX_ECHO_BYTES as u32,
        conflicts_with = "raw",
        value_parser = clap::value_parser!(u32).range(1..=1 << 28)
    )]
    max_message: u32,

    #[command(flatten)]
    pub encryption: TlsFlags,
}

impl Flags {
    /// The mode of the service.
    pub fn echo(&self) -> Echo {
        match self.raw {
            true => Echo::Raw {
                portion: self.portion as usize,
            },
            false => Echo::Framed {
                max_message: self.max_message as usize,
            },
        }
    }
}
