//! `ident-server`: greets the clients that it knows, and asks the others who they are.

mod console;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use cli::{IdentityFlags, Program, TcpServerFlags, warn_aloud};
use ident_server::{Ident, Names};
use log::{error, info, warn};
use proto::Escaped;
use store::Stats;
use tcp_server::{ClientList, Limits, StopHandle, serve_listed};
use tls::{ServerTls, key_log_warning};

const PROGRAM: Program = Program {
    name: "ident-server",
    default_port: 9190,
};

/// Knows its clients by IP address: greets them by name, and asks new ones for a name
#[derive(Parser)]
#[command(after_help = "Examples:
  ident-server                         asks for host and port, Enter takes the defaults
  ident-server --host 0.0.0.0 --log-to both
  ident-server --data-file /var/lib/lab/clients.jsonl")]
struct Flags {
    #[command(flatten)]
    tcp: TcpServerFlags,

    /// Where the names are kept: JSON Lines, created with its folder
    #[arg(long, value_name = "PATH", default_value = "data/clients.jsonl")]
    data_file: PathBuf,

    /// Speak TLS 1.3 only; the client needs --tls too
    #[arg(long)]
    tls: bool,

    #[command(flatten)]
    identity: IdentityFlags,
}

impl Flags {
    fn server_tls(&self) -> anyhow::Result<ServerTls> {
        warn_aloud(key_log_warning());
        let identity = self.identity.load_tls(&PROGRAM, Some(&self.data_file))?;
        Ok(ServerTls::new(&identity)?)
    }
}

fn main() -> ExitCode {
    let flags = PROGRAM.parse();
    PROGRAM.run(|| run(&flags))
}

fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let server = flags.tcp.start(&PROGRAM)?;
    let names = Names::open(&flags.data_file).inspect_err(|error| error!("{error}"))?;
    let invalid_keys = warn_of_invalid_keys(&names, &flags.data_file);
    let known = |stats: Stats| stats.records - invalid_keys;
    info!(
        "clients known from {}: {}",
        flags.data_file.display(),
        known(names.stats())
    );
    let names = Arc::new(names);
    let ident = Ident::new(Arc::clone(&names));
    let ident = match flags.tls {
        true => ident.with_tls(flags.server_tls()?),
        false => ident,
    };
    let server = server.listen()?;
    let (stop, clients) = (StopHandle::new(), ClientList::default());
    let console = console::commands(&names).who({
        let clients = clients.clone();
        move || clients.list()
    });
    let client_flags: &[&str] = if flags.tls { &["--tls"] } else { &[] };
    let server = server.with_console(console).with_client_flags(client_flags);
    let (listener, running) = server.announce({
        let stop = stop.clone();
        move || stop.stop()
    })?;
    let limits = Limits {
        max_clients: flags.tcp.server.max_clients,
        idle_timeout: flags.tcp.idle_timeout(),
    };
    let totals = serve_listed(listener, &limits, &stop, &clients, ident)?;
    let stats = names.stats();
    // Before the log ends. Threads of the last clients may still hold the names, so dropping them would not do.
    names.close();
    running.stopped(format_args!(
        "{totals}; clients known: {}, changes: {}, fsyncs: {}",
        known(stats),
        stats.updates,
        stats.syncs
    ));
    Ok(ExitCode::SUCCESS)
}

/// Counts the records that no client can have. The number does not change while the server runs: no client is looked up
/// by their keys.
fn warn_of_invalid_keys(names: &Names, path: &Path) -> u64 {
    let Some((key, count)) = names.invalid_keys() else {
        return 0;
    };
    warn!(
        "keys in {} by which no client is known: {count}, the first is {}; a key is an address such as 192.0.2.7, \
         2001:db8::7 or fe80::7%eth0",
        path.display(),
        Escaped::new(&key).quoted().cut(60)
    );
    count
}
