//! `echo-server`: sends every message back.

mod flags;

use std::process::ExitCode;

use cli::Program;
use echo_server::EchoService;
use flags::Flags;
use log::info;

const PROGRAM: Program = Program {
    name: "echo-server",
    default_port: 9090,
};

fn main() -> ExitCode {
    let flags = PROGRAM.parse();
    PROGRAM.run(|| run(&flags))
}

fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let server = flags
        .tcp
        .start(&PROGRAM, &[flags.encryption.path(&PROGRAM, None)])?;
    let tls = flags.encryption.server_tls(&PROGRAM, None)?;
    let server = server.listen()?;
    let server = server.with_client_flag("--tls", tls.is_some());
    let server = server.with_client_flag("--raw", flags.raw);
    let (echo, limits) = (flags.echo(), flags.tcp.limits());
    info!("gives back {echo}");
    let (server, totals) = server.serve(&limits, EchoService::new(echo, tls))?;
    server.stopped(totals);
    Ok(ExitCode::SUCCESS)
}
