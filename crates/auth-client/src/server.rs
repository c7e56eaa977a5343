//! The server that the client speaks to, as the token file names it.

use std::net::SocketAddr;

use trust::Fingerprint;

/// The server that the client speaks to.
#[derive(Clone, Copy, Debug)]
pub enum Server {
    /// It speaks without TLS, so nothing but its address is known. Whoever answers there gets the token that is kept
    /// for the address, and gets no token of a server with a key.
    Plaintext {
        /// Where it answers.
        address: SocketAddr,
    },
    /// It has proved that it owns a key.
    Tls {
        /// Where it answers.
        address: SocketAddr,
        /// The key's.
        fingerprint: Fingerprint,
    },
}

impl Server {
    /// The key of the server's token in the file.
    pub(crate) fn token_key(&self) -> String {
        match self {
            Self::Plaintext { address } => address.to_string(),
            Self::Tls { fingerprint, .. } => fingerprint.to_string(),
        }
    }

    /// The key of a token that is not sent to this server, although a server at the same address has sent it: that was
    /// without TLS, and may have been another server.
    pub(crate) fn plaintext_token_key(&self) -> Option<String> {
        match self {
            Self::Plaintext { .. } => None,
            Self::Tls { address, .. } => Some(address.to_string()),
        }
    }
}
