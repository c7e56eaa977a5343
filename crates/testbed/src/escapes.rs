//! The visible text of a terminal's output: without escape sequences (ECMA-48). It does not draw a screen: overwritten
//! and erased text is still there.

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;

/// The visible bytes of `raw`, each with the offset in `raw` just past it. Lines end with `\n`; an incomplete escape
/// sequence at the end is left out.
pub(crate) fn visible(raw: &[u8]) -> impl Iterator<Item = (u8, usize)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            match raw[at..] {
                [] => return None,
                [ESC, ..] => at += escape_length(&raw[at..]),
                [b'\r', b'\n', ..] => at += 1,
                [byte, ..] => {
                    at += 1;
                    return Some((byte, at));
                }
            }
        }
    })
}

/// [`visible`] as text.
pub(crate) fn plain(raw: &[u8]) -> String {
    let bytes: Vec<u8> = visible(raw).map(|(byte, _)| byte).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The length of the escape sequence that `raw` begins with; all of `raw` when the sequence is incomplete.
fn escape_length(raw: &[u8]) -> usize {
    let end = match raw.get(1) {
        // A control sequence (colours, the cursor): parameters, then one final byte.
        Some(b'[') => raw[2..]
            .iter()
            .position(|b| matches!(b, 0x40..=0x7e))
            .map(|at| at + 3),
        // Strings (a window's title, a link): up to BEL or ESC \.
        Some(b']' | b'P' | b'^' | b'_') => (2..raw.len()).find_map(|at| match raw[at..] {
            [BEL, ..] => Some(at + 1),
            [ESC, b'\\', ..] => Some(at + 2),
            _ => None,
        }),
        // Character sets: intermediate bytes, then one final byte.
        Some(0x20..=0x2f) => raw[2..]
            .iter()
            .position(|b| matches!(b, 0x30..=0x7e))
            .map(|at| at + 3),
        Some(_) => Some(2),
        None => None,
    };
    end.unwrap_or(raw.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_left_out_and_the_text_between_them_stays() {
        assert_eq!(plain(b"\x1b[1;36m<anna>\x1b[0m hi\r\n"), "<anna> hi\n");
        assert_eq!(
            plain(b"\x1b]0;title\x07a\x1b]0;title\x1b\\b\x1b(Bc\x1b7d"),
            "abcd"
        );
        assert_eq!(plain("\r\x1b[KПривет".as_bytes()), "\rПривет");
    }

    #[test]
    fn an_escape_cut_off_anywhere_shows_nothing() {
        for whole in [
            "\x1b[1;36m",
            "\x1b]0;title\x07",
            "\x1b]0;t\x1b\\",
            "\x1b(B",
            "\x1b7",
        ] {
            for cut in 0..=whole.len() {
                assert_eq!(
                    plain(&whole.as_bytes()[..cut]),
                    "",
                    "{whole:?} cut at {cut}"
                );
            }
        }
    }

    #[test]
    fn offsets_lead_back_to_the_raw_output() {
        let raw = b"a\x1b[0mb\r\nc";
        let ends: Vec<_> = visible(raw).collect();
        assert_eq!(ends, [(b'a', 1), (b'b', 6), (b'\n', 8), (b'c', 9)]);
    }
}
