//! `udp-chat join`: one member's end.
//!
//! The [`session`] is the protocol's part, without sockets and clocks. The [`conversation`] brings
//! both, and stands between the session and a person or a pipe.

mod backlog;
mod command;
mod conversation;
mod display;
mod error;
mod flags;
mod identity;
mod inbox;
mod input;
mod json;
mod lines;
mod outbox;
mod output;
mod people;
mod pipe_output;
mod server_trust;
mod session;
mod terminal;
mod transport;
mod wrap;

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use cli::{LogError, Program, RetryWouldBlock, TextInput, exit_on_stop, log_to_stderr};
use log::LevelFilter;

use crate::nick::Nick;
use conversation::{Conversation, Outcome, Parts};
pub use error::JoinError;
use error::while_trying;
use flags::ChosenNick;
pub use flags::JoinFlags;
use identity::own_key;
use input::{Input, MAX_INPUTS, read_lines};
use pipe_output::PipeOutput;
use server_trust::ServerTrust;
use session::{Profile, Session};
pub use terminal::Bell;
use terminal::{Terminal, echoes};
use transport::{Resolver, Transport};

/// The exit status after Ctrl-C.
const INTERRUPTED: u8 = 130;

/// How long a signal waits for the conversation's end: bye, and the last lines.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Takes part in a chat until the person or the server ends it.
///
/// # Errors
///
/// Whatever keeps it from a good end.
pub fn join(flags: &JoinFlags, program: &Program) -> Result<ExitCode, JoinError> {
    let endpoint = flags.client.endpoint(program)?;
    let ChosenNick { nick, was_asked } = flags.choose_nick()?;
    let trust = ServerTrust::new(&flags.trust, &endpoint)?;
    let key = own_key()?;
    let addresses = endpoint.addresses()?;
    let (inputs, received) = mpsc::sync_channel(MAX_INPUTS);
    let stop = Arc::new(AtomicBool::new(false));
    let (is_running, has_ended) = mpsc::channel::<()>();
    leave_on_signals(Arc::clone(&stop), inputs.clone(), has_ended)?;

    let profile = Profile {
        key,
        nick: nick.to_string(),
        history: flags.history,
        plaintext: flags.plaintext,
    };
    let random = random_bytes().map_err(while_trying("draw random numbers"))?;
    let faults = flags.faults.faults();
    let faults = faults.map_err(while_trying("draw random numbers"))?;
    let (trace, source) = (flags.faults.trace, flags.client.bind);
    let transport = Transport::open(addresses, source, faults, trace, &inputs);
    let parts = Parts {
        session: Session::new(profile, random, trace, Instant::now()),
        transport: transport.map_err(while_trying("open a socket"))?,
        resolver: Resolver::new(endpoint, inputs.clone()),
        trust,
        inputs: received,
        stop,
        asks_for_nick: was_asked,
    };
    let terminal = match flags.json {
        true => None,
        false => {
            Terminal::start(&nick, flags.bell, &inputs).map_err(while_trying("use the terminal"))?
        }
    };
    let end = match terminal {
        Some(terminal) => talk_in_terminal(&nick, parts, terminal),
        None => talk_in_lines(&nick, parts, flags.json, inputs),
    };
    drop(is_running);
    let outcome = match end {
        // The reader has seen enough, which is no failure.
        Err(JoinError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Outcome::Done,
        end => end?,
    };
    match outcome {
        Outcome::Done => Ok(ExitCode::SUCCESS),
        Outcome::Unconfirmed => Err(JoinError::Unconfirmed),
        Outcome::Interrupted => Ok(INTERRUPTED.into()),
        // The thread that got the signal ends the process, with the signal's status.
        Outcome::Stopped => loop {
            thread::park();
        },
    }
}

/// Ends the conversation at a signal, and the process after it.
fn leave_on_signals(
    stop: Arc<AtomicBool>,
    inputs: SyncSender<Input>,
    has_ended: Receiver<()>,
) -> Result<(), JoinError> {
    exit_on_stop(move || {
        if echoes() && io::stderr().is_terminal() {
            // Below what is half typed.
            let _ = writeln!(io::stderr());
        }
        stop.store(true, Ordering::Relaxed);
        // A full channel wakes the conversation, too.
        let _ = inputs.try_send(Input::Wake);
        // Nothing is sent: the conversation's end closes the channel.
        let _ = has_ended.recv_timeout(LAST_WORDS);
    })
    .map_err(while_trying("watch for signals"))
}

fn talk_in_terminal(nick: &Nick, parts: Parts, terminal: Terminal) -> Result<Outcome, JoinError> {
    if io::stderr().is_terminal() {
        log::set_boxed_logger(Box::new(terminal.logger())).map_err(|_| LogError::Started)?;
        log::set_max_level(LevelFilter::Info);
    } else {
        log_to_stderr(LevelFilter::Info)?;
    }
    Conversation::new(nick.to_string(), parts, terminal, None).run()
}

fn talk_in_lines(
    nick: &Nick,
    parts: Parts,
    as_json: bool,
    inputs: SyncSender<Input>,
) -> Result<Outcome, JoinError> {
    log_to_stderr(LevelFilter::Info)?;
    let (turn, turns) = mpsc::channel();
    let start_thread = || while_trying("start a thread");
    let output = PipeOutput::start(RetryWouldBlock(io::stdout()), as_json, inputs.clone());
    let output = output.map_err(start_thread())?;
    read_lines(TextInput::stdin, turns, inputs).map_err(start_thread())?;
    Conversation::new(nick.to_string(), parts, output, Some(turn)).run()
}

/// Random bytes for handshakes. The first are drawn here, so that a system that gives none is
/// found out before anything is sent.
fn random_bytes() -> io::Result<impl FnMut() -> [u8; 48] + Send + 'static> {
    let mut first = Some(trust::random()?);
    Ok(move || {
        let bytes = first.take().map_or_else(trust::random, Ok);
        bytes.expect("the system gave random numbers before")
    })
}
