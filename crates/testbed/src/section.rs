//! The part of a failing test's report that shows one stream or file. Control characters are escaped, so that a test
//! of hostile text does not harm the developer's terminal.

use std::fmt::Write;

/// How much of the end of a stream is shown; more would bury the test's own message.
const SHOWN_BYTES: usize = 16 * 1024;

/// One stream or file under its title.
pub(crate) fn section(title: &str, bytes: &[u8]) -> String {
    let shown = &bytes[bytes.len().saturating_sub(SHOWN_BYTES)..];
    let mut section = format!("\n--- {title}: {} bytes", bytes.len());
    if shown.len() < bytes.len() {
        let _ = write!(section, ", the last {} of them", shown.len());
    }
    section.push('\n');
    for c in String::from_utf8_lossy(shown).chars() {
        match c {
            '\n' | '\t' => section.push(c),
            c if c.is_control() => section.extend(c.escape_default()),
            c => section.push(c),
        }
    }
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_harmless_and_bounded() {
        assert_eq!(
            section("stdout", "Привет\n\x1b[2J".as_bytes()),
            "\n--- stdout: 17 bytes\nПривет\n\\u{1b}[2J"
        );
        let long = section("stdout", &[b'x'; SHOWN_BYTES + 1]);
        assert!(long.starts_with("\n--- stdout: 16385 bytes, the last 16384 of them\nxxx"));
        assert!(long.len() < SHOWN_BYTES + 100);
    }
}
