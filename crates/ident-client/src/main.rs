//! `ident-client`: is greeted by name, once the server knows it.

use std::process::ExitCode;

use clap::Parser;
use cli::{DialogueClient, Program, StdoutError, TcpClientFlags, TrustFlags, UsageError};
use dialogue::ConsoleError;
use ident_client::{Error, converse};
use proto::Name;
use tls::MaybeTls;

const PROGRAM: Program = Program {
    name: "ident-client",
    default_port: 9190,
};

/// What to do about a server that does not speak TLS.
const IF_PLAINTEXT: &str = "if it was started without --tls, leave out --tls here";

/// Is greeted by an ident server, or gives it a name; then takes commands: whoami, name, rename, forget, help, exit
#[derive(Parser)]
#[command(after_help = "Examples:
  ident-client                         asks for host and port, Enter takes the defaults
  ident-client 192.0.2.7 --name Anna
  ident-client --show-frames           what each message looks like on the wire
  echo whoami | ident-client --name Anna --quiet")]
struct Flags {
    #[command(flatten)]
    tcp: TcpClientFlags,

    /// The answer, should the server ask for a name [default: ask]
    #[arg(long)]
    name: Option<String>,

    /// Print each frame as header and payload, in hex and as text, on stderr
    #[arg(long)]
    show_frames: bool,

    /// Speak TLS 1.3; the server needs --tls too
    #[arg(long)]
    tls: bool,

    #[command(flatten)]
    trust: TrustFlags,
}

impl Flags {
    fn name(&self) -> Result<Option<Name>, UsageError> {
        let name = self.name.as_deref().map(Name::parse).transpose();
        name.map_err(|error| UsageError(format!("--name cannot be a name: {error}")))
    }
}

fn main() -> ExitCode {
    let flags = PROGRAM.parse();
    PROGRAM.run(|| run(&flags))
}

fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let client = DialogueClient::start(&flags.tcp, flags.show_frames)?;
    let name = flags.name()?;
    let endpoint = flags.tcp.client.endpoint(&PROGRAM)?;
    let socket = client.connect(&endpoint)?;
    let mut stream = match flags.tls {
        false => MaybeTls::Plaintext(socket),
        true => {
            let (stream, _) = flags
                .tcp
                .encrypt(socket, &endpoint, &flags.trust, IF_PLAINTEXT)?;
            stream.into()
        }
    };
    client.exit_on_stop()?;
    let session = client.terminal.start()?;
    let console = client.console(session.is_some());
    let traffic = &*client.traffic;
    let end = converse(traffic.watch(&mut stream), name.as_ref(), console, traffic);
    drop(session);
    // It fails when the server is gone, which needs no goodbye.
    let _ = stream.close();
    client.end(end).map_err(|error| match error {
        Error::Console(ConsoleError::Output(error)) => StdoutError(error).into(),
        error => error.into(),
    })
}
