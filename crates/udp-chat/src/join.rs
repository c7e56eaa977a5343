//! `udp-chat join`: one member's end.
//!
//! The [`session`] is the protocol's part, without sockets and clocks. The [`conversation`] gives
//! it both, and stands between it and a person or a pipe.

mod asking;
mod backlog;
mod command;
mod conversation;
mod display;
mod error;
mod inbox;
mod input;
mod lines;
mod network;
mod outbox;
mod output;
mod pipe_output;
mod route;
mod session;
mod terminal;
mod visible;
mod wrap;

use std::io::{self, BufReader, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use cli::{ClientFlags, LogError, Program, UsageError, ask_on_stdin, exit_on_stop, log_to_stderr};
use log::LevelFilter;
use proto::chat::Nonce;
use rand::TryRng;
use rand::rngs::SysRng;

use crate::faults::FaultFlags;
use crate::nick::Nick;
use conversation::{Conversation, Outcome, Parts};
pub use error::JoinError;
use error::while_trying;
use input::{Input, MAX_INPUTS, read_lines};
use network::Network;
use pipe_output::PipeOutput;
use route::Route;
use session::Session;
pub use terminal::Bell;
use terminal::{Terminal, echoes};

/// The exit status after Ctrl-C.
const INTERRUPTED: u8 = 130;

/// How long a signal waits for the conversation's end: bye, and the last lines.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Takes part in a chat, in a terminal or line by line in a pipe
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  udp-chat join                        asks for host, port and nick
  udp-chat join 192.0.2.7 --nick Anna
  seq 1 9 | udp-chat join --nick bot   each line is a message; status 0 once all are confirmed
                                       (past the first 50, 20 messages a second are sent)
  udp-chat join --nick Anna --drop 30 --trace 2> trace.log")]
pub struct JoinFlags {
    /// Where the chat is.
    #[command(flatten)]
    pub client: ClientFlags,

    /// The name to be known by; asked for in a terminal
    #[arg(long, value_name = "NAME")]
    pub nick: Option<String>,

    /// When the terminal's bell rings: for private texts and your nick, for private texts, never
    #[arg(
        long,
        value_name = "mention|private|never",
        hide_possible_values = true,
        default_value = "mention"
    )]
    pub bell: Bell,

    /// What goes wrong on purpose, and what is shown of it.
    #[command(flatten)]
    pub faults: FaultFlags,
}

/// Takes part in a chat until the person or the server ends it.
///
/// # Errors
/// Whatever keeps it from a good end.
pub fn join(flags: &JoinFlags, program: &Program) -> Result<ExitCode, JoinError> {
    let endpoint = flags.client.endpoint(program)?;
    let nick = nick(flags)?;
    let addresses = endpoint.addresses()?;
    let (inputs, received) = mpsc::sync_channel(MAX_INPUTS);
    let stop = Arc::new(AtomicBool::new(false));
    let (over, is_over) = mpsc::channel::<()>();
    let signals = (Arc::clone(&stop), inputs.clone());
    exit_on_stop(move || {
        let (stop, inputs) = signals;
        if echoes() && io::stderr().is_terminal() {
            // Below what is half typed.
            let _ = writeln!(io::stderr());
        }
        stop.store(true, Ordering::Relaxed);
        // A full channel wakes the conversation, too.
        let _ = inputs.try_send(Input::Wake);
        // Its end closes the channel.
        let _ = is_over.recv_timeout(LAST_WORDS);
    })
    .map_err(while_trying("watch for signals"))?;

    let nonces = nonces().map_err(while_trying("draw random numbers"))?;
    let session = Session::new(nick.to_string(), nonces, Instant::now());
    let route = Route::open(addresses, &inputs).map_err(while_trying("open a socket"))?;
    let faults = flags.faults.faults();
    let faults = faults.map_err(while_trying("draw random numbers"))?;
    let parts = Parts {
        session,
        network: Network::new(route, faults, flags.faults.trace),
        inputs: received,
        stop,
    };
    let terminal = Terminal::start(&nick, flags.bell, &inputs);
    let terminal = terminal.map_err(while_trying("use the terminal"))?;
    let end = match terminal {
        Some(terminal) => talk_in_terminal(&nick, parts, terminal),
        None => talk_in_lines(&nick, parts, inputs),
    };
    drop(over);
    let outcome = match end {
        // Who read has seen enough, which is no failure.
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

fn talk_in_terminal(nick: &Nick, parts: Parts, terminal: Terminal) -> Result<Outcome, JoinError> {
    if io::stderr().is_terminal() {
        log::set_boxed_logger(Box::new(terminal.logger())).map_err(|_| LogError::Started)?;
        log::set_max_level(LevelFilter::Info);
    } else {
        log_to_stderr(LevelFilter::Info)?;
    }
    Conversation::new(nick, parts, terminal, None).run()
}

fn talk_in_lines(
    nick: &Nick,
    parts: Parts,
    inputs: SyncSender<Input>,
) -> Result<Outcome, JoinError> {
    log_to_stderr(LevelFilter::Info)?;
    let (turn, turns) = mpsc::channel();
    let start_thread = || while_trying("start a thread");
    let output = PipeOutput::start(io::stdout(), inputs.clone()).map_err(start_thread())?;
    let stdin = BufReader::new(io::stdin());
    read_lines(stdin, turns, inputs).map_err(start_thread())?;
    Conversation::new(nick, parts, output, Some(turn)).run()
}

/// The nick that was given, or is asked for.
fn nick(flags: &JoinFlags) -> Result<Nick, JoinError> {
    if let Some(nick) = &flags.nick {
        return Nick::parse(nick).map_err(|why| JoinError::Nick {
            nick: nick.clone(),
            why,
        });
    }
    let may_ask = match flags.client.endpoint.prompt {
        cli::Prompt::Always => true,
        // Which is about host and port; a nick has no default that would do for all.
        cli::Prompt::Never | cli::Prompt::Auto => {
            io::stdin().is_terminal() && io::stderr().is_terminal()
        }
    };
    if !may_ask {
        let why = "no nick is given, and there is no terminal to ask in; use --nick NAME";
        return Err(JoinError::Usage(UsageError(why.into())));
    }
    let user = std::env::var("USER").ok();
    let default = user.and_then(|user| Nick::parse(&user).ok());
    let default = default.or_else(|| Nick::parse("guest").ok());
    let default = default.expect("guest is a nick");
    ask_on_stdin("Nick", default, Nick::parse).map_err(JoinError::Question)
}

/// Random numbers, one a hello. The first is drawn here, so that a system without any is found out.
fn nonces() -> io::Result<impl FnMut() -> Nonce + Send + 'static> {
    let draw = || {
        let mut bytes = [0; 16];
        SysRng
            .try_fill_bytes(&mut bytes)
            .map_err(io::Error::other)?;
        io::Result::Ok(Nonce::from_bytes(bytes))
    };
    let mut first = Some(draw()?);
    Ok(move || {
        first
            .take()
            .unwrap_or_else(|| draw().expect("the system gave random numbers before"))
    })
}
