//! `echo-server`: sends every message back.

use std::process::ExitCode;

use clap::Parser;
use cli::{Console, IdentityFlags, Program, TcpServerFlags, warn_aloud};
use echo_server::{Echo, TlsEcho};
use log::info;
use proto::MAX_ECHO_BYTES;
use tcp_server::{ClientList, Limits, StopHandle, serve_listed};
use tls::{ServerTls, key_log_warning};

const PROGRAM: Program = Program {
    name: "echo-server",
    default_port: 9090,
};

/// Gives back what clients send: text in frames, or with --raw any bytes (RFC 862)
#[derive(Parser)]
#[command(after_help = "Examples:
  echo-server                          asks for host and port, Enter takes the defaults
  echo-server --host 0.0.0.0 --port 7777 --log-to both
  echo-server --raw --port 0           a plain echo server on any free port
  echo-server --tls --host 0.0.0.0     encrypted; shows the fingerprint that clients compare")]
struct Flags {
    #[command(flatten)]
    tcp: TcpServerFlags,

    /// Give back the bytes themselves, without frames (RFC 862)
    #[arg(long)]
    raw: bool,

    /// The most bytes read at once with --raw
    #[arg(
        long,
        value_name = "BYTES",
        default_value_t = 1024,
        value_parser = clap::value_parser!(u32).range(1..=1 << 20)
    )]
    portion: u32,

    /// The longest message in bytes; a frame that promises more ends the connection
    #[arg(
        long,
        value_name = "BYTES",
        default_value_t = MAX_ECHO_BYTES as u32,
        value_parser = clap::value_parser!(u32).range(1..=1 << 28)
    )]
    max_message: u32,

    /// Speak TLS 1.3 only; the client needs --tls too
    #[arg(long)]
    tls: bool,

    #[command(flatten)]
    identity: IdentityFlags,
}

impl Flags {
    fn server_tls(&self) -> anyhow::Result<ServerTls> {
        warn_aloud(key_log_warning());
        let identity = self.identity.load_tls(&PROGRAM, None)?;
        Ok(ServerTls::new(&identity)?)
    }

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
    let server = flags.tcp.start(&PROGRAM)?;
    let tls = flags.tls.then(|| flags.server_tls()).transpose()?;
    let server = server.listen()?;
    let echo = flags.echo();
    info!("gives back {echo}");
    let (stop, clients) = (StopHandle::new(), ClientList::default());
    let console = Console::new().who({
        let clients = clients.clone();
        move || clients.list()
    });
    let client_flags: Vec<_> = [("--tls", flags.tls), ("--raw", flags.raw)]
        .into_iter()
        .filter_map(|(flag, is_needed)| is_needed.then_some(flag))
        .collect();
    let server = server
        .with_console(console)
        .with_client_flags(&client_flags);
    let (listener, running) = server.announce({
        let stop = stop.clone();
        move || stop.stop()
    })?;
    let limits = Limits {
        max_clients: flags.tcp.server.max_clients,
        idle_timeout: flags.tcp.idle_timeout(),
    };
    let totals = match tls {
        Some(tls) => serve_listed(listener, &limits, &stop, &clients, TlsEcho::new(echo, tls))?,
        None => serve_listed(listener, &limits, &stop, &clients, echo)?,
    };
    running.stopped(totals);
    Ok(ExitCode::SUCCESS)
}
