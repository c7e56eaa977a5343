//! The dialogue of a person or a pipe with the server.

use std::io::{BufReader, IsTerminal, Read, stdin, stdout};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use cli::{StdoutError, exit_on_stop};
use echo_client::{Conversation, Detail, Error, Waiting, Wire};
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
    let input = open_input(terminal, session.is_some(), is_typed);
    let has_prompt = session.is_some() && flags.is_interactive();
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
    log_end(&conversation, &end);
    match end {
        Ok(()) if conversation.is_echo() => Ok(ExitCode::SUCCESS),
        Ok(()) => {
            let advice = match wire == Wire::Raw && !flags.tls {
                true => "; if it speaks TLS, use --tls",
                false => "",
            };
            bail!("what came back is not what was sent, so this is not an echo server{advice}");
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
        (false, _) if is_typed => Box::new(UneditedLines(Waiting(stdin()))),
        (false, _) => Box::new(Waiting(stdin())),
    };
    BufReader::with_capacity(INPUT_BYTES, input)
}

fn log_end(conversation: &Conversation, end: &Result<(), Error>) {
    let totals = conversation.totals();
    match end {
        Ok(()) if conversation.is_echo() => info!("disconnected: everything came back; {totals}"),
        Ok(()) => info!("disconnected: what came back is not what was sent; {totals}"),
        Err(error) => info!("disconnected: {error}; {totals}"),
    }
}
