//! What can go wrong with TLS.

use std::io;
use std::time::Duration;

use proto::Reason;
use trust::{Fingerprint, TrustError};

use crate::alert::Alert;

/// Why there is no TLS connection.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The handshake took too long.
    #[error("the TLS handshake did not finish within {} s; does the peer speak TLS?", limit.as_secs_f64())]
    TimedOut {
        /// How long it may take.
        limit: Duration,
    },
    /// The peer closed the connection in the middle of the handshake.
    #[error(
        "the peer closed the connection during the TLS handshake: it does not speak TLS, or has no room for \
         another client"
    )]
    Closed,
    /// What the peer sent is not TLS.
    #[error("the peer does not speak TLS")]
    NotTls,
    /// The server does not have the expected key. Nothing was sent to it but the start of the handshake.
    #[error("the server's key is {presented}, expected was {expected}")]
    OtherKey {
        /// The one that the client trusts.
        expected: Fingerprint,
        /// The one in the server's certificate. The server may not have its secret key.
        presented: Fingerprint,
    },
    /// The server showed a certificate, but could not sign with its key.
    #[error(
        "the server cannot prove that it owns the key in its certificate; the certificate may be a copy of another \
         server's"
    )]
    NoProof,
    /// The peer refused the handshake.
    #[error("the TLS handshake failed: {0}")]
    Refused(Alert),
    /// The handshake failed otherwise.
    #[error("the TLS handshake failed: {0}")]
    Handshake(rustls::Error),
    /// The identity cannot be used.
    #[error(
        "cannot use the identity for TLS: {0}; move its file away to get a new one, or restore it from a backup"
    )]
    Identity(rustls::Error),
    /// The connection broke.
    #[error("the connection broke during the TLS handshake: {}; try again", Reason(.0))]
    Io(io::Error),
}

/// Why a client has no TLS connection that it trusts.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// There is no connection.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The server is not trusted.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        use rustls::{CertificateError, Error, InvalidMessage};
        match error {
            Error::InvalidCertificate(CertificateError::BadSignature) => Self::NoProof,
            Error::InvalidMessage(
                InvalidMessage::InvalidContentType
                | InvalidMessage::UnknownProtocolVersion
                | InvalidMessage::MessageTooLarge,
            ) => Self::NotTls,
            Error::AlertReceived(alert) => Self::Refused(Alert(alert)),
            error => Self::Handshake(error),
        }
    }
}
