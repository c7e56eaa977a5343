//! What may be said on the command line.

use std::path::PathBuf;

use auth_server::{
    Cost, MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS, PasswordRules, Policy, SessionLimits,
};
use clap::{Parser, Subcommand, ValueEnum};
use cli::{PlaintextFlags, TcpServerFlags, UsageError};

/// Keeps users with their passwords, and sessions that go on by a token
#[derive(Parser)]
#[command(after_help = "Examples:
  auth-server                          asks for host and port, Enter takes the defaults
  auth-server --registration closed --session-idle 600
  auth-server user list                the users, while the server is stopped
  auth-server user remove anna         for a forgotten password: she can register again")]
pub struct Flags {
    #[command(subcommand)]
    pub command: Option<Command>,

    #[command(flatten)]
    pub tcp: TcpServerFlags,

    /// Where the users are kept: JSON Lines, created with its folder
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        default_value = "data/users.jsonl"
    )]
    pub data_file: PathBuf,

    /// Where the sessions are kept [default: sessions.jsonl beside the data file]
    #[arg(long, global = true, value_name = "PATH")]
    sessions_file: Option<PathBuf>,

    /// A session ends when nothing is heard from it for so long
    #[arg(long, value_name = "SECONDS", default_value_t = 1_800, value_parser = clap::value_parser!(u32).range(1..))]
    session_idle: u32,

    /// A session ends after so long, whatever is heard from it
    #[arg(long, value_name = "SECONDS", default_value_t = 28_800, value_parser = clap::value_parser!(u32).range(1..))]
    session_max: u32,

    /// Memory of a password hash (argon2id); weaker hashes are replaced at the next login
    #[arg(long, value_name = "KIB", default_value_t = Cost::LEAST.memory_kib())]
    hash_memory_kib: u32,

    /// Passes of a password hash over its memory
    #[arg(long, value_name = "N", default_value_t = Cost::LEAST.passes())]
    hash_passes: u32,

    /// The fewest characters of a new password; NIST advises 15
    #[arg(long, value_name = "N", default_value = MIN_PASSWORD_CHARS.to_string(), value_parser = password_rules)]
    min_password: PasswordRules,

    /// Whether anybody may register
    #[arg(
        long,
        value_name = "open|closed",
        hide_possible_values = true,
        default_value = "open"
    )]
    registration: Registration,

    #[command(flatten)]
    pub plaintext: PlaintextFlags,
}

#[derive(Subcommand)]
pub enum Command {
    /// The users in the data file, while the server is stopped
    #[command(subcommand)]
    User(UserCommand),
}

#[derive(Subcommand)]
pub enum UserCommand {
    /// Prints all names
    List,
    /// Removes a user with all sessions
    Remove {
        /// The name, in any case
        name: String,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Registration {
    Open,
    Closed,
}

impl Flags {
    pub fn sessions_file(&self) -> PathBuf {
        let beside = || self.data_file.with_file_name("sessions.jsonl");
        self.sessions_file.clone().unwrap_or_else(beside)
    }

    pub fn limits(&self) -> SessionLimits {
        SessionLimits {
            idle: self.session_idle.into(),
            max: self.session_max.into(),
        }
    }

    pub fn policy(&self) -> Result<Policy, UsageError> {
        let cost = Cost::new(self.hash_memory_kib, self.hash_passes);
        Ok(Policy {
            cost: cost.map_err(|error| {
                UsageError(format!("--hash-memory-kib and --hash-passes: {error}"))
            })?,
            rules: self.min_password,
            is_open: self.registration == Registration::Open,
        })
    }
}

fn password_rules(min_chars: &str) -> Result<PasswordRules, String> {
    let rules = min_chars.parse().ok().and_then(PasswordRules::new);
    rules.ok_or_else(|| {
        format!("a number from {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} is needed")
    })
}
