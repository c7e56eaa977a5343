//! `echo-client`: sends lines to an echo server, and prints what comes back.

mod flags;
mod unedited_lines;

use std::io::{BufReader, IsTerminal, Read, Write, stderr, stdin, stdout};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use cli::{
    Endpoint, Program, Speaker, StdoutError, exit_on_stop, log_connected, log_to_person,
    raise_descriptor_limit,
};
use echo_client::{Conversation, Detail, Error, LocalServer, Waiting};
use flags::Flags;
use line_editor::Terminal;
use log::{LevelFilter, info};
use tls::MaybeTls;
use unedited_lines::UneditedLines;

const PROGRAM: Program = Program {
    name: "echo-client",
    default_port: 9090,
};

/// The target of a server's messages about received and sent bytes.
const TRAFFIC: &str = "traffic";

/// Explains the next lines of the terminal, before the first prompt of `--local`. It fits into 40 columns.
const LESSON: &str = "\
A server and a client in one program:
what you type goes to the server, and
comes back. Enter sends a line; exit, or
Ctrl-D, ends the dialogue.
";

/// The most input that one read takes.
const INPUT_BYTES: usize = 64 << 10;

/// Shows a person that the next line may be typed.
const PROMPT: &str = "> ";

/// Empties the terminal's line (ECMA-48: CR, EL).
const START_OF_LINE: &str = "\r\x1b[K";

fn main() -> ExitCode {
    let flags = PROGRAM.parse();
    PROGRAM.run(|| run(&flags))
}

fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let terminal = Terminal::default();
    if !flags.tcp.quiet && !flags.bench.bench {
        let output = terminal.output(stderr());
        log_to_person(LevelFilter::Info, speaker(flags), output)?;
    }
    let mut detail = Detail {
        splits_bytes: stderr().is_terminal(),
        shows_frames: flags.show_frames,
        terminal: terminal.clone(),
        lesson: None,
    };
    if !flags.local {
        let endpoint = flags.tcp.client.endpoint(&PROGRAM)?;
        return meet(flags, &terminal, detail, || connect(flags, &endpoint));
    }
    if is_interactive(flags) {
        detail.lesson = Some(Arc::default());
        show(LESSON);
    }
    let server = LocalServer::start(flags.wire(), detail.lesson.clone())
        .context("cannot start the local server")?;
    let end = meet(flags, &terminal, detail, || {
        let socket =
            TcpStream::connect(server.address()).context("cannot connect to the local server")?;
        socket.set_nodelay(true)?;
        log_connected(&socket)?;
        Ok(MaybeTls::Plaintext(socket))
    });
    server.stop();
    end
}

/// Whether a person types the lines and reads the service messages.
fn is_interactive(flags: &Flags) -> bool {
    stdin().is_terminal() && stderr().is_terminal() && !flags.tcp.quiet && !flags.bench.bench
}

/// Which side logs a message, at the start of its line on a terminal.
fn speaker(flags: &Flags) -> Speaker {
    match (flags.local, is_interactive(flags)) {
        (false, _) => |_| Some(""),
        (true, false) => |target| Some(side(target)),
        // With a lesson the server logs its reads and writes itself, so those of its framework are left out.
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

fn meet(
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
    // If the limit is still too low, the failing connect reports it.
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
    terminal: &Terminal,
    detail: Detail,
    stream: MaybeTls<TcpStream>,
) -> anyhow::Result<ExitCode> {
    let (wire, timeout, lesson) = (flags.wire(), flags.tcp.timeout(), detail.lesson.clone());
    let conversation = Arc::new(Conversation::new(stream, wire, timeout, detail));
    exit_on_stop({
        let (conversation, terminal) = (Arc::clone(&conversation), terminal.clone());
        move || {
            terminal.break_off();
            info!("disconnected: interrupted; {}", conversation.totals());
        }
    })?;
    let session = terminal.start()?;
    let is_typed = stdin().is_terminal();
    let input: Box<dyn Read + Send> = match (&session, terminal.is_editing()) {
        (Some(_), true) => Box::new(terminal.lines()),
        (Some(_), false) => Box::new(UneditedLines(terminal.lines())),
        (None, _) if is_typed => Box::new(UneditedLines(Waiting(stdin()))),
        (None, _) => Box::new(Waiting(stdin())),
    };
    let input = BufReader::with_capacity(INPUT_BYTES, input);
    let has_prompt = session.is_some() && is_interactive(flags);
    let prompt = {
        let (conversation, terminal) = (Arc::clone(&conversation), terminal.clone());
        move || {
            if has_prompt {
                if let Some(lesson) = &lesson {
                    lesson.wait_for_server(conversation.totals().bytes_received);
                }
                terminal.set_prompt(PROMPT);
            }
        }
    };
    let (output, is_shown) = (Waiting(stdout()), stdout().is_terminal());
    let end = match is_shown {
        true => conversation.run(input, is_typed, terminal.output(output), is_shown, prompt),
        false => conversation.run(input, is_typed, output, is_shown, prompt),
    };
    drop(session);
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
