//! How a client verifies a server: by its key alone.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved, SignatureScheme};
use trust::Fingerprint;

/// Accepts one key, or any if none is expected yet, and remembers which one the server showed.
///
/// The key in the certificate is compared first, then the server proves by the handshake's signature that it has the
/// secret key. Without the second check a copy of the certificate, which is public, would be enough.
#[derive(Debug)]
pub(crate) struct KeyVerifier {
    provider: Arc<CryptoProvider>,
    expected: Option<Fingerprint>,
    presented: OnceLock<Fingerprint>,
}

impl KeyVerifier {
    pub(crate) fn new(provider: Arc<CryptoProvider>, expected: Option<Fingerprint>) -> Self {
        Self {
            provider,
            expected,
            presented: OnceLock::new(),
        }
    }

    /// The key in the server's certificate, once that has come.
    pub(crate) fn presented(&self) -> Option<Fingerprint> {
        self.presented.get().copied()
    }
}

impl ServerCertVerifier for KeyVerifier {
    /// Name, chain and time are ignored: clocks in a lab are often wrong, and a server does not know all its names.
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let spki = ParsedCertificate::try_from(end_entity)?.subject_public_key_info();
        let presented = Fingerprint::of_spki(&spki);
        // A handshake has one certificate, so the slot is empty.
        let _ = self.presented.set(presented);
        if self.expected.is_some_and(|expected| expected != presented) {
            return Err(CertificateError::ApplicationVerificationFailure.into());
        }
        Ok(ServerCertVerified::assertion())
    }

    /// Never called: only TLS 1.3 is offered.
    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
