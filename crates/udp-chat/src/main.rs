//! `udp-chat`: a chat over UDP; `serve` relays, `join` takes part.

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use cli::{Program, ServerFlags};
use log::LevelFilter;
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
    let server = flags.server.start(&PROGRAM)?.bind_udp()?;
    let stop = StopHandle::new(&server.socket)?;
    let (socket, running) = server.announce({
        let stop = stop.clone();
        move || stop.stop()
    })?;
    let settings = RoomSettings {
        max_members: flags.server.max_clients,
        tell_texts: flags.server.log.log_level >= LevelFilter::Debug,
        trace: flags.faults.trace,
    };
    let totals = udp_chat::serve(&socket, settings, flags.faults.faults()?, &stop)?;
    running.stopped(totals);
    Ok(ExitCode::SUCCESS)
}
