//! How every TCP server begins: where to listen, the log, the port, and the first service messages.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::io;
use std::net::{SocketAddr, TcpListener};

use log::{info, warn};

use crate::descriptors::raise_descriptor_limit;
use crate::endpoint::EndpointError;
use crate::flags::TcpServerFlags;
use crate::listen::{ListenError, announce, listen};
use crate::messages::{LogError, LogGuard};
use crate::program::Program;
use crate::reason::Reason;
use crate::stop::on_stop;

/// A server that listens, and has not told of it on stdout yet.
pub struct OpenServer {
    /// What it listens on.
    pub listener: TcpListener,
    program: Program,
    address: SocketAddr,
    log: LogGuard,
}

impl TcpServerFlags {
    /// Asks where to listen if it should, starts the log, and listens.
    ///
    /// # Errors
    /// That of the step that fails.
    pub fn open(&self, program: &Program) -> Result<OpenServer, OpenError> {
        let endpoint = self.server.endpoint.server(program)?;
        let log = self.server.log.start(program)?;
        info!(
            "server started: {} {}",
            program.name,
            env!("CARGO_PKG_VERSION")
        );
        match raise_descriptor_limit() {
            Ok(limit) => info!("up to {limit} files and connections may be open"),
            Err(error) => warn!("cannot raise the limit of open files: {error}"),
        }
        let listener = listen(&endpoint, self.server.strict_port)
            .inspect_err(|error| log::error!("{error}"))?;
        let address = listener.local_addr().map_err(OpenError::Address)?;
        match endpoint.port {
            wish if wish == 0 || wish == address.port() => info!("listening on {address}"),
            wish => info!("listening on {address}, since port {wish} is taken"),
        }
        Ok(OpenServer {
            listener,
            program: *program,
            address,
            log,
        })
    }
}

impl OpenServer {
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
        Ok((self.listener, self.log))
    }
}

/// Why a server did not begin.
#[derive(Debug)]
pub enum OpenError {
    /// It is not known where to listen.
    Endpoint(EndpointError),
    /// The log cannot be written.
    Log(LogError),
    /// The address cannot be listened on.
    Listen(ListenError),
    /// The system does not tell the address.
    Address(io::Error),
}

impl Display for OpenError {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint(error) => error.fmt(out),
            Self::Log(error) => error.fmt(out),
            Self::Listen(error) => error.fmt(out),
            Self::Address(error) => write!(out, "cannot tell where it listens: {}", Reason(error)),
        }
    }
}

impl Error for OpenError {}

impl From<EndpointError> for OpenError {
    fn from(error: EndpointError) -> Self {
        Self::Endpoint(error)
    }
}

impl From<LogError> for OpenError {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

impl From<ListenError> for OpenError {
    fn from(error: ListenError) -> Self {
        Self::Listen(error)
    }
}
