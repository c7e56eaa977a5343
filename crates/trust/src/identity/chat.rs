//! The static key of a server or a member of the chat.

use std::fmt;
use std::path::Path;

use pem::Pem;
use snow::params::DHChoice;
use snow::resolvers::{CryptoResolver, DefaultResolver};
use snow::types::Dh;

use super::{Kind, PRIVATE_KEY, block, load_or_create};
use crate::error::FileError;
use crate::files::Exposure;
use crate::fingerprint::Fingerprint;

/// The DER encoding of an X25519 key in PKCS #8 up to the key itself (RFC 8410, section 7).
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20,
];

/// An X25519 key pair for the Noise handshake of the chat.
pub struct ChatIdentity {
    private: [u8; 32],
    public: [u8; 32],
    exposure: Option<Exposure>,
}

impl ChatIdentity {
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

    /// A new identity that is not kept in a file: for tests, and for a client that may not write.
    ///
    /// # Errors
    ///
    /// When the system gives no random numbers; the text says what it reported.
    pub fn ephemeral() -> Result<Self, String> {
        Self::generate()
    }

    /// The secret key.
    #[must_use]
    pub fn private(&self) -> &[u8; 32] {
        &self.private
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The fingerprint of the public key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_x25519(&self.public)
    }

    /// A warning to show, if others could read the file.
    #[must_use]
    pub fn exposure(&self) -> Option<&Exposure> {
        self.exposure.as_ref()
    }

    fn from_dh(dh: &dyn Dh) -> Option<Self> {
        let private = dh.privkey().try_into().ok()?;
        let public = dh.pubkey().try_into().ok()?;
        Some(Self {
            private,
            public,
            exposure: None,
        })
    }
}

impl Kind for ChatIdentity {
    const NAME: &'static str = "chat";

    fn generate() -> Result<Self, String> {
        let parts = (
            DefaultResolver.resolve_dh(&DHChoice::Curve25519),
            DefaultResolver.resolve_rng(),
        );
        let (Some(mut dh), Some(mut rng)) = parts else {
            return Err("X25519 is not available".into());
        };
        dh.generate(&mut *rng).map_err(|error| error.to_string())?;
        Self::from_dh(&*dh).ok_or_else(|| "X25519 gave a key of another length".into())
    }

    fn from_blocks(blocks: &[Pem]) -> Result<Self, &'static str> {
        let der = block(blocks, PRIVATE_KEY).ok_or("it has no secret key, or several")?;
        let key = der
            .strip_prefix(&PKCS8_PREFIX)
            .filter(|key| key.len() == 32);
        let key = key.ok_or("its secret key is not an X25519 key")?;
        let mut dh = DefaultResolver
            .resolve_dh(&DHChoice::Curve25519)
            .ok_or("X25519 is not available")?;
        dh.set(key);
        Self::from_dh(&*dh).ok_or("its secret key is not an X25519 key")
    }

    fn to_blocks(&self) -> Vec<Pem> {
        vec![Pem::new(
            PRIVATE_KEY,
            [&PKCS8_PREFIX[..], &self.private].concat(),
        )]
    }

    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint()
    }
}

/// The secret key is left out.
impl fmt::Debug for ChatIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatIdentity")
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}
