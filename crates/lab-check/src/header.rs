//! Fixed-length headers: ours, and those that students' own protocols use.

use std::fmt;
use std::str::FromStr;

/// The longest decimal header. Ten digits already exceed any length that fits in memory here.
const MAX_DIGITS: usize = 10;

/// How a header of fixed length writes the length of the payload that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// Four bytes, big-endian: the one of PROTOCOL.md.
    Be4,
    /// Two bytes, big-endian.
    Be2,
    /// Four bytes, little-endian.
    Le4,
    /// Decimal digits in ASCII, in this many columns.
    Ascii {
        /// Columns, 1 to 10.
        digits: usize,
        /// What fills the columns that the number leaves free.
        padding: Padding,
    },
}

/// How a decimal header fills its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// `12  `: Python's `f"{n:<4}"`.
    BlanksRight,
    /// `0012`: `str(n).zfill(4)`, `%04d`.
    ZerosLeft,
}

/// A header that says no length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidHeader;

impl Header {
    /// The size of a header in bytes.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::Be4 | Self::Le4 => 4,
            Self::Be2 => 2,
            Self::Ascii { digits, .. } => digits,
        }
    }

    /// The longest payload that the header can announce, in bytes.
    #[must_use]
    pub fn longest_payload(self) -> usize {
        match self {
            Self::Be4 | Self::Le4 => u32::MAX as usize,
            Self::Be2 => usize::from(u16::MAX),
            Self::Ascii { digits, .. } => {
                usize::try_from(10u64.pow(digits as u32) - 1).unwrap_or(usize::MAX)
            }
        }
    }

    /// The header of a payload of `length` bytes, which must not exceed [`longest_payload`](Self::longest_payload): a
    /// longer one is announced as the longest.
    #[must_use]
    pub fn encode(self, length: usize) -> Vec<u8> {
        let length = length.min(self.longest_payload());
        match self {
            Self::Be4 => u32::try_from(length)
                .unwrap_or(u32::MAX)
                .to_be_bytes()
                .to_vec(),
            Self::Le4 => u32::try_from(length)
                .unwrap_or(u32::MAX)
                .to_le_bytes()
                .to_vec(),
            Self::Be2 => u16::try_from(length)
                .unwrap_or(u16::MAX)
                .to_be_bytes()
                .to_vec(),
            Self::Ascii {
                digits,
                padding: Padding::BlanksRight,
            } => format!("{length:<digits$}").into_bytes(),
            Self::Ascii {
                digits,
                padding: Padding::ZerosLeft,
            } => format!("{length:0digits$}").into_bytes(),
        }
    }

    /// The length that a header announces. A decimal header may be padded in either way.
    ///
    /// # Errors
    ///
    /// [`InvalidHeader`] when decimal digits were expected and something else came, or when `bytes` is not one header.
    pub fn decode(self, bytes: &[u8]) -> Result<usize, InvalidHeader> {
        let length = match self {
            Self::Be4 => u64::from(u32::from_be_bytes(
                bytes.try_into().map_err(|_| InvalidHeader)?,
            )),
            Self::Le4 => u64::from(u32::from_le_bytes(
                bytes.try_into().map_err(|_| InvalidHeader)?,
            )),
            Self::Be2 => u64::from(u16::from_be_bytes(
                bytes.try_into().map_err(|_| InvalidHeader)?,
            )),
            Self::Ascii { .. } => {
                let digits = bytes.trim_ascii();
                let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
                let text = str::from_utf8(digits).map_err(|_| InvalidHeader)?;
                is_number
                    .then(|| text.parse().ok())
                    .flatten()
                    .ok_or(InvalidHeader)?
            }
        };
        usize::try_from(length).map_err(|_| InvalidHeader)
    }

    /// The other padding of a decimal header; nothing for a binary one.
    #[must_use]
    pub fn other_padding(self) -> Option<Self> {
        match self {
            Self::Ascii {
                digits,
                padding: Padding::BlanksRight,
            } => Some(Self::Ascii {
                digits,
                padding: Padding::ZerosLeft,
            }),
            Self::Ascii {
                digits,
                padding: Padding::ZerosLeft,
            } => Some(Self::Ascii {
                digits,
                padding: Padding::BlanksRight,
            }),
            _ => None,
        }
    }
}

impl FromStr for Header {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "be4" => return Ok(Self::Be4),
            "be2" => return Ok(Self::Be2),
            "le4" => return Ok(Self::Le4),
            _ => {}
        }
        let digits = text
            .strip_prefix("ascii")
            .and_then(|digits| digits.parse().ok());
        match digits {
            Some(digits @ 1..=MAX_DIGITS) => Ok(Self::Ascii {
                digits,
                padding: Padding::BlanksRight,
            }),
            _ => Err(format!(
                "a header is be4, be2, le4, or ascii with 1 to {MAX_DIGITS} digits, such as ascii4"
            )),
        }
    }
}

/// As the flag writes it.
impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Be4 => f.write_str("be4"),
            Self::Be2 => f.write_str("be2"),
            Self::Le4 => f.write_str("le4"),
            Self::Ascii { digits, .. } => write!(f, "ascii{digits}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_as_students_write_them() {
        let ascii4: Header = "ascii4".parse().unwrap();
        assert_eq!(Header::Be4.encode(5), b"\0\0\0\x05");
        assert_eq!(Header::Le4.encode(5), b"\x05\0\0\0");
        assert_eq!(Header::Be2.encode(5), b"\0\x05");
        assert_eq!(ascii4.encode(5), b"5   ");
        assert_eq!(ascii4.other_padding().unwrap().encode(5), b"0005");
        assert_eq!(
            (ascii4.longest_payload(), Header::Be2.longest_payload()),
            (9_999, 65_535)
        );
    }

    #[test]
    fn a_header_decodes_to_what_it_encodes() {
        let ascii = |digits| Header::Ascii {
            digits,
            padding: Padding::BlanksRight,
        };
        for header in [
            Header::Be4,
            Header::Be2,
            Header::Le4,
            ascii(4),
            ascii(10),
            ascii(10).other_padding().unwrap(),
        ] {
            for length in [0, 1, 9, 10, 1_024, 9_999] {
                assert_eq!(
                    header.decode(&header.encode(length)),
                    Ok(length),
                    "{header}"
                );
            }
        }
        for wrong in ["    ", "12x ", "-1  ", "1 2 ", ""] {
            assert_eq!(
                ascii(4).decode(wrong.as_bytes()),
                Err(InvalidHeader),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn flags_name_headers() {
        for name in ["be4", "be2", "le4", "ascii1", "ascii10"] {
            assert_eq!(name.parse::<Header>().unwrap().to_string(), name);
        }
        for name in ["", "be8", "ascii", "ascii0", "ascii11", "ascii-1"] {
            assert!(
                name.parse::<Header>().unwrap_err().contains("ascii4"),
                "{name}"
            );
        }
    }
}
