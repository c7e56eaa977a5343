//! System errors as part of a sentence.

use std::fmt::{self, Display, Formatter};
use std::io;

/// Shows an I/O error the way it reads after a colon: `connection refused` for `Connection refused (os error 111)`.
#[derive(Clone, Copy, Debug)]
pub struct Reason<'a>(pub &'a io::Error);

impl Display for Reason<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let whole = self.0.to_string();
        let text = match whole.rsplit_once(" (os error ") {
            // Windows ends its texts with a full stop.
            Some((text, _)) if self.0.raw_os_error().is_some() => text.trim_end_matches('.'),
            _ => &whole,
        };
        let text = text
            .strip_prefix("failed to lookup address information: ")
            .unwrap_or(text);
        let mut rest = text.chars();
        let first = rest.next().map(|first| first.to_ascii_lowercase());
        // A word in capitals is a name or an abbreviation.
        match first {
            Some(first) if rest.as_str().starts_with(char::is_lowercase) => {
                write!(f, "{first}{}", rest.as_str())
            }
            _ => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    #[test]
    fn reasons_fit_into_a_sentence() {
        let shown = |error: Error| Reason(&error).to_string();
        // ENOENT, ERROR_FILE_NOT_FOUND: each system has its own words for it.
        let of_system = shown(Error::from_raw_os_error(2));
        assert!(of_system.starts_with(char::is_lowercase), "{of_system}");
        assert!(!of_system.ends_with(['.', ')']), "{of_system}");
        #[cfg(unix)]
        assert_eq!(of_system, "no such file or directory");
        assert_eq!(shown(ErrorKind::StorageFull.into()), "no storage space");
        assert_eq!(
            shown(Error::other("EOF inside a frame")),
            "EOF inside a frame"
        );
        let unknown = "failed to lookup address information: Name or service not known";
        assert_eq!(shown(Error::other(unknown)), "name or service not known");
        assert_eq!(shown(Error::other("")), "");
    }
}
