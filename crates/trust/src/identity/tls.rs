//! The key and the certificate of a TLS server.

use std::fmt;
use std::path::Path;

use pem::Pem;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};

use super::{Kind, PRIVATE_KEY, block, load_or_create};
use crate::error::FileError;
use crate::files::Exposure;
use crate::fingerprint::Fingerprint;

/// The PEM label of a certificate (RFC 7468).
const CERTIFICATE: &str = "CERTIFICATE";

/// A P-256 key, and a certificate for it that it has signed itself. Clients trust the key; names and dates in the
/// certificate say nothing.
pub struct TlsIdentity {
    key_der: Vec<u8>,
    certificate_der: Vec<u8>,
    fingerprint: Fingerprint,
    exposure: Option<Exposure>,
}

impl TlsIdentity {
    /// Loads the identity in a file, or makes a new one there if there is no file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or made, or is damaged.
    pub fn load_or_create(path: &Path) -> Result<Self, FileError> {
        let (identity, exposure) = load_or_create(path)?;
        Ok(Self {
            exposure,
            ..identity
        })
    }

    /// The secret key, as PKCS #8 in DER.
    #[must_use]
    pub fn key_der(&self) -> &[u8] {
        &self.key_der
    }

    /// The certificate in DER.
    #[must_use]
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate_der
    }

    /// The fingerprint of the key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// A warning to show, if others could read the file.
    #[must_use]
    pub fn exposure(&self) -> Option<&Exposure> {
        self.exposure.as_ref()
    }
}

impl Kind for TlsIdentity {
    const NAME: &'static str = "tls";

    fn generate() -> Result<Self, String> {
        let made = || {
            let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
            let mut params = CertificateParams::default();
            params
                .distinguished_name
                .push(DnType::CommonName, "socket-lab");
            Ok((params.self_signed(&key)?.der().to_vec(), key))
        };
        let (certificate_der, key) = made().map_err(|error: rcgen::Error| error.to_string())?;
        Ok(Self {
            key_der: key.serialize_der(),
            certificate_der,
            fingerprint: Fingerprint::of_spki(&key.subject_public_key_info()),
            exposure: None,
        })
    }

    fn from_blocks(blocks: &[Pem]) -> Result<Self, &'static str> {
        let key_der = block(blocks, PRIVATE_KEY).ok_or("it has no secret key, or several")?;
        let certificate_der =
            block(blocks, CERTIFICATE).ok_or("it has no certificate, or several")?;
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&key_der.into(), &PKCS_ECDSA_P256_SHA256)
            .map_err(|_| "its secret key is not a P-256 key")?;
        let spki = key.subject_public_key_info();
        // A sanity check against mixed-up files: what a client verifies is the handshake's signature.
        if !certificate_der
            .windows(spki.len())
            .any(|window| window == spki)
        {
            return Err("its certificate and its secret key belong to another key each");
        }
        Ok(Self {
            key_der: key_der.to_vec(),
            certificate_der: certificate_der.to_vec(),
            fingerprint: Fingerprint::of_spki(&spki),
            exposure: None,
        })
    }

    fn to_blocks(&self) -> Vec<Pem> {
        vec![
            Pem::new(PRIVATE_KEY, self.key_der.clone()),
            Pem::new(CERTIFICATE, self.certificate_der.clone()),
        ]
    }

    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

/// The secret key is left out.
impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsIdentity")
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}
