//! `echo-client`: sends lines to an echo server, and prints what comes back.

mod flags;

use std::io::{BufReader, IsTerminal, Write, stderr, stdin, stdout};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use cli::{Program, StdoutError, connect, exit_on_stop, log_to_stderr, raise_descriptor_limit};
use echo_client::{Conversation, Error, LocalServer, Screen, bench};
use flags::Flags;
use log::{LevelFilter, info};

const PROGRAM: Program = Program {
    name: "echo-client",
    default_port: 9090,
};

/// As much input as one read takes.
const INPUT_BYTES: usize = 64 << 10;

fn main() -> ExitCode {
    let flags = PROGRAM.parse();
    PROGRAM.run(|| run(&flags))
}

fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    if !flags.quiet && !flags.bench.bench {
        log_to_stderr(LevelFilter::Info)?;
    }
    if !flags.local {
        let endpoint = flags.endpoint.client(&PROGRAM)?;
        return meet(flags, || Ok(connect(&endpoint, flags.timeout())?));
    }
    let server = LocalServer::start(flags.wire()).context("cannot start the local server")?;
    let end = meet(flags, || {
        let socket =
            TcpStream::connect(server.address()).context("cannot connect to the local server")?;
        socket.set_nodelay(true)?;
        Ok(socket)
    });
    server.stop();
    end
}

fn meet(
    flags: &Flags,
    connect: impl Fn() -> anyhow::Result<TcpStream>,
) -> anyhow::Result<ExitCode> {
    if flags.bench.bench {
        measure(flags, connect)
    } else {
        converse(flags, connect()?)
    }
}

fn measure(
    flags: &Flags,
    connect: impl Fn() -> anyhow::Result<TcpStream>,
) -> anyhow::Result<ExitCode> {
    exit_on_stop(|| ())?;
    // Should it not be enough, the connection that is one too many says so.
    let _ = raise_descriptor_limit();
    let sockets = (0..flags.bench.connections)
        .map(|_| connect())
        .collect::<anyhow::Result<_>>()?;
    let shows_progress = stderr().is_terminal() && !flags.quiet;
    let report = bench(sockets, flags.load(), |elapsed, replies| {
        if shows_progress {
            // A person misses it at most.
            let _ = write!(
                stderr(),
                "\r{:.1} s, {replies} messages came back ",
                elapsed.as_secs_f64()
            );
        }
    });
    if shows_progress {
        let _ = writeln!(stderr());
    }
    let report = report?;
    let text = if flags.bench.json {
        report.to_json()? + "\n"
    } else {
        report.to_string()
    };
    stdout().write_all(text.as_bytes()).map_err(StdoutError)?;
    Ok(ExitCode::SUCCESS)
}

fn converse(flags: &Flags, socket: TcpStream) -> anyhow::Result<ExitCode> {
    let addresses = socket
        .peer_addr()
        .and_then(|peer| Ok((peer, socket.local_addr()?)));
    let (peer, local) = addresses.context("the connection broke at once")?;
    info!("connected to {peer} from {local}");
    let conversation = Arc::new(Conversation::new(socket, flags.wire(), flags.timeout()));
    exit_on_stop({
        let conversation = Arc::clone(&conversation);
        move || info!("disconnected: interrupted; {}", conversation.totals())
    })?;

    let input = BufReader::with_capacity(INPUT_BYTES, stdin());
    let screen = Screen {
        is_terminal: stdout().is_terminal(),
        has_prompt: stdin().is_terminal() && stderr().is_terminal() && !flags.quiet,
    };
    match conversation.run(input, stdout(), screen) {
        Ok(()) => {
            info!(
                "disconnected: everything came back; {}",
                conversation.totals()
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            info!("disconnected: {error}; {}", conversation.totals());
            Err(match error {
                Error::Output(error) => StdoutError(error).into(),
                error => error.into(),
            })
        }
    }
}
