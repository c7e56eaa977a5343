//! The command line.

use std::path::PathBuf;

use auth_server::{
    Auth, Cost, MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS, OpenError, PasswordRules, Policy,
    SessionLimits, Transport, throttle_files,
};
use clap::{Parser, Subcommand, ValueEnum};
use cli::{IdentityFlags, Program, TcpServerFlags, UsageError};

/// Authenticates users by password, and keeps their sessions with tokens
#[derive(Parser)]
#[command(after_help = "Examples:
  auth-server                          asks for host and port, Enter takes the defaults
  auth-server --registration closed --session-idle 600
  auth-server user list                the users, while the server is stopped
  auth-server user passwd anna         for a forgotten password: prints a new one
  auth-server user remove anna         removes her with all sessions")]
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

    /// Idle time after which a session ends
    #[arg(long, value_name = "SECONDS", default_value_t = 1_800, value_parser = clap::value_parser!(u32).range(1..))]
    session_idle: u32,

    /// Longest life of a session
    #[arg(long, value_name = "SECONDS", default_value_t = 28_800, value_parser = clap::value_parser!(u32).range(1..))]
    session_max: u32,

    /// Memory of a password hash (argon2id); weaker hashes are replaced at the next login
    #[arg(long, value_name = "KIB", default_value_t = Cost::LEAST.memory_kib())]
    hash_memory_kib: u32,

    /// Passes of a password hash over its memory
    #[arg(long, value_name = "N", default_value_t = Cost::LEAST.passes())]
    hash_passes: u32,

    /// The fewest characters of a new password; NIST requires 15
    #[arg(long, value_name = "N", default_value = MIN_PASSWORD_CHARS.to_string(), value_parser = password_rules)]
    min_password: PasswordRules,

    /// Whether new users may register
    #[arg(
        long,
        value_name = "open|closed",
        hide_possible_values = true,
        default_value = "open"
    )]
    registration: Registration,

    /// Accept clients on other machines without TLS too: their passwords and tokens can be read on the way
    #[arg(long)]
    allow_plaintext: bool,

    #[command(flatten)]
    identity: IdentityFlags,
}

#[derive(Subcommand)]
pub enum Command {
    /// Lists and changes the users in the data file, while the server is stopped
    #[command(subcommand)]
    User(UserCommand),
}

#[derive(Subcommand)]
pub enum UserCommand {
    /// Prints all names
    List,
    /// Gives a user a new random password, prints it, and ends all sessions
    Passwd {
        /// The name, in any case
        name: String,

        /// Take the password from stdin instead: its first line, or at a terminal typed twice without echo
        #[arg(long)]
        password_stdin: bool,
    },
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

    /// All files that the server keeps.
    pub fn files(&self, program: &Program) -> Vec<PathBuf> {
        let file = &self.data_file;
        let mut files = vec![
            file.clone(),
            self.sessions_file(),
            self.identity.path(program, Some(file)),
        ];
        files.extend(throttle_files(file));
        files
    }

    /// Opens the data files, or creates them.
    pub fn open(&self, policy: Policy) -> Result<Auth, OpenError> {
        Auth::open(
            &self.data_file,
            &self.sessions_file(),
            policy,
            self.session_limits(),
        )
    }

    /// Loads or makes the server's key.
    pub fn transport(&self, program: &Program) -> anyhow::Result<Transport> {
        Ok(Transport {
            tls: self.identity.server_tls(program, Some(&self.data_file))?,
            allow_plaintext: self.allow_plaintext,
        })
    }

    pub fn session_limits(&self) -> SessionLimits {
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
            registration_open: self.registration == Registration::Open,
        })
    }
}

fn password_rules(min_chars: &str) -> Result<PasswordRules, String> {
    let rules = min_chars.parse().ok().and_then(PasswordRules::new);
    rules.ok_or_else(|| {
        format!("a number from {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} is needed")
    })
}
