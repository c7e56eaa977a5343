//! `echo-server`: gives back what it gets, and tells of it.

use std::process::ExitCode;

use clap::Parser;
use cli::{Program, TcpServerFlags};
use echo_server::Echo;
use log::info;
use proto::MAX_ECHO_BYTES;
use tcp_server::{Limits, StopHandle, serve};

const PROGRAM: Program = Program {
    name: "echo-server",
    default_port: 9090,
};

/// Gives back what clients send: text in frames, or with --raw any bytes (RFC 862)
#[derive(Parser)]
#[command(after_help = "Examples:
  echo-server                          asks for host and port, Enter takes the defaults
  echo-server --host 0.0.0.0 --port 7777 --log-to both
  echo-server --raw --port 0           a plain echo server on any free port")]
struct Flags {
    #[command(flatten)]
    tcp: TcpServerFlags,

    /// Give back the bytes themselves, without frames (RFC 862)
    #[arg(long)]
    raw: bool,

    /// The most bytes read at once with --raw
    #[arg(long, value_name = "BYTES", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    portion: u32,

    /// The longest message in bytes; a frame that promises more ends the connection
    #[arg(long, value_name = "BYTES", default_value_t = MAX_ECHO_BYTES as u32, value_parser = clap::value_parser!(u32).range(1..=1 << 28))]
    max_message: u32,
}

impl Flags {
    fn echo(&self) -> Echo {
        if self.raw {
            Echo::Raw {
                portion: self.portion as usize,
            }
        } else {
            Echo::Framed {
                max_message: self.max_message as usize,
            }
        }
    }
}

fn main() -> ExitCode {
    let flags = PROGRAM.parse();
    PROGRAM.run(|| run(&flags))
}

fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let server = flags.tcp.open(&PROGRAM)?;
    let echo = flags.echo();
    info!("gives back {echo}");
    let stop = StopHandle::new();
    let (listener, running) = server.announce({
        let stop = stop.clone();
        move || stop.stop()
    })?;
    let limits = Limits {
        max_clients: flags.tcp.server.max_clients,
        idle_timeout: flags.tcp.idle_timeout(),
    };
    let totals = serve(listener, &limits, &stop, echo)?;
    running.stopped(totals);
    Ok(ExitCode::SUCCESS)
}
