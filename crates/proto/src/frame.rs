//! One frame: its header, its limits, and how it is told from bytes that are none. Only bytes in
//! and bytes out; where they come from is not known here.

use crate::error::{RecvError, SendError};

/// Length of a header: the payload's length in bytes, an unsigned big-endian integer.
pub const HEADER_BYTES: usize = 4;

/// The longest payload that echo programs take, unless told otherwise: 1 MiB.
pub const MAX_ECHO_BYTES: usize = 1 << 20;

/// The longest payload in a dialogue of ident or auth: 16 KiB.
pub const MAX_DIALOGUE_BYTES: usize = 16 << 10;

/// The header of a payload of `length` bytes.
///
/// # Errors
///
/// [`SendError::TooLong`] when four bytes cannot hold the length.
pub fn header(length: usize) -> Result<[u8; HEADER_BYTES], SendError> {
    match u32::try_from(length) {
        Ok(length) => Ok(length.to_be_bytes()),
        Err(_) => Err(SendError::TooLong { length }),
    }
}

/// The payload's length as a header has it, once it is known to be within `limit`.
pub(crate) fn checked_length(header: [u8; HEADER_BYTES], limit: usize) -> Result<usize, RecvError> {
    let length = u32::from_be_bytes(header);
    match usize::try_from(length) {
        Ok(fits) if fits <= limit => Ok(fits),
        _ => Err(RecvError::TooLong { length, limit }),
    }
}

/// The payload as text.
pub(crate) fn checked_text(payload: &[u8]) -> Result<&str, RecvError> {
    std::str::from_utf8(payload).map_err(|error| RecvError::NotUtf8 {
        length: payload.len(),
        valid_up_to: error.valid_up_to(),
    })
}

/// The text of the first whole frame in `bytes`; none when it has not all come yet.
pub(crate) fn first_frame(bytes: &[u8], limit: usize) -> Result<Option<&str>, RecvError> {
    let Some((header, rest)) = bytes.split_first_chunk() else {
        return Ok(None);
    };
    let length = checked_length(*header, limit)?;
    rest.get(..length).map(checked_text).transpose()
}

/// The end of the stream after `bytes`, which hold no whole frame: clean, or inside a frame.
pub(crate) fn end_of_stream(bytes: &[u8]) -> Result<(), RecvError> {
    match bytes.split_first_chunk() {
        _ if bytes.is_empty() => Ok(()),
        None => Err(RecvError::CutOffHeader { got: bytes.len() }),
        Some((header, rest)) => Err(RecvError::CutOffPayload {
            got: rest.len(),
            length: u32::from_be_bytes(*header) as usize,
        }),
    }
}

/// The four characters that a length spells when somebody sends text where a header belongs:
/// `GET ` for a browser, `SSH-` for an SSH client.
pub(crate) fn spelled_text(length: u32) -> Option<String> {
    let header = length.to_be_bytes();
    let printable = header.iter().all(|byte| matches!(byte, b' '..=b'~'));
    printable.then(|| header.map(char::from).iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_the_length_in_network_byte_order() {
        assert_eq!(header(0).unwrap(), [0, 0, 0, 0]);
        assert_eq!(header(0x0102_0304).unwrap(), [1, 2, 3, 4]);
        assert!(matches!(header(1 << 32), Err(SendError::TooLong { length }) if length == 1 << 32));
    }

    #[test]
    fn a_frame_is_taken_only_when_all_of_it_came() {
        let wire = b"\0\0\0\x05hello\0\0";
        for cut in 0..9 {
            assert!(
                matches!(first_frame(&wire[..cut], 16), Ok(None)),
                "cut at {cut}"
            );
        }
        assert_eq!(first_frame(wire, 16).unwrap(), Some("hello"));
        assert_eq!(first_frame(b"\0\0\0\0", 16).unwrap(), Some(""));
    }

    #[test]
    fn the_limit_is_the_longest_payload_taken() {
        let at_limit = b"\0\0\0\x05hello";
        assert_eq!(first_frame(at_limit, 5).unwrap(), Some("hello"));
        assert!(matches!(
            first_frame(at_limit, 4),
            Err(RecvError::TooLong {
                length: 5,
                limit: 4
            })
        ));
    }

    #[test]
    fn text_in_place_of_a_header_is_named() {
        let error = first_frame(b"GET / HTTP/1.1\r\n", MAX_ECHO_BYTES).unwrap_err();
        assert!(error.to_string().contains("\"GET \""), "{error}");
        let error = first_frame(b"\xff\xff\xff\xff", MAX_ECHO_BYTES).unwrap_err();
        assert!(!error.to_string().contains("spells"), "{error}");
    }

    #[test]
    fn bytes_that_do_not_decode_are_counted() {
        let wire = b"\0\0\0\x03a\xd0b";
        assert!(matches!(
            first_frame(wire, 16),
            Err(RecvError::NotUtf8 {
                length: 3,
                valid_up_to: 1
            })
        ));
    }

    #[test]
    fn the_end_is_clean_only_between_frames() {
        assert!(end_of_stream(b"").is_ok());
        assert!(matches!(
            end_of_stream(b"\0\0\0"),
            Err(RecvError::CutOffHeader { got: 3 })
        ));
        assert!(matches!(
            end_of_stream(b"\0\0\0\x05hel"),
            Err(RecvError::CutOffPayload { got: 3, length: 5 })
        ));
    }
}
