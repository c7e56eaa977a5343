//! The dialogue of a person or a pipe with the server.

use std::io::{BufReader, IsTerminal, Read, stdin, stdout};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use cli::{RetryWouldBlock, StdoutError, exit_on_stop};
use echo_client::{Detail, EchoClient, Error, Wire};
use line_editor::Terminal;
use log::info;
use tls::MaybeTls;

use crate::flags::Flags;
use crate::unedited_lines::UneditedLines;

/// The most input that one read takes.
const INPUT_BYTES: usize = 64 << 10;

/// Shows a person that the next line may be typed.
const PROMPT: &str = "> ";

/// Sends the lines of stdin, and prints the replies on stdout.
pub(crate) fn converse(
    flags: &Flags,
    terminal: &Terminal,
    detail: Detail,
    stream: MaybeTls<TcpStream>,
) -> anyhow::Result<ExitCode> {
    let (wire, timeout, log_order) = (flags.wire(), flags.tcp.timeout(), detail.log_order.clone());
    let client = Arc::new(EchoClient::new(stream, wire, timeout, detail));
    exit_on_stop({
        let (client, terminal) = (Arc::clone(&client), terminal.clone());
        move || {
            terminal.break_off();
            info!("disconnected: interrupted; {}", client.totals());
        }
    })?;
    let session = terminal.start()?;
    let is_typed = stdin().is_terminal();
    let input = open_input(terminal, session.is_some(), is_typed);
    let has_prompt = session.is_some() && flags.is_interactive();
    let prompt = {
        let (client, terminal) = (Arc::clone(&client), terminal.clone());
        move || {
            if has_prompt {
                if let Some(log_order) = &log_order {
                    log_order.wait_for_server(client.totals().bytes_received);
                }
                terminal.set_prompt(PROMPT);
            }
        }
    };
    let (output, is_shown) = (RetryWouldBlock(stdout()), stdout().is_terminal());
    let end = match is_shown {
        true => client.run(input, is_typed, terminal.output(output), is_shown, prompt),
        false => client.run(input, is_typed, output, is_shown, prompt),
    };
    drop(session);
    log_end(&client, &end);
    match end {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error @ Error::WrongReply) if wire == Wire::Raw && !flags.tls => {
            bail!("{error}; if it speaks TLS, use --tls")
        }
        Err(Error::Output(error)) => Err(StdoutError(error).into()),
        Err(error) => Err(error.into()),
    }
}

fn open_input(
    terminal: &Terminal,
    has_session: bool,
    is_typed: bool,
) -> BufReader<Box<dyn Read + Send>> {
    let input: Box<dyn Read + Send> = match (has_session, terminal.is_editing()) {
        (true, true) => Box::new(terminal.lines()),
        (true, false) => Box::new(UneditedLines(terminal.lines())),
        (false, _) if is_typed => Box::new(UneditedLines(RetryWouldBlock(stdin()))),
        (false, _) => Box::new(RetryWouldBlock(stdin())),
    };
    BufReader::with_capacity(INPUT_BYTES, input)
}

fn log_end(client: &EchoClient, end: &Result<(), Error>) {
    let totals = client.totals();
    match end {
        Ok(()) => info!("disconnected: everything came back; {totals}"),
        // The error itself is the program's last line.
        Err(_) => info!("disconnected: an error ended the dialogue; {totals}"),
    }
}
