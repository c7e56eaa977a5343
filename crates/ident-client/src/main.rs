//! `ident-client`: is greeted by name, once the server knows it.

use std::io::{BufRead, stderr, stdout};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use cli::{
    Program, StdoutError, TcpClientFlags, TextInput, Traffic, TrustFlags, UsageError, exit_on_stop,
    log_to_person,
};
use ident_client::{Console, Error, converse};
use line_editor::Terminal;
use log::{LevelFilter, info};
use proto::Name;
use tls::MaybeTls;

const PROGRAM: Program = Program {
    name: "ident-client",
    default_port: 9190,
};

/// What to do about a server that does not speak TLS.
const IF_PLAINTEXT: &str = "if it was started without --tls, leave out --tls here";

/// Is greeted by an ident server, or tells it a name; then takes commands: whoami, name, rename, forget, exit
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
    let terminal = Terminal::default();
    if !flags.tcp.quiet {
        log_to_person(LevelFilter::Info, |_| Some(""), terminal.output(stderr()))?;
    }
    let name = flags.name()?;
    let endpoint = flags.tcp.client.endpoint(&PROGRAM)?;
    let socket = flags.tcp.connect(&endpoint)?;
    let (server, local) = (socket.peer_addr()?, socket.local_addr()?);
    socket.set_read_timeout(Some(flags.tcp.timeout()))?;
    socket.set_write_timeout(Some(flags.tcp.timeout()))?;
    info!("connected to {server} from {local}");
    let mut stream = match flags.tls {
        true => {
            let encrypted = flags
                .tcp
                .encrypt(socket, &endpoint, &flags.trust, IF_PLAINTEXT)?;
            encrypted.0.into()
        }
        false => MaybeTls::Plaintext(socket),
    };
    let traffic = Arc::new(Traffic::new(flags.show_frames));
    exit_on_stop({
        let (traffic, terminal) = (Arc::clone(&traffic), terminal.clone());
        move || {
            terminal.break_off();
            info!("disconnected: interrupted; {traffic}");
        }
    })?;

    let session = terminal.start()?;
    let mut input: Box<dyn BufRead> = match &session {
        Some(_) => Box::new(terminal.lines()),
        None => Box::new(TextInput::stdin()),
    };
    let console = Console {
        input: &mut *input,
        output: &mut stdout(),
        errors: &mut stderr(),
        terminal: session.is_some().then_some(&terminal),
    };
    let end = converse(
        traffic.watch(&mut stream),
        name.as_ref(),
        console,
        &*traffic,
    );
    drop(session);
    // A server that is gone needs no goodbye.
    let _ = stream.close();
    match end {
        Ok(()) => {
            info!("disconnected: goodbye was said; {traffic}");
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            info!("disconnected: {error}; {traffic}");
            Err(match error {
                Error::Output(error) => StdoutError(error).into(),
                error => error.into(),
            })
        }
    }
}
