//! `udp-chat`: a chat over UDP; `serve` relays, `join` takes part.

use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, Parser, Subcommand};
use cli::{Program, ServerFlags, announce, bind_udp, on_server_signals};
use log::{LevelFilter, error, info};
use udp_chat::{FaultFlags, JoinFlags, RoomSettings, StopHandle};

const PROGRAM: Program = Program {
    name: "udp-chat",
    default_port: 9390,
};

/// A chat for many users over UDP: one serves, the others join
#[derive(Parser)]
#[command(after_help = "Examples:
  udp-chat serve                       asks for host and port, Enter takes the defaults
  udp-chat join --nick Anna
  udp-chat join --help                 the flags of one role")]
struct Flags {
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    Serve(ServeFlags),
    Join(JoinFlags),
}

/// Serves a chat: relays what each member writes to the others
#[derive(Args)]
#[command(
    mut_arg("max_clients", |arg| arg.default_value("1000")),
    after_help = "Examples:
  udp-chat serve                       asks for host and port, Enter takes the defaults
  udp-chat serve --host 0.0.0.0 --port 7777 --log-to both
  udp-chat serve --drop 30 --trace     a network at its worst, to be watched in the log"
)]
struct ServeFlags {
    #[command(flatten)]
    server: ServerFlags,

    #[command(flatten)]
    faults: FaultFlags,
}

fn main() -> ExitCode {
    let flags: Flags = PROGRAM.parse();
    PROGRAM.run(|| match &flags.role {
        Role::Serve(flags) => serve(flags),
        Role::Join(flags) => Ok(udp_chat::join(flags, &PROGRAM)?),
    })
}

fn serve(flags: &ServeFlags) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let endpoint = flags.server.endpoint.server(&PROGRAM)?;
    let _log = flags.server.log.start(&PROGRAM)?;
    let (name, version) = (PROGRAM.name, env!("CARGO_PKG_VERSION"));
    info!("server started: {name} {version}");
    let socket =
        bind_udp(&endpoint, flags.server.strict_port).inspect_err(|error| error!("{error}"))?;
    let address = socket.local_addr()?;
    let stop = StopHandle::new(&socket)?;
    let stop_serving = {
        let stop = stop.clone();
        move || stop.stop()
    };
    on_server_signals(stop_serving, || {})?;
    info!("listening on {address}");
    announce(&PROGRAM, address);
    let settings = RoomSettings {
        max_members: flags.server.max_clients,
        tell_texts: flags.server.log.log_level >= LevelFilter::Debug,
        trace: flags.faults.trace,
    };
    let totals = udp_chat::serve(&socket, settings, flags.faults.faults()?, &stop)?;
    let seconds = began.elapsed().as_secs_f64();
    info!("server stopped: {totals}, in {seconds:.3} s");
    Ok(ExitCode::SUCCESS)
}
