//! The flags of `udp-chat join`, and the question for a nick.

use std::env;

use chat_link::message::MAX_HISTORY_TEXTS;
use clap::Args;
use cli::{ClientFlags, TrustFlags, UsageError, ask_on_stdin};

use super::error::JoinError;
use super::terminal::Bell;
use crate::faults::FaultFlags;
use crate::nick::Nick;

/// Takes part in a chat, in a terminal or line by line in a pipe
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  udp-chat join                        asks for host, port and nick
  udp-chat join 192.0.2.7 --nick Anna
  seq 1 9 | udp-chat join --nick bot   each line is a message; status 0 once all are confirmed
                                       (past the first 50, 20 messages a second are sent)
  udp-chat join --nick bot --json      one JSON object a line, with times
  udp-chat join --nick Anna --drop 30 --trace 2> trace.log")]
pub struct JoinFlags {
    /// Where the chat is.
    #[command(flatten)]
    pub client: ClientFlags,

    /// The name to be known by; asked for in a terminal
    #[arg(long, value_name = "NAME")]
    pub nick: Option<String>,

    /// How many earlier texts to show on joining
    #[arg(
        long, value_name = "N", default_value_t = 50,
        value_parser = clap::value_parser!(u16).range(0..=MAX_HISTORY_TEXTS as i64)
    )]
    pub history: u16,

    /// When the terminal's bell rings: for private texts and your nick, for private texts, never
    #[arg(
        long,
        value_name = "mention|private|never",
        hide_possible_values = true,
        default_value = "mention"
    )]
    pub bell: Bell,

    /// Show the conversation as one JSON object a line
    #[arg(long)]
    pub json: bool,

    /// Which server's key is trusted.
    #[command(flatten)]
    pub trust: TrustFlags,

    /// Speak without encryption, to be read in a packet analyser; the server must allow it
    #[arg(long)]
    pub plaintext: bool,

    /// What goes wrong on purpose, and what is shown of it.
    #[command(flatten)]
    pub faults: FaultFlags,
}

/// A nick, and whether a person was asked for it.
pub(super) struct ChosenNick {
    pub(super) nick: Nick,
    pub(super) was_asked: bool,
}

impl JoinFlags {
    /// The nick that was given, or is asked for.
    pub(super) fn choose_nick(&self) -> Result<ChosenNick, JoinError> {
        if let Some(nick) = &self.nick {
            let parsed = Nick::parse(nick).map_err(|why| JoinError::Nick {
                nick: nick.clone(),
                why,
            });
            return Ok(ChosenNick {
                nick: parsed?,
                was_asked: false,
            });
        }
        if !self.client.endpoint.prompt.is_on() {
            let why = "no nick is given, and nobody is asked for one; use --nick NAME";
            return Err(JoinError::Usage(UsageError(why.into())));
        }
        let user = env::var("USER").or_else(|_| env::var("USERNAME")).ok();
        let default = user.and_then(|user| Nick::parse(&user).ok());
        let default = default.or_else(|| Nick::parse("guest").ok());
        let default = default.expect("guest is a nick");
        let nick = ask_on_stdin("Nick", default, Nick::parse).map_err(JoinError::Question)?;
        Ok(ChosenNick {
            nick,
            was_asked: true,
        })
    }
}
