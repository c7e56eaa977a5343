//! The raw stream of RFC 862: every byte comes back, and no byte has a meaning.

use std::io::{self, Read, Write};

use proto::Escaped;
use tcp_server::{BoxError, EndReason, debug_line};

/// Sends every byte back, in portions of at most `portion` bytes, until the client closes its side.
///
/// # Errors
///
/// The fault of the stream that ended it.
pub fn echo_bytes(client: &mut (impl Read + Write), portion: usize) -> Result<EndReason, BoxError> {
    let mut buffer = vec![0; portion];
    loop {
        let received = match client.read(&mut buffer) {
            Ok(0) => return Ok("the client closed the connection"),
            Ok(count) => &buffer[..count],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        let shown = Escaped::from_bytes(received).quoted().cut(80);
        debug_line(format_args!("portion of {} bytes: {shown}", received.len()));
        client.write_all(received)?;
    }
}

#[cfg(test)]
mod tests {
    use testbed::MemoryStream;

    use super::*;

    #[test]
    fn bytes_come_back_in_portions() {
        let text = format!("{}ж!", "x".repeat(1023));
        let mut client = MemoryStream::sending(&[text.as_bytes(), b"exit\n", b"\0\xff"]);
        assert_eq!(
            echo_bytes(&mut client, 1024).unwrap(),
            "the client closed the connection"
        );
        // The Cyrillic letter is split between two portions, and comes back whole.
        let (first, second) = text.as_bytes().split_at(1024);
        assert_eq!(client.writes, [first, second, b"exit\n", b"\0\xff"]);
    }
}
