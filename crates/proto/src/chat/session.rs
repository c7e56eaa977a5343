//! The 128 random bits that name a session, and those that pair an answer with its hello.
//!
//! Where the randomness comes from is the caller's business.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// Names a member of the chat, whatever address it writes from: 128 random bits, on the wire 32
/// lowercase hexadecimal digits.
///
/// Who knows it can speak as the member, so its `Debug` form shows the first two bytes only.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId([u8; 16]);

/// Chosen by a client for each joining and returned in every answer to its hello, so that nobody
/// who has not seen the hello can answer it. The form on the wire is a session id's.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Nonce([u8; 16]);

macro_rules! random_bits {
    ($name:ident) => {
        impl $name {
            /// Wraps 16 bytes, which must come from the operating system's randomness.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(
                    f,
                    "{}({:02x}{:02x}…)",
                    stringify!($name),
                    self.0[0],
                    self.0[1]
                )
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let digits = encode_hex(&self.0);
                serializer
                    .serialize_str(std::str::from_utf8(&digits).expect("hexadecimal is ASCII"))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Hex).map(Self)
            }
        }
    };
}

random_bits!(SessionId);
random_bits!(Nonce);

struct Hex;

impl Visitor<'_> for Hex {
    type Value = [u8; 16];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("32 lowercase hexadecimal digits")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<[u8; 16], E> {
        decode_hex(text.as_bytes())
            .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

fn encode_hex(bytes: &[u8; 16]) -> [u8; 32] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 32];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    text
}

fn decode_hex(text: &[u8]) -> Option<[u8; 16]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let text: &[u8; 32] = text.try_into().ok()?;
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: SessionId = SessionId(*b"\x00\x9a\xff0123456789abc");
    const HEX: &str = r#""009aff30313233343536373839616263""#;

    #[test]
    fn an_id_is_32_hexadecimal_digits_on_the_wire() {
        assert_eq!(serde_json::to_string(&ID).unwrap(), HEX);
        assert_eq!(serde_json::from_str::<SessionId>(HEX).unwrap(), ID);
    }

    #[test]
    fn anything_but_32_lowercase_digits_is_refused() {
        let longer = format!("\"{}\"", "0".repeat(33));
        let upper = HEX.to_uppercase();
        let wide = format!("\"{}\"", "я".repeat(16));
        for bad in ["\"\"", "7", "null", &HEX[1..], &longer, &upper, &wide] {
            assert!(serde_json::from_str::<SessionId>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_debug_print_does_not_give_the_session_away() {
        assert_eq!(format!("{ID:?}"), "SessionId(009a…)");
    }
}
