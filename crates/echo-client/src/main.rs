//! `echo-client`: sends lines to an echo server, and prints what comes back.

mod flags;
mod typed;

use std::io::{BufReader, IsTerminal, Read, Write, stderr, stdin, stdout};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, bail};
use cli::{
    Endpoint, Program, StdoutError, exit_on_stop, log_to_stderr, raise_descriptor_limit, warn_aloud,
};
use echo_client::{Conversation, Error, LocalServer, Told, Waiting};
use flags::Flags;
use log::{LevelFilter, info};
use tls::{MaybeTls, key_log_warning};
use typed::Typed;

const PROGRAM: Program = Program {
    name: "echo-client",
    default_port: 9090,
};

/// As much input as one read takes.
const INPUT_BYTES: usize = 64 << 10;

/// What shows a person that it is their turn.
const PROMPT: &str = "> ";

/// Empties the terminal's line (ECMA-48: CR, EL).
const START_OF_LINE: &str = "\r\x1b[K";

fn main() -> ExitCode {
    let flags = PROGRAM.parse();
    PROGRAM.run(|| run(&flags))
}

fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    if !flags.tcp.quiet && !flags.bench.bench {
        log_to_stderr(LevelFilter::Info)?;
    }
    if !flags.local {
        let endpoint = flags.tcp.client.endpoint(&PROGRAM)?;
        if flags.tls {
            warn_aloud(key_log_warning());
        }
        return meet(flags, None, || connect(flags, &endpoint));
    }
    let server = LocalServer::start(flags.wire()).context("cannot start the local server")?;
    let end = meet(flags, Some(server.told()), || {
        let socket =
            TcpStream::connect(server.address()).context("cannot connect to the local server")?;
        socket.set_nodelay(true)?;
        log_connected(&socket)?;
        Ok(MaybeTls::Plaintext(socket))
    });
    server.stop();
    end
}

fn connect(flags: &Flags, endpoint: &Endpoint) -> anyhow::Result<MaybeTls<TcpStream>> {
    let socket = flags.tcp.connect(endpoint)?;
    log_connected(&socket)?;
    if !flags.tls {
        return Ok(MaybeTls::Plaintext(socket));
    }
    let (prompt, timeout) = (flags.tcp.client.endpoint.prompt, flags.tcp.timeout());
    let (stream, fingerprint) =
        flags
            .trust
            .with_trust(endpoint, prompt, |server, trust, ask| {
                tls::connect(socket, server, trust, timeout, ask)
            })?;
    info!("the connection is encrypted; the server's key is {fingerprint}");
    Ok(stream.into())
}

fn log_connected(socket: &TcpStream) -> anyhow::Result<()> {
    let addresses = socket
        .peer_addr()
        .and_then(|peer| Ok((peer, socket.local_addr()?)));
    let (peer, local) = addresses.context("the connection broke at once")?;
    info!("connected to {peer} from {local}");
    Ok(())
}

fn meet(
    flags: &Flags,
    told: Option<Arc<Told>>,
    connect: impl Fn() -> anyhow::Result<MaybeTls<TcpStream>>,
) -> anyhow::Result<ExitCode> {
    if flags.bench.bench {
        measure(flags, connect)
    } else {
        converse(flags, told, connect()?)
    }
}

fn measure(
    flags: &Flags,
    connect: impl Fn() -> anyhow::Result<MaybeTls<TcpStream>>,
) -> anyhow::Result<ExitCode> {
    flags.check_load()?;
    let shows_progress = stderr().is_terminal() && !flags.tcp.quiet;
    exit_on_stop(move || {
        if shows_progress {
            show(START_OF_LINE);
        }
    })?;
    // Should it not be enough, the connection that is one too many says so.
    let _ = raise_descriptor_limit();
    let streams = (0..flags.bench.connections)
        .map(|_| connect())
        .collect::<anyhow::Result<_>>()?;
    let report = echo_bench::bench(streams, flags.load(), |elapsed, replies| {
        if shows_progress {
            let seconds = elapsed.as_secs_f64();
            show(&format!(
                "{START_OF_LINE}{seconds:.1} s, {replies} messages came back "
            ));
        }
    });
    if shows_progress {
        show(START_OF_LINE);
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

fn converse(
    flags: &Flags,
    told: Option<Arc<Told>>,
    stream: MaybeTls<TcpStream>,
) -> anyhow::Result<ExitCode> {
    let conversation = Arc::new(Conversation::new(stream, flags.wire(), flags.tcp.timeout()));
    let has_prompt = stdin().is_terminal() && stderr().is_terminal() && !flags.tcp.quiet;
    exit_on_stop({
        let conversation = Arc::clone(&conversation);
        move || {
            if has_prompt {
                // What follows is not to stick to the prompt.
                show("\n");
            }
            info!("disconnected: interrupted; {}", conversation.totals());
        }
    })?;

    let input: Box<dyn Read + Send> = match stdin().is_terminal() {
        true => Box::new(Typed::new(Waiting(stdin()), move || {
            if has_prompt {
                show("\n");
            }
        })),
        false => Box::new(Waiting(stdin())),
    };
    let input = BufReader::with_capacity(INPUT_BYTES, input);
    // What was sent when the prompt was shown last: it stands open until more is.
    let prompted_at = Arc::new(AtomicU64::new(u64::MAX));
    let prompt = {
        let (conversation, prompted_at) = (Arc::clone(&conversation), Arc::clone(&prompted_at));
        move || {
            if has_prompt {
                let totals = conversation.totals();
                if let Some(told) = &told {
                    told.wait_for(totals.bytes_received);
                }
                prompted_at.store(totals.bytes_sent, Ordering::Relaxed);
                show(PROMPT);
            }
        }
    };
    let end = conversation.run(input, Waiting(stdout()), stdout().is_terminal(), prompt);
    if end.is_err() && prompted_at.load(Ordering::Relaxed) == conversation.totals().bytes_sent {
        show("\n");
    }
    match end {
        Ok(()) => {
            let totals = conversation.totals();
            if conversation.is_echo() {
                info!("disconnected: everything came back; {totals}");
            } else {
                info!("disconnected: what came back is not what was sent; {totals}");
                bail!("what came back is not what was sent, so this is not an echo server");
            }
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

/// Writes to the terminal at once. Only a person can miss it.
fn show(text: &str) {
    let _ = stderr().write_all(text.as_bytes());
}
