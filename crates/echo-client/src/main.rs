//! `echo-client`: sends lines to an echo server, and prints what comes back.

mod converse;
mod flags;
mod measure;
mod unedited_lines;

use std::io::{IsTerminal, Write, stderr};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use cli::{Endpoint, LinePrefix, Program, log_connected, log_to_person};
use converse::converse;
use echo_client::{Detail, LocalServer};
use flags::Flags;
use line_editor::Terminal;
use log::LevelFilter;
use measure::measure;
use proto::log_target::TRAFFIC;
use tls::MaybeTls;

const PROGRAM: Program = Program {
    name: "echo-client",
    default_port: 9090,
};

/// Explains the next lines of the terminal, before the first prompt of `--local`. It fits into 40 columns.
const INTRODUCTION: &str = "\
A server and a client in one program:
what you type goes to the server, and
comes back. Enter sends a line; exit, or
Ctrl-D, ends the dialogue.
";

fn main() -> ExitCode {
    let flags = PROGRAM.parse();
    PROGRAM.run(|| run(&flags))
}

fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let terminal = Terminal::default();
    if !flags.tcp.quiet && !flags.bench.bench {
        let output = terminal.output(stderr());
        log_to_person(LevelFilter::Info, line_prefix(flags), output)?;
    }
    let mut detail = Detail {
        splits_bytes: stderr().is_terminal(),
        shows_frames: flags.show_frames,
        terminal: terminal.clone(),
        log_order: None,
    };
    if !flags.local {
        let endpoint = flags.tcp.client.endpoint(&PROGRAM)?;
        return run_client(flags, &terminal, detail, || connect(flags, &endpoint));
    }
    if flags.is_interactive() {
        detail.log_order = Some(Arc::default());
        // Only a person can miss it.
        let _ = stderr().write_all(INTRODUCTION.as_bytes());
    }
    let server = LocalServer::start(flags.wire(), detail.log_order.clone())
        .context("cannot start the local server")?;
    let end = run_client(flags, &terminal, detail, || {
        let socket =
            TcpStream::connect(server.address()).context("cannot connect to the local server")?;
        socket.set_nodelay(true)?;
        log_connected(&socket)?;
        Ok(MaybeTls::Plaintext(socket))
    });
    server.stop();
    end
}

/// Which side logs a message, at the start of its line on a terminal.
fn line_prefix(flags: &Flags) -> LinePrefix {
    match (flags.local, flags.is_interactive()) {
        (false, _) => |_| Some(""),
        (true, false) => |target| Some(side(target)),
        // With a log order the server logs its reads and writes itself, so those of its framework are left out.
        (true, true) => |target| (target != TRAFFIC).then(|| side(target)),
    }
}

fn side(target: &str) -> &'static str {
    if target == TRAFFIC || target.starts_with("tcp_server") || target == "echo_client::local" {
        "server  "
    } else {
        "client  "
    }
}

fn connect(flags: &Flags, endpoint: &Endpoint) -> anyhow::Result<MaybeTls<TcpStream>> {
    let socket = flags.tcp.connect(endpoint)?;
    if !flags.tls {
        return Ok(MaybeTls::Plaintext(socket));
    }
    let if_plaintext = "if it was started without --tls, leave out --tls here";
    let (stream, _) = flags
        .tcp
        .encrypt(socket, endpoint, &flags.trust, if_plaintext)?;
    Ok(stream.into())
}

fn run_client(
    flags: &Flags,
    terminal: &Terminal,
    detail: Detail,
    connect: impl Fn() -> anyhow::Result<MaybeTls<TcpStream>>,
) -> anyhow::Result<ExitCode> {
    if flags.bench.bench {
        measure(flags, connect)
    } else {
        converse(flags, terminal, detail, connect()?)
    }
}
