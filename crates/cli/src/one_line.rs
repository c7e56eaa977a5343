//! Keeps whatever is displayed on one line, and free of control characters.

use std::fmt::{self, Display, Write as _};

use proto::Escaped;

/// Escapes a displayed value as it is written. Every line to a terminal passes through it, so that text which a caller
/// forgot to escape does no harm.
pub(crate) struct OneLine<T>(pub(crate) T);

impl<T: Display> Display for OneLine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(EscapingWriter(f), "{}", self.0)
    }
}

struct EscapingWriter<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for EscapingWriter<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if is_plain(text.as_bytes()) {
            self.0.write_str(text)
        } else {
            Escaped::new(text).fmt(self.0)
        }
    }
}

/// Whether `text` is printable ASCII, as most text is. It has no early exit, so that it compiles to vector
/// instructions.
pub(crate) fn is_plain(text: &[u8]) -> bool {
    let plain = |plain, byte: &u8| plain & (0x20..0x7f).contains(byte);
    text.iter().fold(true, plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_displayed_value_stays_on_one_line() {
        let shown = OneLine(format_args!("{} {}", "Аня\n", "\x1b[2J\u{202e}")).to_string();
        assert_eq!(shown, r"Аня\n \x1b[2J\u{202e}");
    }
}
