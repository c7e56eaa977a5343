//! Frames as a reader of the protocol wants to see them: header and payload, in hex and as text.

use std::fmt::{self, Display, Formatter};

use proto::{Escaped, SendError, header};

/// The most payload bytes and characters that are shown of one frame.
const MAX_SHOWN: usize = 64;

/// Hex bytes in a line, which then takes 59 columns.
const BYTES_PER_LINE: usize = 16;

/// Displays one frame in lines of at most 80 columns, unless its text is wide.
pub struct FrameDump<'a> {
    verb: &'static str,
    header: [u8; 4],
    payload: &'a [u8],
}

impl<'a> FrameDump<'a> {
    /// The frame of this payload. `verb` is `sent` or `received`.
    ///
    /// # Errors
    ///
    /// When no frame is so long.
    pub fn new(verb: &'static str, payload: &'a [u8]) -> Result<Self, SendError> {
        Ok(Self {
            verb,
            header: header(payload.len())?,
            payload,
        })
    }
}

impl Display for FrameDump<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            verb,
            header,
            payload,
        } = self;
        let length = payload.len();
        writeln!(f, "frame {verb}")?;
        writeln!(
            f,
            "  header  {}  = {length}, the payload's length in bytes",
            Hex(header)
        )?;
        let shown = &payload[..length.min(MAX_SHOWN)];
        for (number, line) in shown.chunks(BYTES_PER_LINE).enumerate() {
            let name = if number == 0 { "payload" } else { "" };
            writeln!(f, "  {name:7} {}", Hex(line))?;
        }
        if length > MAX_SHOWN {
            writeln!(f, "           … and {} more bytes", length - MAX_SHOWN)?;
        }
        let text = Escaped::from_bytes(payload).quoted().cut(MAX_SHOWN);
        writeln!(f, "  text     {text}")
    }
}

struct Hex<'a>(&'a [u8]);

impl Display for Hex<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, " {byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dump(payload: &[u8]) -> String {
        FrameDump::new("sent", payload).unwrap().to_string()
    }

    #[test]
    fn a_frame_is_shown_in_hex_and_as_text() {
        assert_eq!(
            dump("Жук\x1b".as_bytes()),
            "frame sent\n  header   00 00 00 07  = 7, the payload's length in bytes\n  \
             payload  d0 96 d1 83 d0 ba 1b\n  text     \"Жук\\x1b\"\n"
        );
        assert_eq!(
            dump(b""),
            "frame sent\n  header   00 00 00 00  = 0, the payload's length in bytes\n  text     \"\"\n"
        );
    }

    proptest! {
        #[test]
        fn a_dump_is_short_and_cannot_command_a_terminal(payload in prop::collection::vec(any::<u8>(), 0..5000)) {
            let dump = dump(&payload);
            prop_assert!(dump.len() < 1500, "{}", dump.len());
            prop_assert!(!dump.chars().any(|c| c.is_control() && c != '\n'), "{dump:?}");
        }
    }
}
