//! `auth-client`: logs in to an auth server, and stays logged in by a token.

use std::io::{IsTerminal, stdin};
use std::path::PathBuf;
use std::process::ExitCode;

use auth_client::{Client, Command, Error, Passwords, Server, TokenFile};
use clap::Parser;
use cli::{DialogueClient, Program, StdoutError, TcpClientFlags, TrustFlags, UsageError};
use dialogue::ConsoleError;
use proto::Name;
use tls::MaybeTls;

const PROGRAM: Program = Program {
    name: "auth-client",
    default_port: 9290,
};

/// What to do about a server that does not speak TLS.
const IF_PLAINTEXT: &str = "is it an auth-server?";

/// Logs in to an auth server, and stays logged in by a token; without a command, takes commands in a dialogue
#[derive(Parser)]
#[command(mut_args(|arg| arg.global(true)), after_help = "Examples:
  auth-client                          asks who you are, then takes commands (help lists them)
  auth-client register --user anna     asks for a password, twice
  auth-client login --user anna --password-stdin < password.txt
  printf 'PASSWORD\\nwhoami\\n' | auth-client --user anna --password-stdin
  auth-client whoami
  auth-client logout --all")]
struct Flags {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    tcp: TcpClientFlags,

    /// Your user name [default: the user of the kept session, or ask]
    #[arg(long, value_name = "NAME")]
    user: Option<String>,

    /// Read passwords from standard input, a line each (passwd: the old one, then the new one); without a command the
    /// first line is the password, needed or not. A terminal is asked without echo, as without this flag
    #[arg(long)]
    password_stdin: bool,

    /// Where tokens are kept [default: socket-lab/tokens.json in $XDG_STATE_HOME or ~/.local/state, on Windows in
    /// %LOCALAPPDATA%]
    #[arg(long, value_name = "PATH")]
    token_file: Option<PathBuf>,

    /// Speak without TLS: others on the network can read passwords and tokens
    #[arg(long)]
    plaintext: bool,

    #[command(flatten)]
    trust: TrustFlags,
}

impl Flags {
    fn tokens(&self) -> Result<TokenFile, UsageError> {
        let path = self.token_file.clone().map(TokenFile::new);
        path.or_else(TokenFile::in_state_folder).ok_or_else(|| {
            UsageError("there is no home folder to keep tokens in; give a --token-file".into())
        })
    }

    fn user(&self) -> Result<Option<Name>, UsageError> {
        let user = self.user.as_deref().map(Name::parse).transpose();
        user.map_err(|error| UsageError(format!("--user cannot be a name: {error}")))
    }
}

fn main() -> ExitCode {
    let flags: Flags = PROGRAM.parse();
    PROGRAM.run(|| run(&flags))
}

fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let client = DialogueClient::start(&flags.tcp, false)?;
    let (user, tokens) = (flags.user()?, flags.tokens()?);
    let endpoint = match flags.command {
        None => flags.tcp.client.endpoint(&PROGRAM)?,
        Some(_) => flags.tcp.client.endpoint_without_asking(&PROGRAM)?,
    };
    let socket = client.connect(&endpoint)?;
    let address = socket.peer_addr()?;
    let (mut stream, server) = match flags.plaintext {
        true => (MaybeTls::Plaintext(socket), Server::Plaintext { address }),
        false => {
            let (stream, fingerprint) =
                flags
                    .tcp
                    .encrypt(socket, &endpoint, &flags.trust, IF_PLAINTEXT)?;
            let server = Server::Tls {
                address,
                fingerprint,
            };
            (stream.into(), server)
        }
    };
    client.exit_on_stop()?;
    // A terminal would show the lines that are passwords.
    let is_input = flags.password_stdin && !stdin().is_terminal();
    let session = match is_input {
        true => None,
        false => client.terminal.start()?,
    };
    let passwords = match session {
        _ if is_input => Passwords::Input,
        Some(_) => Passwords::Terminal(&client.terminal),
        None => Passwords::Nowhere,
    };
    let console = client.console(session.is_some()).without_repeating_lines();
    let traffic = &*client.traffic;
    let watched = traffic.watch(&mut stream);
    let dialogue = Client::new(watched, server, tokens, user, (console, passwords), traffic);
    let end = match flags.command.clone() {
        Some(command) => dialogue.run(command),
        None => dialogue.converse(),
    };
    drop(session);
    // It fails when the server is gone, which needs no goodbye.
    let _ = stream.close();
    client.end(end).map_err(|error| match error {
        Error::Console(ConsoleError::Output(error)) => StdoutError(error).into(),
        error => error.into(),
    })
}
