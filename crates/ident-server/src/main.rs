//! `ident-server`: greets the clients that it knows, and asks the others who they are.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::Parser;
use cli::{Escaped, Program, TcpServerFlags};
use ident_server::{Ident, Record, stray_keys};
use log::{error, info, warn};
use store::Store;
use tcp_server::{Limits, StopHandle, serve};

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
}

fn main() -> ExitCode {
    let flags = PROGRAM.parse();
    PROGRAM.run(|| run(&flags))
}

fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let server = flags.tcp.open(&PROGRAM)?;
    let clients = open_store(&flags.data_file).inspect_err(|error| error!("{error}"))?;
    let stop = StopHandle::new();
    let (listener, _log) = server.announce({
        let stop = stop.clone();
        move || stop.stop()
    })?;
    let limits = Limits {
        max_clients: flags.tcp.server.max_clients,
        idle_timeout: flags.tcp.idle_timeout(),
    };
    let totals = serve(listener, &limits, &stop, Ident::new(Arc::clone(&clients)))?;
    let stats = clients.stats();
    info!(
        "server stopped: {totals}, in {:.3} s; {} clients are known, {} changes took {} fsyncs",
        began.elapsed().as_secs_f64(),
        stats.records,
        stats.updates,
        stats.syncs
    );
    Ok(ExitCode::SUCCESS)
}

fn open_store(path: &Path) -> Result<Arc<Store<Record>>, store::Error> {
    let clients = Store::open(path)?;
    info!(
        "{} clients are known from {}",
        clients.stats().records,
        path.display()
    );
    if let Some((key, count)) = stray_keys(&clients) {
        warn!(
            "{} has {count} keys by which no client is known, the first is {}: a key is an address such as 192.0.2.7 or 2001:db8::7",
            path.display(),
            Escaped::new(&key).quoted().cut(60)
        );
    }
    Ok(Arc::new(clients))
}
