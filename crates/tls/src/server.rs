//! The server's half of a handshake.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::{ConfigBuilder, ServerConfig, ServerConnection, WantsVerifier, version};
use trust::TlsIdentity;

use crate::error::TlsError;
use crate::handshake::{HANDSHAKE_LIMIT, complete};
use crate::key_log::key_log;
use crate::maybe_tls::MaybeTls;
use crate::peeked::{Peeked, is_tls_handshake};
use crate::stream::TlsStream;

/// Accepts TLS handshakes with one identity. Clones share it.
#[derive(Clone, Debug)]
pub struct ServerTls {
    config: Arc<ServerConfig>,
    limit: Duration,
}

impl ServerTls {
    /// Takes the key and the certificate of an identity.
    ///
    /// # Errors
    ///
    /// When they cannot be used, or do not belong together.
    pub fn new(identity: &TlsIdentity) -> Result<Self, TlsError> {
        let certificate = CertificateDer::from(identity.certificate_der().to_vec());
        let key = PrivatePkcs8KeyDer::from(identity.key_der().to_vec());
        Self::from_der(certificate, key.into())
    }

    pub(crate) fn from_der(
        certificate: CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, TlsError> {
        let builder = builder().map_err(TlsError::Identity)?.with_no_client_auth();
        let config = builder
            .with_single_cert(vec![certificate], key)
            .map_err(TlsError::Identity)?;
        Ok(Self::from_config(config))
    }

    fn from_config(mut config: ServerConfig) -> Self {
        config.key_log = key_log();
        // Nothing is resumed: each connection proves the server's key.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Self {
            config: Arc::new(config),
            limit: HANDSHAKE_LIMIT,
        }
    }

    /// The rustls configuration, for benchmarks against rustls' own streams.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// Makes the handshake with a client. `set_read_timeout` bounds the next read of the socket.
    ///
    /// # Errors
    ///
    /// When it fails or takes longer than [`HANDSHAKE_LIMIT`].
    pub fn accept<S: Read + Write>(
        &self,
        mut socket: S,
        set_read_timeout: impl FnMut(&mut S, Option<Duration>) -> io::Result<()>,
    ) -> Result<TlsStream<S>, TlsError> {
        let mut connection = ServerConnection::new(Arc::clone(&self.config))
            .map_err(TlsError::Handshake)?
            .into();
        complete(&mut connection, &mut socket, self.limit, set_read_timeout)?;
        Ok(TlsStream::new(socket, connection))
    }

    /// Waits for the client's first byte, and makes the handshake if the client speaks TLS. `None` if the client closed
    /// the connection instead. The wait has no limit of its own.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    pub fn accept_either<S: Read + Write>(
        &self,
        socket: S,
        mut set_read_timeout: impl FnMut(&mut S, Option<Duration>) -> io::Result<()>,
    ) -> Result<Option<MaybeTls<Peeked<S>>>, TlsError> {
        let (first, socket) = Peeked::new(socket).map_err(TlsError::Io)?;
        match first {
            None => Ok(None),
            Some(byte) if is_tls_handshake(byte) => {
                let stream = self.accept(socket, |socket, limit| {
                    set_read_timeout(socket.get_mut(), limit)
                })?;
                Ok(Some(stream.into()))
            }
            Some(_) => Ok(Some(MaybeTls::Plaintext(socket))),
        }
    }

    #[cfg(test)]
    pub(crate) fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    #[cfg(test)]
    pub(crate) fn with_resolver(resolver: Arc<dyn rustls::server::ResolvesServerCert>) -> Self {
        let builder = builder().expect("ring has TLS 1.3").with_no_client_auth();
        Self::from_config(builder.with_cert_resolver(resolver))
    }
}

impl<S: Read + Write> MaybeTls<S> {
    /// Makes the handshake with a client if the server has a key; without one the stream stays as it is.
    ///
    /// # Errors
    ///
    /// As [`ServerTls::accept`].
    pub fn accept(
        tls: Option<&ServerTls>,
        socket: S,
        set_read_timeout: impl FnMut(&mut S, Option<Duration>) -> io::Result<()>,
    ) -> Result<Self, TlsError> {
        match tls {
            Some(tls) => Ok(tls.accept(socket, set_read_timeout)?.into()),
            None => Ok(Self::Plaintext(socket)),
        }
    }
}

/// TLS 1.3 alone.
fn builder() -> Result<ConfigBuilder<ServerConfig, WantsVerifier>, rustls::Error> {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13])
}
