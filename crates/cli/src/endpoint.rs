//! Host and port: from flags, the environment, a person's answers, or the defaults. It opens no sockets.

use std::fmt::{self, Display, Formatter};
use std::io::{BufRead, Write, stderr};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use clap::{Args, ValueEnum};
use thiserror::Error;

use crate::address::{HostPort, parse_host, parse_port, parse_source};
use crate::input::TextInput;
use crate::platform;
use crate::print_stderr::print_stderr;
use crate::program::Program;
use crate::prompt::{AskError, Asked, ask};
use crate::resolve::{self, ResolveError};

const DEFAULT_HOST: &str = "127.0.0.1";

/// How long a server's start and a question wait for the name service: longer than a resolver waits for one name
/// server.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(10);

/// Where to listen or connect.
#[derive(Args, Clone, Debug)]
pub struct EndpointFlags {
    /// Address or name; IPv6 with or without brackets [default: 127.0.0.1]
    #[arg(short = 'H', long, value_parser = parse_host)]
    pub host: Option<String>,

    /// Port
    #[arg(short, long, value_parser = parse_port)]
    pub port: Option<u16>,

    /// Whether to ask for host and port; auto: in a terminal
    #[arg(
        long,
        value_name = "auto|always|never",
        hide_possible_values = true,
        default_value = "auto"
    )]
    pub prompt: Prompt,
}

/// Where a client connects to, and from.
#[derive(Args, Clone, Debug)]
pub struct ClientFlags {
    /// The server: short for --host and --port
    #[arg(value_name = "HOST[:PORT]", conflicts_with = "host", value_parser = HostPort::parse)]
    pub address: Option<HostPort>,

    /// The server.
    #[command(flatten)]
    pub endpoint: EndpointFlags,

    /// Connect from this address of this machine
    #[arg(long, value_name = "ADDRESS", value_parser = parse_source)]
    pub bind: Option<SocketAddr>,
}

/// Whether to ask for what neither flag nor environment gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Prompt {
    /// When stdin and stderr are terminals and the program is in the foreground.
    Auto,
    /// Always; the answers precede the data on stdin.
    Always,
    /// Never.
    Never,
}

/// A host, by name or address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// A name or an address, without brackets.
    pub host: String,
    /// 0 on a server: any free port.
    pub port: u16,
}

impl Prompt {
    /// Whether to ask now.
    pub fn is_on(self) -> bool {
        match self {
            Self::Auto => platform::is_interactive(),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

impl EndpointFlags {
    /// Where a server listens; port 0 is allowed. Asks on stderr if it may, else says there which defaults it takes.
    ///
    /// # Errors
    ///
    /// When an answer is wrong or cannot be read.
    pub fn server(&self, program: &Program) -> Result<Endpoint, EndpointError> {
        self.resolve(program, 0..=u16::MAX)
    }

    /// Where a client connects to. Asks on stderr if it may, else says there which defaults it takes.
    ///
    /// # Errors
    ///
    /// When an answer is wrong or cannot be read, or the port is 0.
    pub fn client(&self, program: &Program) -> Result<Endpoint, EndpointError> {
        if self.port == Some(0) {
            return Err(EndpointError::PortZero);
        }
        self.resolve(program, 1..=u16::MAX)
    }

    fn resolve(
        &self,
        program: &Program,
        ports: RangeInclusive<u16>,
    ) -> Result<Endpoint, EndpointError> {
        let default_port = program.default_port;
        if self.prompt.is_on() {
            let (input, output) = (&mut TextInput::stdin(), &mut stderr());
            return self
                .ask_missing(input, output, Asked::on_stdin(), default_port, ports)
                .map_err(EndpointError::Prompt);
        }
        match (&self.host, self.port) {
            (None, None) => print_stderr(format_args!(
                "using the defaults, host {DEFAULT_HOST} and port {default_port} (--host, --port)"
            )),
            (None, Some(_)) => print_stderr(format_args!(
                "using the default host {DEFAULT_HOST} (--host)"
            )),
            (Some(_), None) => print_stderr(format_args!(
                "using the default port {default_port} (--port)"
            )),
            (Some(_), Some(_)) => {}
        }
        Ok(Endpoint {
            host: self.host.clone().unwrap_or_else(|| DEFAULT_HOST.into()),
            port: self.port.unwrap_or(default_port),
        })
    }

    /// The answer to the question for the host. It cannot hold a port, which has a question or a flag of its own.
    fn answered_host(&self, answer: &str) -> Result<String, String> {
        let has_port = HostPort::parse(answer).is_ok_and(|given| given.port.is_some());
        match self.port {
            _ if !has_port => parse_host(answer),
            None => Err("give the host alone; the port is asked for next".into()),
            Some(_) => Err("give the host alone; --port gave the port".into()),
        }
    }

    /// Asks for what was not given.
    fn ask_missing(
        &self,
        input: &mut impl BufRead,
        output: &mut impl Write,
        asked: Asked,
        default_port: u16,
        ports: RangeInclusive<u16>,
    ) -> Result<Endpoint, AskError> {
        let host = match &self.host {
            Some(host) => host.clone(),
            None => ask(
                input,
                output,
                asked,
                "Host",
                DEFAULT_HOST.into(),
                |answer| {
                    let host = self.answered_host(answer)?;
                    let known = Endpoint { host, port: 0 };
                    match known.addresses() {
                        Ok(_) => Ok(known.host),
                        Err(error) => Err(error.reason),
                    }
                },
            )?,
        };
        let port = match self.port {
            Some(port) => port,
            None => ask(input, output, asked, "Port", default_port, |answer| {
                let port = parse_port(answer).ok();
                port.filter(|port| ports.contains(port)).ok_or_else(|| {
                    let (first, last) = (ports.start(), ports.end());
                    format!("a port is a number from {first} to {last}")
                })
            })?,
        };
        Ok(Endpoint { host, port })
    }
}

impl Endpoint {
    /// All addresses of the host, with the port; at least one. Waits up to 10 s for the name service.
    ///
    /// # Errors
    ///
    /// When the host has no address, or the name service does not answer.
    pub fn addresses(&self) -> Result<Vec<SocketAddr>, ResolveError> {
        self.addresses_within(LOOKUP_TIMEOUT)
    }

    /// [`addresses`](Self::addresses) with another time limit.
    ///
    /// # Errors
    ///
    /// When the host has no address, or the name service does not answer.
    pub fn addresses_within(&self, timeout: Duration) -> Result<Vec<SocketAddr>, ResolveError> {
        resolve::addresses(&self.host, self.port, timeout)
    }
}

impl ClientFlags {
    /// Where to connect to, from the positional address, the flags, answers, or the defaults.
    ///
    /// # Errors
    ///
    /// When an answer is wrong or cannot be read, the port is 0, or two different ports were given.
    pub fn endpoint(&self, program: &Program) -> Result<Endpoint, EndpointError> {
        self.flags()?.client(program)
    }

    /// Like [`endpoint`](Self::endpoint), but takes defaults without asking, unless `--prompt always` is given.
    ///
    /// # Errors
    ///
    /// When the port is 0, or two different ports were given.
    pub fn endpoint_without_asking(&self, program: &Program) -> Result<Endpoint, EndpointError> {
        let mut flags = self.flags()?;
        if flags.prompt == Prompt::Auto {
            flags.prompt = Prompt::Never;
        }
        flags.client(program)
    }

    /// The flags, with what the positional address says.
    fn flags(&self) -> Result<EndpointFlags, EndpointError> {
        let mut flags = self.endpoint.clone();
        if let Some(HostPort { host, port }) = &self.address {
            if port.is_some() && flags.port.is_some_and(|given| Some(given) != *port) {
                return Err(EndpointError::TwoPorts);
            }
            flags.host = Some(host.clone());
            flags.port = port.or(flags.port);
        }
        Ok(flags)
    }
}

/// `127.0.0.1:9090`, `[::1]:9090`, `localhost:9090`
impl Display for Endpoint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Why there is no endpoint.
#[derive(Debug, Error)]
pub enum EndpointError {
    /// A client cannot connect to port 0: wrong usage.
    #[error("cannot connect to port 0, which only a server can have; give the server's --port")]
    PortZero,
    /// `HOST:PORT` and `--port` differ: wrong usage.
    #[error("HOST:PORT and --port give different ports; give the port once")]
    TwoPorts,
    /// The questions for host and port were not answered.
    #[error("{0}; use --host, --port and --prompt never")]
    Prompt(AskError),
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: RangeInclusive<u16> = 1..=u16::MAX;
    const PROGRAM: Program = Program {
        name: "test",
        default_port: 9090,
    };

    fn flags(host: Option<&str>, port: Option<u16>) -> EndpointFlags {
        EndpointFlags {
            host: host.map(Into::into),
            port,
            prompt: Prompt::Always,
        }
    }

    fn asked_for(
        flags: &EndpointFlags,
        mut input: &[u8],
        ports: RangeInclusive<u16>,
    ) -> (String, String) {
        let mut output = Vec::new();
        let endpoint = flags
            .ask_missing(&mut input, &mut output, Asked::Person, 9090, ports)
            .unwrap();
        assert_eq!(input, b"data\n", "what follows the answers is left");
        (endpoint.to_string(), String::from_utf8(output).unwrap())
    }

    #[test]
    fn host_then_port_are_asked_for() {
        let (endpoint, shown) = asked_for(&flags(None, None), b"[::1]\n9191\ndata\n", ANY);
        assert_eq!(endpoint, "[::1]:9191");
        assert_eq!(shown, "Host [127.0.0.1]: Port [9090]: ");
        let (endpoint, _) = asked_for(&flags(None, None), b"\n\ndata\n", ANY);
        assert_eq!(endpoint, "127.0.0.1:9090");
    }

    #[test]
    fn what_is_given_is_not_asked_for() {
        let (endpoint, shown) = asked_for(&flags(Some("::1"), None), b"9191\ndata\n", ANY);
        assert_eq!(
            (endpoint.as_str(), shown.as_str()),
            ("[::1]:9191", "Port [9090]: ")
        );
        let (endpoint, shown) = asked_for(&flags(Some("::1"), Some(1)), b"data\n", ANY);
        assert_eq!((endpoint.as_str(), shown.as_str()), ("[::1]:1", ""));
    }

    #[test]
    fn bad_answers_are_explained() {
        let input = b"two words\n127.0.0.1:80\n9191\n127.0.0.1\n99999\n0\n-1\n9191\ndata\n";
        let (endpoint, shown) = asked_for(&flags(None, None), input, ANY);
        assert_eq!(endpoint, "127.0.0.1:9191");
        for expected in [
            "\"two words\": a host has no spaces",
            "\"127.0.0.1:80\": give the host alone; the port is asked for next",
            "\"9191\": this is a number, not a host",
        ] {
            assert!(shown.contains(expected), "{shown}");
        }
        assert_eq!(
            shown.matches("a port is a number from 1 to 65535").count(),
            3
        );
        let (endpoint, _) = asked_for(&flags(None, None), b"\n0\ndata\n", 0..=u16::MAX);
        assert_eq!(endpoint, "127.0.0.1:0", "a server may have any free port");
        let (_, shown) = asked_for(&flags(None, Some(1)), b"[::1]:80\n::1\ndata\n", ANY);
        assert!(shown.contains("give the host alone; --port gave the port"));
    }

    #[test]
    fn an_unknown_host_is_named_once() {
        let (_, shown) = asked_for(
            &flags(None, None),
            b"no-such-host.invalid\n::1\n\ndata\n",
            ANY,
        );
        assert_eq!(shown.matches("no-such-host").count(), 1, "{shown}");
    }

    #[test]
    fn a_pipe_answers_each_question_once() {
        let mut output = Vec::new();
        let mut input = &b"9191\n127.0.0.1\n9191\n"[..];
        let answered =
            flags(None, None).ask_missing(&mut input, &mut output, Asked::Pipe, 9090, ANY);
        let error = EndpointError::Prompt(answered.unwrap_err()).to_string();
        assert!(
            error.starts_with("\"9191\" is no answer to the question Host: "),
            "{error}"
        );
        assert!(
            error.ends_with("use --host, --port and --prompt never"),
            "{error}"
        );
        assert_eq!(input, b"127.0.0.1\n9191\n");
    }

    fn client(address: &str, port: Option<u16>) -> Result<Endpoint, EndpointError> {
        let flags = ClientFlags {
            address: Some(HostPort::parse(address).unwrap()),
            endpoint: flags(None, port),
            bind: None,
        };
        let mut flags = flags.flags()?;
        flags.prompt = Prompt::Never;
        flags.client(&PROGRAM)
    }

    #[test]
    fn a_positional_address_gives_host_and_port() {
        assert_eq!(client("[::1]:7", None).unwrap().to_string(), "[::1]:7");
        assert_eq!(client("::1", Some(8)).unwrap().to_string(), "[::1]:8");
        assert_eq!(client("::1", None).unwrap().to_string(), "[::1]:9090");
        assert_eq!(
            client("::1", Some(0)).unwrap_err().to_string()[..29],
            *"cannot connect to port 0, whi"
        );
        assert!(matches!(
            client("[::1]:0", None),
            Err(EndpointError::PortZero)
        ));
        assert!(matches!(
            client("[::1]:7", Some(8)),
            Err(EndpointError::TwoPorts)
        ));
        assert!(client("[::1]:7", Some(7)).is_ok());
    }
}
