//! The command line.

use std::path::PathBuf;

use clap::Parser;
use cli::{Program, TcpServerFlags, TlsFlags};

/// Knows its clients by IP address: greets them by name, and asks new ones for a name
#[derive(Parser)]
#[command(after_help = "Examples:
  ident-server                         asks for host and port, Enter takes the defaults
  ident-server --host 0.0.0.0 --log-to both
  ident-server --data-file /var/lib/lab/clients.jsonl")]
pub struct Flags {
    #[command(flatten)]
    pub tcp: TcpServerFlags,

    /// Where the names are kept: JSON Lines, created with its folder
    #[arg(long, value_name = "PATH", default_value = "data/clients.jsonl")]
    pub data_file: PathBuf,

    #[command(flatten)]
    pub encryption: TlsFlags,
}

impl Flags {
    /// All files that the server keeps.
    pub fn files(&self, program: &Program) -> [PathBuf; 2] {
        let file = &self.data_file;
        [file.clone(), self.encryption.path(program, Some(file))]
    }
}
