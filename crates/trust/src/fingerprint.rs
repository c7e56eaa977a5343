//! Fingerprints of public keys. This does not know what the keys are used for.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64Unpadded, Encoding};
use sha2::{Digest, Sha256};

/// The algorithm's name in front of the hash, as SSH writes it.
const PREFIX: &str = "SHA256:";
/// The length of a SHA-256 hash in base64 without padding.
const BASE64_CHARS: usize = 43;
/// The DER encoding of an X25519 SubjectPublicKeyInfo up to the key itself (RFC 8410, section 4).
const X25519_SPKI_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00,
];

/// The SHA-256 of a public key's DER-encoded SubjectPublicKeyInfo.
///
/// It is written as SSH writes it: `SHA256:` and the hash in base64 without padding. The same value comes from
/// `openssl x509 -in FILE -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

/// Why a text is not a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a fingerprint is SHA256: and 43 characters of base64, as the server shows it when it starts"
)]
pub struct FingerprintError;

impl Fingerprint {
    /// The fingerprint of a key that is given as a DER-encoded SubjectPublicKeyInfo.
    #[must_use]
    pub fn of_spki(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    /// The fingerprint of a raw X25519 public key, by way of its SubjectPublicKeyInfo.
    #[must_use]
    pub fn of_x25519(public: &[u8; 32]) -> Self {
        Self::of_spki(&[&X25519_SPKI_PREFIX[..], public].concat())
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    /// Spaces around it and padding after it are ignored, since both come along when a fingerprint is copied.
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let text = text.trim();
        let base64 = text.strip_prefix(PREFIX).ok_or(FingerprintError)?;
        let base64 = base64.strip_suffix('=').unwrap_or(base64);
        let mut hash = [0; 32];
        if base64.len() != BASE64_CHARS {
            return Err(FingerprintError);
        }
        Base64Unpadded::decode(base64, &mut hash).map_err(|_| FingerprintError)?;
        Ok(Self(hash))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", Base64Unpadded::encode_string(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_x25519_key_has_the_fingerprint_that_openssl_gives() {
        // The public key of Alice in RFC 7748, section 6.1.
        let public: [u8; 32] = [
            0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54, 0x74, 0x8b, 0x7d, 0xdc, 0xb4, 0x3e,
            0xf7, 0x5a, 0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38, 0x1a, 0xf4, 0xeb, 0xa4, 0xa9, 0x8e,
            0xaa, 0x9b, 0x4e, 0x6a,
        ];
        assert_eq!(
            Fingerprint::of_x25519(&public).to_string(),
            "SHA256:KRxSk+AwRSpZmFGnxymPPxbD/xvfr8tZiSfyYx+fpkE"
        );
    }

    #[test]
    fn only_a_fingerprint_is_parsed() {
        let good = Fingerprint::of_spki(b"a key").to_string();
        for copied in [format!(" {good}\r\n"), format!("{good}=")] {
            assert_eq!(copied.parse(), Ok(Fingerprint::of_spki(b"a key")));
        }
        let short = &good[..good.len() - 1];
        for bad in [
            "",
            "SHA256:",
            "MD5:1b:2c",
            short,
            &good.to_lowercase(),
            &format!("{good}A"),
            &format!("{short}é"),
        ] {
            assert_eq!(bad.parse::<Fingerprint>(), Err(FingerprintError), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_displayed_is_parsed(key in prop::collection::vec(any::<u8>(), 0..99)) {
            let fingerprint = Fingerprint::of_spki(&key);
            prop_assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        }

        #[test]
        fn no_text_is_parsed_as_two_different_ones(text in "SHA256:[A-Za-z0-9+/]{43}") {
            if let Ok(fingerprint) = text.parse::<Fingerprint>() {
                prop_assert_eq!(fingerprint.to_string(), text);
            }
        }
    }
}
