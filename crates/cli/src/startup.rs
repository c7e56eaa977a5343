//! How every TCP server begins: where to listen, the log, the port, and the first service messages. What a server needs besides
//! is not known here; it comes between the log and the port, so that a server that cannot serve never listens.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::io;
use std::net::{SocketAddr, TcpListener};

use log::{info, warn};

use crate::descriptors::raise_descriptor_limit;
use crate::endpoint::{Endpoint, EndpointError};
use crate::flags::TcpServerFlags;
use crate::listen::{ListenError, announce, listen};
use crate::messages::{LogError, LogGuard};
use crate::program::Program;
use crate::reason::Reason;
use crate::stop::on_stop;

/// A server that has its log, and does not listen yet.
pub struct LoggedServer {
    endpoint: Endpoint,
    is_strict: bool,
    program: Program,
    log: LogGuard,
}

/// A server that listens, and has not told of it on stdout yet.
pub struct BoundServer {
    /// What it listens on.
    pub listener: TcpListener,
    program: Program,
    address: SocketAddr,
    log: LogGuard,
}

impl TcpServerFlags {
    /// [Starts](Self::start) and [listens](LoggedServer::listen).
    ///
    /// # Errors
    /// That of the step that fails.
    pub fn open(&self, program: &Program) -> Result<BoundServer, StartupError> {
        self.start(program)?.listen()
    }

    /// Asks where to listen if it should, and starts the log. Until the server is announced, warnings that go to the log file
    /// are told on stderr, too.
    ///
    /// # Errors
    /// That of the step that fails.
    pub fn start(&self, program: &Program) -> Result<LoggedServer, StartupError> {
        let endpoint = self.server.endpoint.server(program)?;
        let log = self.server.log.start(program)?;
        log.warn_aloud(true);
        info!(
            "server started: {} {}",
            program.name,
            env!("CARGO_PKG_VERSION")
        );
        match raise_descriptor_limit() {
            Ok(limit) => info!("up to {limit} files and connections may be open"),
            Err(error) => warn!("cannot raise the limit of open files: {error}"),
        }
        Ok(LoggedServer {
            endpoint,
            is_strict: self.server.strict_port,
            program: *program,
            log,
        })
    }
}

impl LoggedServer {
    /// Where it is to listen, unless the port is taken.
    ///
    /// # Errors
    /// When the host has no address.
    pub fn address(&self) -> Result<SocketAddr, ListenError> {
        let addresses = self.endpoint.addresses().map_err(ListenError::Resolve);
        Ok(addresses.inspect_err(|error| log::error!("{error}"))?[0])
    }

    /// Listens.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn listen(self) -> Result<BoundServer, StartupError> {
        let listener =
            listen(&self.endpoint, self.is_strict).inspect_err(|error| log::error!("{error}"))?;
        let address = listener.local_addr().map_err(StartupError::Address)?;
        match self.endpoint.port {
            wish if wish == 0 || wish == address.port() => info!("listening on {address}"),
            wish => info!("listening on {address}, since port {wish} is taken"),
        }
        Ok(BoundServer {
            listener,
            program: self.program,
            address,
            log: self.log,
        })
    }
}

impl BoundServer {
    /// Calls `stop` at the first stop signal, and tells on stdout that clients are accepted. Gives
    /// the listener, and the log to end when the server has.
    ///
    /// # Errors
    /// When the system refuses to tell of signals.
    pub fn announce(
        self,
        stop: impl FnOnce() + Send + 'static,
    ) -> io::Result<(TcpListener, LogGuard)> {
        on_stop(stop)?;
        announce(&self.program, self.address);
        self.log.warn_aloud(false);
        Ok((self.listener, self.log))
    }
}

/// Why a server did not begin.
#[derive(Debug)]
pub enum StartupError {
    /// It is not known where to listen.
    Endpoint(EndpointError),
    /// The log cannot be written.
    Log(LogError),
    /// The address cannot be listened on.
    Listen(ListenError),
    /// The system does not tell the address.
    Address(io::Error),
}

impl Display for StartupError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint(error) => error.fmt(f),
            Self::Log(error) => error.fmt(f),
            Self::Listen(error) => error.fmt(f),
            Self::Address(error) => write!(f, "cannot tell where it listens: {}", Reason(error)),
        }
    }
}

impl Error for StartupError {}

impl From<EndpointError> for StartupError {
    fn from(error: EndpointError) -> Self {
        Self::Endpoint(error)
    }
}

impl From<LogError> for StartupError {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

impl From<ListenError> for StartupError {
    fn from(error: ListenError) -> Self {
        Self::Listen(error)
    }
}
