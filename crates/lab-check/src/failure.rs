//! Why a check failed, with what was sent and received.

use std::fmt;

use proto::Escaped;

/// How many of the last bytes in each direction a failure shows.
const SHOWN_BYTES: usize = 32;

/// Why a check failed, with the last bytes of both directions.
#[derive(Debug)]
pub struct Failure {
    /// What is wrong, in one sentence without a full stop.
    pub problem: String,
    /// What passed on that connection.
    pub excerpts: Excerpts,
}

impl Failure {
    /// A failure that has nothing to show but words.
    #[must_use]
    pub fn new(problem: impl Into<String>) -> Self {
        Excerpts::default().failure(problem)
    }
}

/// As the problem alone.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for Failure {}

/// The last bytes of both directions.
#[derive(Clone, Debug, Default)]
pub struct Excerpts {
    /// To the server.
    pub sent: Excerpt,
    /// From the server.
    pub received: Excerpt,
}

impl Excerpts {
    /// A failure that shows them.
    pub(crate) fn failure(&self, problem: impl Into<String>) -> Failure {
        Failure {
            problem: problem.into(),
            excerpts: self.clone(),
        }
    }
}

/// The last bytes of a direction, and how many there were in all.
#[derive(Clone, Debug, Default)]
pub struct Excerpt {
    total: u64,
    last: Vec<u8>,
}

impl Excerpt {
    /// Takes what passed.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let kept = &bytes[bytes.len().saturating_sub(SHOWN_BYTES)..];
        self.last.extend_from_slice(kept);
        self.last
            .drain(..self.last.len().saturating_sub(SHOWN_BYTES));
    }

    /// How many bytes there were in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Whether this is what a server with TLS answers to a client without: one alert (RFC 8446, section 5.1), of which
    /// the reader may have taken only the beginning.
    pub(crate) fn is_tls_alert(&self) -> bool {
        self.total <= 7 && self.last.starts_with(&[0x15, 0x03])
    }

    /// The last bytes in hexadecimal.
    #[must_use]
    pub fn hex(&self) -> String {
        let digits: Vec<_> = self.last.iter().map(|byte| format!("{byte:02x}")).collect();
        digits.join(" ")
    }

    /// The last bytes as text that is safe to print.
    #[must_use]
    pub fn text(&self) -> String {
        Escaped::from_bytes(&self.last).quoted().to_string()
    }
}

/// `5 bytes: 68 65 6c 6c 6f "hello"`.
impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = if self.total > self.last.len() as u64 {
            ", the last"
        } else {
            ""
        };
        match self.total {
            0 => f.write_str("nothing"),
            total => write!(f, "{total} bytes{last}: {} {}", self.hex(), self.text()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_shows_the_last_bytes() {
        let mut excerpt = Excerpt::default();
        assert_eq!(excerpt.to_string(), "nothing");
        excerpt.add(b"hi\x1b");
        assert_eq!(excerpt.to_string(), r#"3 bytes: 68 69 1b "hi\x1b""#);
        excerpt.add(&[b'x'; 100]);
        let (shown, count) = (excerpt.to_string(), excerpt.hex().split(' ').count());
        assert!(shown.starts_with("103 bytes, the last: 78 78"), "{shown}");
        assert_eq!(count, SHOWN_BYTES);
    }
}
