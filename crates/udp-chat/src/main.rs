//! `udp-chat`: a chat over UDP; `serve` relays, `join` takes part.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use cli::Program;
use udp_chat::{JoinFlags, ServeFlags};

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

fn main() -> ExitCode {
    let flags: Flags = PROGRAM.parse();
    PROGRAM.run(|| match &flags.role {
        Role::Serve(flags) => udp_chat::run_server(flags, &PROGRAM),
        Role::Join(flags) => Ok(udp_chat::join(flags, &PROGRAM)?),
    })
}
