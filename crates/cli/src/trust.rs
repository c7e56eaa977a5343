//! Flags and words of trust on first use: which key a server has, and which server a client trusts. It makes no
//! handshake.

use std::error::Error;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use ::trust::{
    Ask, FileError, Fingerprint, KnownServers, Protocol, Question, ServerId, TlsIdentity, Trust,
    TrustPolicy,
};
use clap::Args;
use dialogue::read_line;
use log::{info, warn};
use tls::{ServerTls, key_log_warning};

use crate::endpoint::{Endpoint, Prompt};
use crate::input::TextInput;
use crate::print_stderr::print_stderr;
use crate::program::Program;

/// The folder of identity files of servers that have no data file.
const DATA_FOLDER: &str = "data";

/// The flags of clients that verify a server's key.
#[derive(Args, Clone, Debug)]
pub struct TrustFlags {
    /// Trust only the server with this fingerprint, and remember it; the server prints it when it starts
    #[arg(long, value_name = "FINGERPRINT")]
    fingerprint: Option<Fingerprint>,

    /// What to do with an unknown server: ask (on loopback accept it), new: accept it, known: refuse it. A changed key
    /// is always refused
    #[arg(long = "trust", value_name = "ask|new|known", default_value_t)]
    policy: TrustPolicy,
}

impl TrustFlags {
    /// What these flags trust, with the known servers in the user's state folder. Warns on stderr if others could
    /// change them.
    ///
    /// # Errors
    ///
    /// When there is no such folder, or the file in it cannot be opened.
    pub fn trust(&self) -> Result<Trust, FileError> {
        let known = KnownServers::in_state_folder()?;
        let exposure = known.make_private()?;
        print_warning(exposure.map(|exposure| {
            format!("{exposure}; check the fingerprints in it if others could change them")
        }));
        Ok(Trust {
            policy: self.policy,
            pinned: self.fingerprint,
            known,
        })
    }

    /// Calls `connect` with the server's id, what these flags trust, and how to ask a person, if `prompt` allows it.
    ///
    /// # Errors
    ///
    /// That of `connect`, and those of [`trust`](Self::trust).
    pub fn with_trust<T, E: Error + Send + Sync + 'static>(
        &self,
        endpoint: &Endpoint,
        prompt: Prompt,
        connect: impl FnOnce(&ServerId, &Trust, Option<Ask<'_>>) -> Result<T, E>,
    ) -> anyhow::Result<T> {
        let server = ServerId::new(Protocol::Tcp, &endpoint.host, endpoint.port);
        let (trust, mut ask) = (self.trust()?, ask_to_trust);
        let ask: Option<Ask<'_>> = if prompt.is_on() { Some(&mut ask) } else { None };
        Ok(connect(&server, &trust, ask)?)
    }
}

/// Asks a person at the terminal whether to trust a server. Enter alone and the end of input mean no.
///
/// # Errors
///
/// When the question cannot be shown or the answer not be read.
pub fn ask_to_trust(question: &Question) -> io::Result<bool> {
    ask(&mut TextInput::stdin(), &mut io::stderr(), question)
}

fn ask(input: &mut impl BufRead, output: &mut impl Write, question: &Question) -> io::Result<bool> {
    write!(output, "{question}")?;
    output.flush()?;
    loop {
        let answer = match read_line(input)? {
            None => {
                writeln!(output)?;
                return Ok(false);
            }
            Some(line) => line.unwrap_or_default(),
        };
        if let Some(answer) = yes_or_no(&answer) {
            return Ok(answer);
        }
        write!(output, "Answer y or n: ")?;
        output.flush()?;
    }
}

/// What an answer to `[y/N]` means: `None` if it is neither yes nor no. Enter alone means no.
#[must_use]
pub fn yes_or_no(answer: &str) -> Option<bool> {
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Some(true),
        "" | "n" | "no" => Some(false),
        _ => None,
    }
}

/// The flag of servers that have a key.
#[derive(Args, Clone, Debug)]
pub struct IdentityFlags {
    /// File with the server's secret key, made when it is first needed [default: PROGRAM.identity beside the data file,
    /// else in data]
    #[arg(long, value_name = "PATH")]
    identity: Option<PathBuf>,
}

impl IdentityFlags {
    /// Where the key is kept.
    #[must_use]
    pub fn path(&self, program: &Program, data_file: Option<&Path>) -> PathBuf {
        let name = format!("{}.identity", program.name);
        let beside = || match data_file {
            Some(file) => file.with_file_name(&name),
            None => Path::new(DATA_FOLDER).join(&name),
        };
        self.identity.clone().unwrap_or_else(beside)
    }

    /// Loads or makes a TLS server's identity, and shows its fingerprint on stderr and in the log. Call it when the log
    /// is started.
    ///
    /// # Errors
    ///
    /// When the file cannot be used.
    pub fn server_tls(
        &self,
        program: &Program,
        data_file: Option<&Path>,
    ) -> anyhow::Result<ServerTls> {
        if let Some(warning) = key_log_warning() {
            warn!("{warning}");
        }
        let identity = TlsIdentity::load_or_create(&self.path(program, data_file));
        let identity = identity.inspect_err(|error| log::error!("{error}"))?;
        if let Some(exposure) = identity.exposure() {
            warn!("{exposure}");
        }
        show_fingerprint(identity.fingerprint());
        Ok(ServerTls::new(&identity)?)
    }
}

/// The flags of servers that speak TLS only if asked to.
#[derive(Args, Clone, Debug)]
pub struct TlsFlags {
    /// Speak TLS 1.3 only; the client needs --tls too
    #[arg(long)]
    tls: bool,

    #[command(flatten)]
    identity: IdentityFlags,
}

impl TlsFlags {
    /// Where the key is kept.
    #[must_use]
    pub fn path(&self, program: &Program, data_file: Option<&Path>) -> PathBuf {
        self.identity.path(program, data_file)
    }

    /// [`IdentityFlags::server_tls`], or `None` without `--tls`.
    ///
    /// # Errors
    ///
    /// When the identity file cannot be used.
    pub fn server_tls(
        &self,
        program: &Program,
        data_file: Option<&Path>,
    ) -> anyhow::Result<Option<ServerTls>> {
        let load = || self.identity.server_tls(program, data_file);
        self.tls.then(load).transpose()
    }
}

/// Shows a server's fingerprint on stderr and in the log, so that its users can compare it.
pub fn show_fingerprint(fingerprint: Fingerprint) {
    print_stderr(format_args!(
        "the fingerprint of this server is {fingerprint}"
    ));
    info!("the fingerprint of this server is {fingerprint}");
}

/// Shows a warning on stderr, if there is one, whether service messages are shown or not.
pub(crate) fn print_warning(warning: Option<String>) {
    if let Some(warning) = warning {
        print_stderr(format_args!("warning: {warning}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> Question {
        let server = ServerId::new(Protocol::Tcp, "192.0.2.7", 9290);
        Question::new(server, Fingerprint::of_spki(b"key"))
    }

    #[test]
    fn only_yes_is_yes() {
        for (input, expected, rest) in [
            ("y\nmore\n", true, "more\n"),
            (" YES \r\n", true, ""),
            ("\nmore\n", false, "more\n"),
            ("n\n", false, ""),
            ("", false, ""),
            ("maybe\n\u{1b}[2J\nyes\n", true, ""),
            ("yep\n", false, ""),
        ] {
            let (mut input, mut output) = (input.as_bytes(), vec![]);
            assert_eq!(
                ask(&mut input, &mut output, &question()).unwrap(),
                expected,
                "{input:?}"
            );
            assert_eq!(input, rest.as_bytes());
            assert!(!output.contains(&0x1b));
        }
    }

    #[test]
    fn the_identity_is_beside_the_data() {
        let path = |identity: Option<&str>, data: Option<&str>| {
            let flags = IdentityFlags {
                identity: identity.map(PathBuf::from),
            };
            let program = Program {
                name: "auth-server",
                default_port: 1,
            };
            flags.path(&program, data.map(Path::new))
        };
        assert_eq!(
            path(None, Some("x/users.jsonl")),
            Path::new("x/auth-server.identity")
        );
        assert_eq!(
            path(None, Some("users.jsonl")),
            Path::new("auth-server.identity")
        );
        assert_eq!(path(None, None), Path::new("data/auth-server.identity"));
        assert_eq!(path(Some("k"), Some("x/users.jsonl")), Path::new("k"));
    }
}
