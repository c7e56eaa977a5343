//! `auth-server`: users with passwords, and sessions that a token opens.

mod console;
mod flags;
mod user_command;

use std::process::ExitCode;
use std::sync::Arc;

use auth_server::{AuthService, Maintenance, Transport};
use cli::{Program, log_to_stderr, warn_aloud};
use flags::{Command, Flags, UserCommand};
use log::{LevelFilter, error, info};
use tcp_server::{ClientList, Limits, StopHandle, serve_listed};
use tls::{ServerTls, key_log_warning};

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
    let (policy, session_limits) = (flags.policy()?, flags.limits());
    let server = flags.tcp.start(&PROGRAM)?;
    let auth = flags.open(policy).inspect_err(|error| error!("{error}"))?;
    let auth = Arc::new(auth);
    info!("{}", auth.summary());
    warn_aloud(key_log_warning());
    let identity = flags.identity.load_tls(&PROGRAM, Some(&flags.data_file))?;
    let transport = Transport {
        tls: ServerTls::new(&identity)?,
        allow_plaintext: flags.allow_plaintext,
    };
    let server = server.listen()?;
    let maintenance = Maintenance::start(Arc::clone(&auth), session_limits)?;

    let (stop, clients) = (StopHandle::new(), ClientList::default());
    let console = console::console(&auth).who({
        let clients = clients.clone();
        move || clients.list()
    });
    let (listener, running) = server.with_console(console).announce({
        let stop = stop.clone();
        move || stop.stop()
    })?;
    let limits = Limits {
        max_clients: flags.tcp.server.max_clients,
        idle_timeout: flags.tcp.idle_timeout(),
    };
    let totals = serve_listed(
        listener,
        &limits,
        &stop,
        &clients,
        AuthService::new(Arc::clone(&auth), transport),
    )?;
    drop(maintenance);
    let summary = auth.summary();
    // Before the log ends.
    auth.close();
    running.stopped(format_args!("{totals}; {summary}"));
    Ok(ExitCode::SUCCESS)
}

fn run_user(flags: &Flags, command: &UserCommand) -> anyhow::Result<ExitCode> {
    log_to_stderr(LevelFilter::Warn)?;
    user_command::run(flags, command)?;
    Ok(ExitCode::SUCCESS)
}
