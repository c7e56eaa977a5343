//! Host and port: from flags, the environment, a person's answers, or the defaults. It opens no sockets.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::io::{self, BufRead, IsTerminal, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::ops::RangeInclusive;

use clap::{Args, ValueEnum};

use crate::program::Program;
use crate::prompt::ask;
use crate::reason::Reason;
use crate::say::say;

const DEFAULT_HOST: &str = "127.0.0.1";
/// The longest name that DNS knows (RFC 1035, section 2.3.4, less its two length bytes).
const MAX_HOST_BYTES: usize = 253;

/// Where to listen or connect.
#[derive(Args, Clone, Debug)]
pub struct EndpointFlags {
    /// Address or name; IPv6 with or without brackets [default: 127.0.0.1]
    #[arg(long, value_parser = parse_host)]
    pub host: Option<String>,

    /// Port
    #[arg(long)]
    pub port: Option<u16>,

    /// Whether to ask for host and port; auto: when stdin and stderr are terminals
    #[arg(
        long,
        value_name = "auto|always|never",
        hide_possible_values = true,
        default_value = "auto"
    )]
    pub prompt: Prompt,
}

/// Whether to ask for what neither flag nor environment gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Prompt {
    /// When stdin and stderr are terminals.
    Auto,
    /// Always; the answers stand in stdin ahead of the data.
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

impl EndpointFlags {
    /// Where a server is to listen; port 0 is allowed. Asks on stderr if it may, else says there which defaults it takes.
    ///
    /// # Errors
    /// When stdin cannot be read.
    pub fn server(&self, program: &Program) -> Result<Endpoint, EndpointError> {
        self.resolve(program, 0..=u16::MAX)
    }

    /// Where a client is to connect. Asks on stderr if it may, else says there which defaults it takes.
    ///
    /// # Errors
    /// When stdin cannot be read or `--port 0` was given.
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
        let ask = match self.prompt {
            Prompt::Auto => io::stdin().is_terminal() && io::stderr().is_terminal(),
            Prompt::Always => true,
            Prompt::Never => false,
        };
        let default_port = program.default_port;
        if ask {
            // Stdin's buffer is the process's: what follows the answers is there for whoever reads stdin next.
            let (input, output) = (&mut io::stdin().lock(), &mut io::stderr());
            return self
                .interview(input, output, default_port, ports)
                .map_err(EndpointError::Interview);
        }
        match (&self.host, self.port) {
            (None, None) => say(format_args!(
                "using the defaults, host {DEFAULT_HOST} and port {default_port} (--host, --port)"
            )),
            (None, Some(_)) => say(format_args!(
                "using the default host {DEFAULT_HOST} (--host)"
            )),
            (Some(_), None) => say(format_args!(
                "using the default port {default_port} (--port)"
            )),
            (Some(_), Some(_)) => {}
        }
        Ok(Endpoint {
            host: self.host.clone().unwrap_or_else(|| DEFAULT_HOST.into()),
            port: self.port.unwrap_or(default_port),
        })
    }

    /// Asks for what was not given.
    fn interview(
        &self,
        input: &mut impl BufRead,
        output: &mut impl Write,
        default_port: u16,
        ports: RangeInclusive<u16>,
    ) -> io::Result<Endpoint> {
        let host = match &self.host {
            Some(host) => host.clone(),
            None => ask(input, output, "Host", DEFAULT_HOST.into(), |answer| {
                let host = parse_host(answer)?;
                let known = Endpoint { host, port: 0 };
                known.addresses().map_err(|error| error.to_string())?;
                Ok::<_, String>(known.host)
            })?,
        };
        let port = match self.port {
            Some(port) => port,
            None => ask(input, output, "Port", default_port, |answer| {
                let port = answer.parse().ok().filter(|port| ports.contains(port));
                port.ok_or_else(|| {
                    format!(
                        "a port is a number from {} to {}",
                        ports.start(),
                        ports.end()
                    )
                })
            })?,
        };
        Ok(Endpoint { host, port })
    }
}

impl Endpoint {
    /// All addresses of the host, with the port; at least one. Asks the system's resolver, which may take seconds.
    ///
    /// # Errors
    /// When the host has none.
    pub fn addresses(&self) -> Result<Vec<SocketAddr>, ResolveError> {
        let found = (self.host.as_str(), self.port).to_socket_addrs();
        let found = found
            .map(Iterator::collect::<Vec<_>>)
            .and_then(|addresses| {
                let none = || io::Error::new(io::ErrorKind::NotFound, "it has no address");
                (!addresses.is_empty())
                    .then_some(addresses)
                    .ok_or_else(none)
            });
        found.map_err(|source| ResolveError {
            host: self.host.clone(),
            source,
        })
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

/// A host as the resolver wants it, without brackets. Whether it exists is the resolver's to say.
fn parse_host(text: &str) -> Result<String, String> {
    let bracketed = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let host = bracketed.unwrap_or(text);
    let inner_brackets = host.contains(['[', ']']);
    if host.is_empty() {
        Err("a host is a name or an address".into())
    } else if host.len() > MAX_HOST_BYTES {
        Err(format!("a host has at most {MAX_HOST_BYTES} bytes"))
    } else if inner_brackets || bracketed.is_some() && !host.contains(':') {
        Err(
            "brackets are for an IPv6 address alone, as in [::1]; the port is a flag of its own"
                .into(),
        )
    } else if bracketed.is_none() && host.matches(':').count() == 1 {
        Err("the port is a flag of its own".into())
    } else if host.contains(|c: char| c.is_whitespace() || c.is_control()) {
        Err("a host has no spaces and no control characters".into())
    } else {
        Ok(host.into())
    }
}

/// Why there is no endpoint.
#[derive(Debug)]
pub enum EndpointError {
    /// A client was told to connect to port 0: wrong usage.
    PortZero,
    /// The questions could not be asked, or the answers not be read.
    Interview(io::Error),
}

impl Display for EndpointError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::PortZero => f.write_str(
                "cannot connect to port 0: only a server may have it; give the server's --port",
            ),
            Self::Interview(source) => {
                write!(
                    f,
                    "cannot ask for host and port: {}; use --host, --port and --prompt never",
                    Reason(source)
                )
            }
        }
    }
}

impl Error for EndpointError {}

/// A host that has no address.
#[derive(Debug)]
pub struct ResolveError {
    /// As it was given.
    pub host: String,
    /// What the system said.
    pub source: io::Error,
}

impl Display for ResolveError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (host, why) = (&self.host, Reason(&self.source));
        write!(
            f,
            "cannot find the host {host}: {why}; check its spelling, or give an address"
        )
    }
}

impl Error for ResolveError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(host: Option<&str>, port: Option<u16>) -> EndpointFlags {
        EndpointFlags {
            host: host.map(Into::into),
            port,
            prompt: Prompt::Always,
        }
    }

    fn interview(
        flags: &EndpointFlags,
        mut input: &[u8],
        ports: RangeInclusive<u16>,
    ) -> (String, String) {
        let mut output = Vec::new();
        let endpoint = flags
            .interview(&mut input, &mut output, 9090, ports)
            .unwrap();
        assert_eq!(input, b"data\n", "what follows the answers is left");
        (endpoint.to_string(), String::from_utf8(output).unwrap())
    }

    #[test]
    fn host_then_port_are_asked_for() {
        let (endpoint, said) = interview(&flags(None, None), b"[::1]\n9191\ndata\n", 1..=u16::MAX);
        assert_eq!(endpoint, "[::1]:9191");
        assert_eq!(said, "Host [127.0.0.1]: Port [9090]: ");
        let (endpoint, _) = interview(&flags(None, None), b"\n\ndata\n", 1..=u16::MAX);
        assert_eq!(endpoint, "127.0.0.1:9090");
    }

    #[test]
    fn what_is_given_is_not_asked_for() {
        let (endpoint, said) = interview(&flags(Some("::1"), None), b"9191\ndata\n", 1..=u16::MAX);
        assert_eq!(
            (endpoint.as_str(), said.as_str()),
            ("[::1]:9191", "Port [9090]: ")
        );
        let (endpoint, said) = interview(&flags(Some("::1"), Some(1)), b"data\n", 1..=u16::MAX);
        assert_eq!((endpoint.as_str(), said.as_str()), ("[::1]:1", ""));
    }

    #[test]
    fn bad_answers_are_explained() {
        let input = b"two words\n127.0.0.1:80\n127.0.0.1\n99999\n0\n-1\n9191\ndata\n";
        let (endpoint, said) = interview(&flags(None, None), input, 1..=u16::MAX);
        assert_eq!(endpoint, "127.0.0.1:9191");
        assert!(
            said.contains("\"two words\": a host has no spaces"),
            "{said}"
        );
        assert!(
            said.contains("\"127.0.0.1:80\": the port is a flag of its own"),
            "{said}"
        );
        assert_eq!(
            said.matches("a port is a number from 1 to 65535").count(),
            3
        );
        let (endpoint, _) = interview(&flags(None, None), b"\n0\ndata\n", 0..=u16::MAX);
        assert_eq!(endpoint, "127.0.0.1:0", "a server may have any free port");
    }

    #[test]
    fn hosts_are_checked_before_the_resolver_sees_them() {
        assert_eq!(parse_host("[::1]").unwrap(), "::1");
        assert_eq!(parse_host("fe80::1%eth0").unwrap(), "fe80::1%eth0");
        assert_eq!(parse_host("örtlich.example").unwrap(), "örtlich.example");
        let long = "x".repeat(254);
        for wrong in [
            "",
            "[]",
            "[",
            "[::1",
            "[localhost]",
            "[::1]:9090",
            "a b",
            "a\0b",
            "a\x1bb",
            &long,
        ] {
            assert!(parse_host(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_host_without_address_is_named() {
        let endpoint = Endpoint {
            host: "no host".into(),
            port: 1,
        };
        let error = endpoint.addresses().unwrap_err().to_string();
        assert!(
            error.starts_with("cannot find the host no host: "),
            "{error}"
        );
        assert!(!error.contains("os error"), "{error}");
    }

    #[test]
    fn a_client_cannot_connect_to_port_0() {
        let program = Program {
            name: "test",
            default_port: 1,
        };
        let client = flags(None, Some(0)).client(&program);
        assert!(matches!(client, Err(EndpointError::PortZero)));
    }
}
