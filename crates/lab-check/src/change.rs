//! What a server seems to have done to a text that came back changed.

/// How `got` seems to have been made from `sent`, if it is one of the usual ways.
pub(crate) fn describe_change(got: &[u8], sent: &[u8]) -> Option<&'static str> {
    let (got_text, sent_text) = (String::from_utf8_lossy(got), String::from_utf8_lossy(sent));
    let trimmed = sent_text.trim();
    if got.is_empty() || sent.is_empty() {
        return None;
    }
    if got_text.to_lowercase() == sent_text.to_lowercase() {
        Some("letters came back in another case; send back the bytes as they are")
    } else if got_text.chars().rev().eq(sent_text.chars()) {
        Some("the text came back reversed; send back the bytes as they are")
    } else if got_text == trimmed || sent_text.trim_end() == got_text {
        Some("blanks or line ends at its ends are missing; do not strip or trim it")
    } else if got_text.replace("\r\n", "\n") == sent_text.replace("\r\n", "\n") {
        Some("line ends came back changed; open no text mode, and use no readLine or println")
    } else if got
        .strip_prefix(sent)
        .is_some_and(|rest| rest.iter().all(|byte| b"\r\n\0".contains(byte)))
    {
        Some("a line end or NUL byte was added; send only the bytes that were received")
    } else if got_text.contains(['?', char::REPLACEMENT_CHARACTER]) && !sent_text.contains('?') {
        Some(
            "characters were replaced; do not decode the bytes, or decode and encode them as UTF-8",
        )
    } else if latin1(sent).starts_with(&*got_text) && !sent.is_ascii() {
        Some("it was decoded as Latin-1 and encoded as UTF-8; use UTF-8 for both")
    } else if starts_inside(got, sent) {
        Some("the server puts text of its own before it; send back only what was received")
    } else if got.starts_with(sent) {
        Some("the server adds text of its own; send back only what was received")
    } else {
        None
    }
}

/// What bytes look like to a program that takes each for a character.
fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// Whether `got` ends with a beginning of `sent` that is long enough to be no accident.
fn starts_inside(got: &[u8], sent: &[u8]) -> bool {
    const LEAST: usize = 4;
    (1..got.len().saturating_sub(LEAST - 1)).any(|at| sent.starts_with(&got[at..]))
        || (got.len() > sent.len() && got.ends_with(sent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_changes_are_recognised() {
        let sent = " Привет, World \n";
        let upper = sent.to_uppercase();
        let reversed: String = sent.chars().rev().collect();
        let latin1 = latin1(sent.as_bytes());
        let replaced: String = sent
            .chars()
            .map(|c| if c.is_ascii() { c } else { '?' })
            .collect();
        for (got, expected) in [
            (&*upper, "another case"),
            (&reversed, "reversed"),
            (sent.trim(), "missing"),
            (sent.trim_end(), "missing"),
            (&sent.replace('\n', "\r\n"), "line ends"),
            (&format!("{sent}\0"), "added"),
            (&replaced, "replaced"),
            (&latin1, "Latin-1"),
            (&latin1[..sent.len() - 3], "Latin-1"),
            (&format!("Echo: {sent}"), "before it"),
            (&format!("Echo: {sent}")[..sent.len()], "before it"),
            (&format!("{sent} (from the server)"), "adds"),
        ] {
            let change = describe_change(got.as_bytes(), sent.as_bytes());
            assert!(
                change.is_some_and(|change| change.contains(expected)),
                "{got:?}: {change:?}"
            );
        }
    }

    #[test]
    fn other_changes_are_not_guessed_at() {
        for got in ["", "hallo", "something else"] {
            assert_eq!(describe_change(got.as_bytes(), b"hello"), None, "{got}");
        }
        assert_eq!(describe_change(b"x", b""), None);
    }
}
