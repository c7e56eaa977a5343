//! Alerts of TLS in plain words.

use std::fmt::{self, Display, Formatter};

use rustls::AlertDescription;

/// A fatal alert of the peer (RFC 8446, section 6.2): what it refused, and what to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert(pub AlertDescription);

impl Display for Alert {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        use AlertDescription as A;
        let (what, next) = match self.0 {
            A::ProtocolVersion => (
                "does not speak TLS 1.3, the only version here",
                "update it, or choose another peer",
            ),
            A::HandshakeFailure
            | A::InsufficientSecurity
            | A::IllegalParameter
            | A::MissingExtension
            | A::UnsupportedExtension => (
                "accepts none of the algorithms offered",
                "update its TLS library, or allow TLS 1.3 with its default algorithms",
            ),
            A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::UnknownCA => (
                "does not trust the certificate here, which is self-signed",
                "let it trust the server's fingerprint, or turn its check of certificates off",
            ),
            A::AccessDenied => (
                "does not accept the key here",
                "if it knows another key of this server, let it trust the new fingerprint",
            ),
            A::CertificateRequired => (
                "wants a client certificate, which this program does not have",
                "allow clients without certificate there",
            ),
            A::UnrecognisedName => (
                "wants a host name, which this program does not send",
                "set a default certificate there",
            ),
            A::NoApplicationProtocol => (
                "speaks another protocol over TLS",
                "check that the port is the right one",
            ),
            _ => (
                "reports a fault",
                "try again, and check that the port is the right one",
            ),
        };
        write!(f, "the peer {what} (TLS alert {:?}); {next}", self.0)
    }
}
