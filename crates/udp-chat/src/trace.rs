//! What `--trace` shows: a service message for each datagram and each measured round trip.
//!
//! It reads datagrams, never changes them, and is asked only while the flag is given.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use log::info;
use proto::Escaped;
use proto::chat::{Datagram, Reason};

/// How much of a message is shown, in characters.
const MESSAGE_CHARS: usize = 60;

/// A datagram that leaves, whether it carries a message that was sent before, and whether it is
/// lost on purpose.
pub fn sent(bytes: &[u8], to: SocketAddr, again: bool, lost: bool) {
    let again = if again { ", again" } else { "" };
    info!("trace: to {to}: {}{again}{}", Shown(bytes), Fate(lost));
}

/// A datagram that came, and whether it is lost on purpose.
pub fn received(bytes: &[u8], from: SocketAddr, lost: bool) {
    info!("trace: from {from}: {}{}", Shown(bytes), Fate(lost));
}

/// The smoothed round-trip time of the link with somebody, after a new measurement.
pub struct RoundTrip<'a>(pub &'a str, pub Duration);

impl fmt::Display for RoundTrip<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(peer, time) = self;
        let ms = time.as_secs_f64() * 1e3;
        write!(
            f,
            "trace: round trip with {}: {ms:.3} ms",
            Escaped::new(peer)
        )
    }
}

/// A datagram in a few words.
struct Shown<'a>(&'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text| Escaped::new(text).quoted().cut(MESSAGE_CHARS);
        match Datagram::decode(self.0) {
            Ok(Datagram::Hello(hello)) => {
                let cookie = if hello.cookie.is_some() {
                    " with a cookie"
                } else {
                    ""
                };
                let back = if hello.session.is_some() {
                    " to come back"
                } else {
                    ""
                };
                write!(f, "hello from {}{cookie}{back}", quoted(&hello.nick))?;
            }
            Ok(Datagram::Challenge(_)) => f.write_str("challenge")?,
            Ok(Datagram::Welcome(welcome)) => write!(f, "welcome to {}", quoted(&welcome.nick))?,
            Ok(Datagram::Refused(refused)) => write!(f, "refused: {}", quoted(&refused.message))?,
            Ok(Datagram::Data(data)) => {
                write!(f, "data {}, ack {}", data.seq, data.ack)?;
                write_ranges(f, &data.ranges)?;
                write!(
                    f,
                    ": {}",
                    Escaped::new(data.message.get()).cut(MESSAGE_CHARS)
                )?;
            }
            Ok(Datagram::Ack(ack)) => {
                write!(f, "ack {}", ack.ack)?;
                write_ranges(f, &ack.ranges)?;
            }
            Ok(Datagram::Ping(ping)) => write!(f, "ping {}", ping.id)?,
            Ok(Datagram::Pong(pong)) => write!(f, "pong {}", pong.id)?,
            Ok(Datagram::Bye(bye)) => write!(f, "bye, {}", words(bye.reason))?,
            Err(error) => write!(f, "no datagram of the chat ({error})")?,
        }
        write!(f, ", {} bytes", self.0.len())
    }
}

struct Fate(bool);

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { ", lost on purpose" } else { "" })
    }
}

/// A reason as it reads after a comma.
pub(crate) fn words(reason: Reason) -> &'static str {
    match reason {
        Reason::Quit => "quit",
        Reason::Stopping => "the server stops",
        Reason::Flooding => "flooding",
        Reason::TooSlow => "too slow",
        Reason::TimedOut => "timed out",
        Reason::Other => "for a reason unknown here",
    }
}

fn write_ranges(f: &mut fmt::Formatter<'_>, ranges: &[(u64, u64)]) -> fmt::Result {
    ranges
        .iter()
        .try_for_each(|(from, to)| write!(f, " and {from}-{to}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8]) -> String {
        Shown(bytes).to_string()
    }

    #[test]
    fn datagrams_are_told_in_a_few_words() {
        let session = r#""session":"00112233445566778899aabbccddeeff""#;
        for (datagram, words) in [
            (
                format!(
                    r#"{{"type":"data",{session},"seq":8,"ack":12,"ranges":[[14,15],[17,17]],"message":{{"type":"who"}}}}"#
                ),
                r#"data 8, ack 12 and 14-15 and 17-17: {"type":"who"}, 129 bytes"#,
            ),
            (
                format!(r#"{{"type":"bye",{session},"reason":"quit"}}"#),
                "bye, quit, 75 bytes",
            ),
        ] {
            assert_eq!(shown(datagram.as_bytes()), words);
        }
    }

    #[test]
    fn hostile_bytes_are_harmless() {
        let session = r#""session":"00112233445566778899aabbccddeeff""#;
        let escape = format!(
            "{{\"type\":\"data\",{session},\"seq\":1,\"ack\":0,\"message\":\"\u{9b}2J\u{202e}\"}}"
        );
        for bytes in [&b"\xff\x1b[2J"[..], b"", escape.as_bytes()] {
            let shown = shown(bytes);
            let harmful = |c: char| c.is_control() || c == '\u{202e}';
            assert!(!shown.contains(harmful), "{shown:?}");
        }
    }
}
