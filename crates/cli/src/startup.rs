//! How every server starts and stops: where to listen, the log, the port, the first and last messages.
//!
//! What else a server needs comes between the log and the port, so that a server that cannot serve never listens.

use std::fmt::Display;
use std::io::{self, IsTerminal, stderr};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use log::{error, info, warn};
use tcp_server::{ClientList, Limits, Service, StopHandle, Totals, serve_listed};
use thiserror::Error;

use crate::console::Console;
use crate::descriptors::raise_descriptor_limit;
use crate::endpoint::{Endpoint, EndpointError};
use crate::flags::{ServerFlags, TcpServerFlags};
use crate::listen::{ListenError, announce, bind_udp, listen};
use crate::logging::{LogError, LogGuard, LogTo};
use crate::print_stderr::print_stderr;
use crate::program::Program;
use crate::stop::on_server_signals;
use proto::Reason;

/// A server that has its log, and does not listen yet.
pub struct LoggedServer {
    endpoint: Endpoint,
    is_strict: bool,
    running: RunningServer,
}

/// A server that listens, and has not announced it on stdout yet.
pub struct BoundServer<S> {
    /// The socket that listens.
    pub socket: S,
    /// Its address.
    pub address: SocketAddr,
    console: Console,
    /// Each with a blank before it.
    client_flags: String,
    running: RunningServer,
}

/// A server that accepts clients. Dropping it ends the log.
pub struct RunningServer {
    program: Program,
    started: Instant,
    log: LogGuard,
    logs_to_console: bool,
}

impl TcpServerFlags {
    /// See [`ServerFlags::start`].
    ///
    /// # Errors
    ///
    /// When a step fails.
    pub fn start(
        &self,
        program: &Program,
        data_files: &[PathBuf],
    ) -> Result<LoggedServer, StartupError> {
        self.server.start(program, data_files)
    }
}

impl ServerFlags {
    /// Asks where to listen if it may, and starts the log, which must be none of `data_files`. Until the server is
    /// announced, stderr shows warnings that go to the log file, too.
    ///
    /// # Errors
    ///
    /// When a step fails.
    pub fn start(
        &self,
        program: &Program,
        data_files: &[PathBuf],
    ) -> Result<LoggedServer, StartupError> {
        let endpoint = self.endpoint.server(program)?;
        let log = self.log.start(program, data_files)?;
        log.mirror_warnings(true);
        let (name, version) = (program.name, env!("CARGO_PKG_VERSION"));
        info!("server started: {name} {version}");
        match raise_descriptor_limit() {
            Ok(None) => {}
            Ok(Some(limit)) => info!("up to {limit} files and connections may be open"),
            Err(error) => warn!("cannot raise the limit of open files: {error}"),
        }
        Ok(LoggedServer {
            endpoint,
            is_strict: self.strict_port,
            running: RunningServer {
                program: *program,
                started: Instant::now(),
                log,
                logs_to_console: self.log.log_to != LogTo::File,
            },
        })
    }
}

impl LoggedServer {
    /// Where it will listen, unless the port is in use.
    ///
    /// # Errors
    ///
    /// When the host has no address.
    pub fn address(&self) -> Result<SocketAddr, ListenError> {
        let addresses = self.endpoint.addresses().map_err(ListenError::Resolve);
        Ok(addresses.inspect_err(|error| error!("{error}"))?[0])
    }

    /// Listens for TCP clients.
    ///
    /// # Errors
    ///
    /// When the system refuses the address.
    pub fn listen(self) -> Result<BoundServer<TcpListener>, StartupError> {
        let listener = listen(&self.endpoint, self.is_strict);
        self.bound(listener, TcpListener::local_addr)
    }

    /// Binds a UDP socket.
    ///
    /// # Errors
    ///
    /// When the system refuses the address.
    pub fn bind_udp(self) -> Result<BoundServer<UdpSocket>, StartupError> {
        let socket = bind_udp(&self.endpoint, self.is_strict);
        self.bound(socket, UdpSocket::local_addr)
    }

    fn bound<S>(
        self,
        socket: Result<S, ListenError>,
        address: impl FnOnce(&S) -> io::Result<SocketAddr>,
    ) -> Result<BoundServer<S>, StartupError> {
        let socket = socket.inspect_err(|error| error!("{error}"))?;
        let address = address(&socket).map_err(StartupError::Address)?;
        match self.endpoint.port {
            wanted if wanted == 0 || wanted == address.port() => info!("listening on {address}"),
            wanted => info!("listening on {address}, since port {wanted} is taken"),
        }
        Ok(BoundServer {
            socket,
            address,
            console: Console::new(),
            client_flags: String::new(),
            running: self.running,
        })
    }
}

impl<S> BoundServer<S> {
    /// The commands that the server takes on its terminal.
    pub fn with_console(self, console: Console) -> Self {
        Self { console, ..self }
    }

    /// Adds a flag to the command for other machines, if a client of this server needs it.
    pub fn with_client_flag(mut self, flag: &str, is_needed: bool) -> Self {
        if is_needed {
            self.client_flags.push(' ');
            self.client_flags.push_str(flag);
        }
        self
    }

    /// Calls `stop` at the first stop signal or the command `stop`, and announces on stdout that clients are accepted.
    /// Returns the socket to serve, and the server to call [`stopped`](RunningServer::stopped) on.
    ///
    /// # Errors
    ///
    /// When the system refuses signal handlers or a thread.
    pub fn announce(
        self,
        stop: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<(S, RunningServer)> {
        let stop: Arc<dyn Fn() + Send + Sync> = Arc::new(stop);
        on_server_signals(
            {
                let stop = Arc::clone(&stop);
                move || stop()
            },
            self.running.log.reopener(),
        )?;
        announce(&self.running.program, self.address);
        for address in own_addresses(self.address.ip()) {
            let address = SocketAddr::new(address, self.address.port());
            let client = self.running.program.client();
            let flags = &self.client_flags;
            print_stderr(format_args!("on other machines: {client}{flags} {address}"));
        }
        self.running.log.mirror_warnings(false);
        self.console.start(stop)?;
        Ok((self.socket, self.running))
    }
}

impl BoundServer<TcpListener> {
    /// Announces the server and serves clients until it is stopped. The console's command `who` lists them. Returns the
    /// server to call [`stopped`](RunningServer::stopped) on, and what it did.
    ///
    /// # Errors
    ///
    /// When the system refuses signal handlers or a thread.
    pub fn serve(
        self,
        limits: &Limits,
        service: impl Service,
    ) -> io::Result<(RunningServer, Totals)> {
        let (stop, clients) = (StopHandle::new(), ClientList::default());
        let (stopper, listed) = (stop.clone(), clients.clone());
        let server = Self {
            console: self.console.who(move || listed.list()),
            ..self
        };
        let (listener, running) = server.announce(move || stopper.stop())?;
        let totals = serve_listed(listener, limits, &stop, &clients, service)?;
        Ok((running, totals))
    }
}

impl RunningServer {
    /// Logs that the server stopped; `totals` says what it did. A person at the terminal sees it, too.
    pub fn stopped(self, totals: impl Display) {
        let seconds = self.started.elapsed().as_secs_f64();
        info!("server stopped: {totals}, in {seconds:.3} s");
        if stderr().is_terminal() && !self.logs_to_console {
            let name = self.program.name;
            print_stderr(format_args!("{name} stopped: {totals}, in {seconds:.3} s"));
        }
    }
}

/// The addresses by which other machines reach a server that listens on `address`, if that means all addresses. std
/// cannot list them: these are the ones from which a packet to another network would leave. Connecting a UDP socket
/// sends nothing.
fn own_addresses(address: IpAddr) -> Vec<IpAddr> {
    if !address.is_unspecified() {
        return vec![];
    }
    // Reserved for documentation (RFC 5737, RFC 3849): no machine has them.
    let mut routes = vec![("0.0.0.0:0", "192.0.2.1:9")];
    if address.is_ipv6() {
        routes.push(("[::]:0", "[2001:db8::1]:9"));
    }
    let source = |(source, target)| {
        let socket = UdpSocket::bind(source).ok()?;
        socket.connect(target).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    let found = routes.into_iter().filter_map(source);
    found.filter(|address| !address.is_loopback()).collect()
}

/// Why a server did not start.
#[derive(Debug, Error)]
pub enum StartupError {
    /// There is no address to listen on.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The log cannot be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The system refuses the address.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The system does not give the socket's address.
    #[error("cannot read the socket's address: {}", Reason(.0))]
    Address(io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_on_all_addresses_has_others() {
        assert!(own_addresses("127.0.0.1".parse().unwrap()).is_empty());
        let own = own_addresses("::".parse().unwrap());
        assert!(
            own.iter()
                .all(|own| !own.is_loopback() && !own.is_unspecified()),
            "{own:?}"
        );
    }
}
