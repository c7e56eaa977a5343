//! `ident-server`: greets the clients that it knows, and asks the others who they are.

mod console;
mod flags;

use std::process::ExitCode;
use std::sync::Arc;

use cli::Program;
use flags::Flags;
use ident_server::{Ident, Names};
use log::{error, info};

const PROGRAM: Program = Program {
    name: "ident-server",
    default_port: 9190,
};

fn main() -> ExitCode {
    let flags = PROGRAM.parse();
    PROGRAM.run(|| run(&flags))
}

fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let file = &flags.data_file;
    let server = flags.tcp.start(&PROGRAM, &flags.files(&PROGRAM))?;
    let names = Arc::new(Names::open(file).inspect_err(|error| error!("{error}"))?);
    info!("clients known from {}: {}", file.display(), names.known());
    let tls = flags.encryption.server_tls(&PROGRAM, Some(file))?;
    let server = server.listen()?.with_console(console::commands(&names));
    let server = server.with_client_flag("--tls", tls.is_some());
    let ident = Ident::new(Arc::clone(&names), tls);
    let (server, totals) = server.serve(&flags.tcp.limits(), ident)?;
    let summary = names.summary();
    // Before the log ends. Threads of the last clients may still hold the names, so dropping them would not do.
    names.close();
    server.stopped(format_args!("{totals}; {summary}"));
    Ok(ExitCode::SUCCESS)
}
