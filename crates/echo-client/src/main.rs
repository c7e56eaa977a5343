//! `echo-client`: sends lines to an echo server, and prints what comes back.

use std::io::{BufReader, IsTerminal, stderr, stdin, stdout};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use cli::{EndpointFlags, Program, StdoutError, connect, exit_on_stop, log_to_stderr};
use echo_client::{Conversation, Error, LocalServer, Screen, Wire};
use log::{LevelFilter, info};
use proto::MAX_ECHO_BYTES;

const PROGRAM: Program = Program {
    name: "echo-client",
    default_port: 9090,
};

/// As much input as one read takes.
const INPUT_BYTES: usize = 64 << 10;

/// Sends lines to an echo server and prints what comes back; a line `exit` ends it
#[derive(Parser)]
#[command(after_help = "Examples:
  echo-client --local                  server and client in one, to see it work
  echo-client                          asks for host and port, Enter takes the defaults
  echo-client --host 192.0.2.7 --port 7777
  seq 1 1000 | echo-client --quiet | sha256sum
  echo-client --raw --port 7           any echo server of RFC 862")]
struct Flags {
    #[command(flatten)]
    endpoint: EndpointFlags,

    /// Start an echo server inside this program and talk to it
    #[arg(long, conflicts_with_all = ["host", "port"])]
    local: bool,

    /// Send lines as they are, without frames, to any echo server (RFC 862)
    #[arg(long)]
    raw: bool,

    /// The longest message in bytes, sent or received
    #[arg(long, value_name = "BYTES", default_value_t = MAX_ECHO_BYTES as u32, value_parser = clap::value_parser!(u32).range(1..=1 << 28))]
    max_message: u32,

    /// How long to wait for the connection, and for what the server owes
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    timeout: u32,

    /// No service messages
    #[arg(long)]
    quiet: bool,
}

impl Flags {
    fn wire(&self) -> Wire {
        if self.raw {
            Wire::Raw
        } else {
            Wire::Framed {
                max_message: self.max_message as usize,
            }
        }
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout.into())
    }
}

fn main() -> ExitCode {
    let flags = PROGRAM.parse();
    PROGRAM.run(|| run(&flags))
}

fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    if !flags.quiet {
        log_to_stderr(LevelFilter::Info)?;
    }
    if !flags.local {
        let endpoint = flags.endpoint.client(&PROGRAM)?;
        return converse(flags, connect(&endpoint, flags.timeout())?);
    }
    let server = LocalServer::start(flags.wire()).context("cannot start the local server")?;
    let end = TcpStream::connect(server.address())
        .context("cannot connect to the local server")
        .and_then(|socket| converse(flags, socket));
    server.stop();
    end
}

fn converse(flags: &Flags, socket: TcpStream) -> anyhow::Result<ExitCode> {
    info!(
        "connected to {} from {}",
        socket.peer_addr()?,
        socket.local_addr()?
    );
    let conversation = Arc::new(Conversation::new(socket, flags.wire(), flags.timeout()));
    exit_on_stop({
        let conversation = Arc::clone(&conversation);
        move || info!("disconnected: interrupted; {}", conversation.totals())
    })?;

    let input = BufReader::with_capacity(INPUT_BYTES, stdin());
    let screen = Screen {
        is_terminal: stdout().is_terminal(),
        has_prompt: stdin().is_terminal() && stderr().is_terminal() && !flags.quiet,
    };
    match conversation.run(input, stdout(), screen) {
        Ok(()) => {
            info!(
                "disconnected: everything came back; {}",
                conversation.totals()
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            info!("disconnected: {error}; {}", conversation.totals());
            Err(match error {
                Error::Output(error) => StdoutError(error).into(),
                error => error.into(),
            })
        }
    }
}
