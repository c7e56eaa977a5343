//! The flags of `udp-chat serve`, and how a server starts from them.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use chat_link::StaticKey;
use clap::Args;
use cli::{Console, Program, ServerFlags, show_fingerprint};
use log::{LevelFilter, error, warn};
use trust::ChatIdentity;

use super::history_file::HistoryFile;
use super::room::{Command, Room, RoomSettings};
use super::server::{ServerHandle, System, serve};
use crate::faults::FaultFlags;

/// The identity file's name, beside the history.
const IDENTITY: &str = "udp-chat.identity";

/// Serves a chat: relays what each member writes to the others
#[derive(Args, Clone, Debug)]
#[command(
    mut_arg("max_clients", |arg| arg.default_value("1000")),
    after_help = "Examples:
  udp-chat serve                       asks for host and port, Enter takes the defaults
  udp-chat serve --host 0.0.0.0 --port 7777 --log-to both
  udp-chat serve --drop 30 --trace     a network at its worst, to be watched in the log"
)]
pub struct ServeFlags {
    #[command(flatten)]
    server: ServerFlags,

    /// Where the last 1,000 texts are kept: JSON Lines, created with its folder
    #[arg(long, value_name = "PATH", default_value = "data/chat-history.jsonl")]
    data_file: PathBuf,

    /// The server's key; made when first needed [default: udp-chat.identity beside the data file]
    #[arg(long, value_name = "PATH")]
    identity: Option<PathBuf>,

    /// Allow sessions without encryption, for lessons with a packet analyser
    #[arg(long)]
    plaintext: bool,

    #[command(flatten)]
    faults: FaultFlags,
}

/// Serves until a signal or the console stops it.
///
/// # Errors
///
/// When a step of the start fails, or the system stops waiting on the socket.
pub fn run_server(flags: &ServeFlags, program: &Program) -> anyhow::Result<ExitCode> {
    let identity = flags
        .identity
        .clone()
        .unwrap_or_else(|| flags.data_file.with_file_name(IDENTITY));
    let files = [flags.data_file.clone(), identity.clone()];
    let server = flags.server.start(program, &files)?;
    let identity =
        ChatIdentity::load_or_create(&identity).inspect_err(|error| error!("{error}"))?;
    if let Some(exposure) = identity.exposure() {
        warn!("{exposure}");
    }
    show_fingerprint(identity.fingerprint());
    let (history, texts) =
        HistoryFile::open(&flags.data_file).inspect_err(|error| error!("{error}"))?;
    let settings = RoomSettings {
        max_members: flags.server.max_clients,
        allow_plaintext: flags.plaintext,
        report_texts: flags.server.log.log_level >= LevelFilter::Debug,
        report_traffic: flags.server.log.log_level >= LevelFilter::Info,
        trace: flags.faults.trace,
    };
    let key = StaticKey::from_private(*identity.private());
    let room = Room::new(settings, key, texts, Box::new(System), Instant::now())?;
    let server = server.bind_udp()?;
    let (handle, orders) = ServerHandle::new(&server.socket)?;
    let faults = flags.faults.faults()?;
    let (socket, running) = server
        .with_console(console(&handle))
        .announce(move || handle.stop())?;
    let totals =
        serve(&socket, room, history, faults, &orders).context("the server's UDP socket failed")?;
    running.stopped(totals);
    Ok(ExitCode::SUCCESS)
}

/// The commands that an operator types in the server's terminal.
fn console(handle: &ServerHandle) -> Console {
    let run = |parse: fn(&str) -> Result<Command, String>| {
        let handle = handle.clone();
        move |arguments: &str| handle.command(parse(arguments)?)
    };
    Console::new()
        .command("who", "lists the members", run(|_| Ok(Command::Who)))
        .command(
            "kick NICK",
            "removes a member",
            run(|nick| Ok(Command::Kick(one(nick)?))),
        )
        .command(
            "ban NICK [MINUTES]",
            "removes a member and excludes its key and address",
            run(ban),
        )
        .command("bans", "lists who is excluded", run(|_| Ok(Command::Bans)))
        .command(
            "unban NICK",
            "lets a banned member join again",
            run(|nick| Ok(Command::Unban(one(nick)?))),
        )
        .command(
            "say TEXT",
            "says something to all members",
            run(|text| Ok(Command::Say(text.to_owned()))),
        )
}

fn ban(arguments: &str) -> Result<Command, String> {
    match arguments.split_once(char::is_whitespace) {
        None => Ok(Command::Ban(one(arguments)?, None)),
        Some((nick, minutes)) => match minutes.trim().parse() {
            Ok(minutes) if minutes > 0 => Ok(Command::Ban(nick.to_owned(), Some(minutes))),
            _ => Err("MINUTES is a whole number above 0".to_owned()),
        },
    }
}

fn one(nick: &str) -> Result<String, String> {
    if nick.is_empty() || nick.contains(char::is_whitespace) {
        return Err("one nick is needed; `who` lists them".to_owned());
    }
    Ok(nick.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_has_a_nick_and_perhaps_minutes() {
        assert_eq!(ban("Eve"), Ok(Command::Ban("Eve".into(), None)));
        assert_eq!(ban("Eve  30"), Ok(Command::Ban("Eve".into(), Some(30))));
        for bad in ["", "Eve 0", "Eve soon", "Eve 1 2"] {
            assert!(ban(bad).is_err(), "{bad}");
        }
    }
}
