//! From a TCP connection to a TLS one, for clients: handshake, trust, and what to do if the server speaks plaintext.

use std::net::TcpStream;

use ::trust::Fingerprint;
use log::info;
use tls::{ConnectError, TlsError, TlsStream, key_log_warning};

use crate::connect::TcpClientFlags;
use crate::endpoint::Endpoint;
use crate::trust::{TrustFlags, print_warning};

impl TcpClientFlags {
    /// Encrypts a connection to a server that `trust` trusts, and logs the server's key. `if_plaintext` says what to do
    /// about a server that does not speak TLS.
    ///
    /// # Errors
    ///
    /// When the handshake fails, or the server is not trusted.
    pub fn encrypt(
        &self,
        socket: TcpStream,
        endpoint: &Endpoint,
        trust: &TrustFlags,
        if_plaintext: &'static str,
    ) -> anyhow::Result<(TlsStream<TcpStream>, Fingerprint)> {
        print_warning(key_log_warning());
        let (prompt, timeout) = (self.client.endpoint.prompt, self.timeout());
        let connected = trust.with_trust(endpoint, prompt, |server, trust, ask| {
            tls::connect(socket, server, trust, timeout, ask)
        });
        let (stream, fingerprint) = connected.map_err(|error| match error.downcast_ref() {
            Some(ConnectError::Tls(
                TlsError::Closed | TlsError::NotTls | TlsError::TimedOut { .. },
            )) => anyhow::anyhow!("{error}; {if_plaintext}"),
            _ => error,
        })?;
        info!("the connection is encrypted; the server's key is {fingerprint}");
        Ok((stream, fingerprint))
    }
}
