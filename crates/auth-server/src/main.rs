//! `auth-server`: users with passwords, and sessions that a token opens.

mod console;
mod flags;
mod user_command;

use std::process::ExitCode;
use std::sync::Arc;

use auth_server::{AuthService, Maintenance};
use cli::{Program, log_to_stderr};
use flags::{Command, Flags, UserCommand};
use log::{LevelFilter, error, info};

const PROGRAM: Program = Program {
    name: "auth-server",
    default_port: 9290,
};

fn main() -> ExitCode {
    let flags: Flags = PROGRAM.parse();
    PROGRAM.run(|| match &flags.command {
        None => run(&flags),
        Some(Command::User(command)) => run_user(&flags, command),
    })
}

fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let policy = flags.policy()?;
    let server = flags.tcp.start(&PROGRAM, &flags.files(&PROGRAM))?;
    let auth = Arc::new(flags.open(policy).inspect_err(|error| error!("{error}"))?);
    info!("{}", auth.summary());
    let transport = flags.transport(&PROGRAM)?;
    let server = server.listen()?.with_console(console::console(&auth));
    let maintenance = Maintenance::start(Arc::clone(&auth), flags.session_limits())?;
    let service = AuthService::new(Arc::clone(&auth), transport);
    let (server, totals) = server.serve(&flags.tcp.limits(), service)?;
    drop(maintenance);
    let summary = auth.summary();
    // Before the log ends.
    auth.close();
    server.stopped(format_args!("{totals}; {summary}"));
    Ok(ExitCode::SUCCESS)
}

fn run_user(flags: &Flags, command: &UserCommand) -> anyhow::Result<ExitCode> {
    log_to_stderr(LevelFilter::Warn)?;
    user_command::run(flags, command)?;
    Ok(ExitCode::SUCCESS)
}
