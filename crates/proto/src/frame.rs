//! One frame: its header, its limits, and where it ends. No stream is read or written here.

use crate::error::{RecvError, SendError};
use crate::limits::HEADER_BYTES;

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

/// The payload's length in a header, if it is within `limit`.
pub(crate) fn checked_length(header: [u8; HEADER_BYTES], limit: usize) -> Result<usize, RecvError> {
    let length = u32::from_be_bytes(header);
    match usize::try_from(length) {
        Ok(fits) if fits <= limit => Ok(fits),
        _ => Err(RecvError::TooLong { length, limit }),
    }
}

/// The memory that a receiver gives a payload before any of it has come: most messages fit, and it is little for a
/// header alone.
pub(crate) const FIRST_PAYLOAD_BYTES: usize = 4 << 10;

/// The memory that a receiver gives a payload of `length` bytes once `received` of them have come: four times as much,
/// so that a payload is moved rarely.
pub(crate) fn payload_room(received: usize, length: usize) -> usize {
    received
        .saturating_mul(4)
        .max(FIRST_PAYLOAD_BYTES)
        .min(length)
}

/// Follows the frames in a stream of bytes, whatever pieces it comes in. It checks no limit.
#[derive(Debug, Default)]
pub(crate) struct FrameTracker {
    header: [u8; HEADER_BYTES],
    /// Bytes of the current frame so far, its header included.
    position: u64,
}

impl FrameTracker {
    /// Advances over the next bytes of the stream, and returns how many frames end in them.
    pub(crate) fn advance(&mut self, mut bytes: &[u8]) -> usize {
        let mut ended = 0;
        loop {
            // Most frames come whole.
            while self.position == 0
                && let Some((header, rest)) = bytes.split_first_chunk()
                && let Some(after) = rest.get(u32::from_be_bytes(*header) as usize..)
            {
                bytes = after;
                ended += 1;
            }
            if self.position < HEADER_BYTES as u64 {
                let start = self.position as usize;
                let (part, rest) = bytes.split_at(bytes.len().min(HEADER_BYTES - start));
                self.header[start..start + part.len()].copy_from_slice(part);
                self.position += part.len() as u64;
                bytes = rest;
                if self.position < HEADER_BYTES as u64 {
                    return ended;
                }
            }
            let missing = HEADER_BYTES as u64 + u64::from(self.length()) - self.position;
            if missing > bytes.len() as u64 {
                self.position += bytes.len() as u64;
                return ended;
            }
            bytes = &bytes[missing as usize..];
            self.position = 0;
            ended += 1;
        }
    }

    /// The unfinished payload: how many bytes of how many have come. `None` outside a payload.
    pub(crate) fn unfinished(&self) -> Option<(usize, usize)> {
        let received = self.position.checked_sub(HEADER_BYTES as u64)?;
        Some((received as usize, self.length() as usize))
    }

    fn length(&self) -> u32 {
        u32::from_be_bytes(self.header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_ECHO_BYTES;

    #[test]
    fn a_header_is_the_length_in_network_byte_order() {
        assert_eq!(header(0).unwrap(), [0, 0, 0, 0]);
        assert_eq!(header(0x0102_0304).unwrap(), [1, 2, 3, 4]);
        assert!(matches!(header(1 << 32), Err(SendError::TooLong { length }) if length == 1 << 32));
    }

    #[test]
    fn the_limit_is_the_longest_payload_accepted() {
        assert_eq!(checked_length([0, 0, 0, 5], 5).unwrap(), 5);
        let error = checked_length([0, 0, 0, 5], 4).unwrap_err();
        assert!(matches!(
            error,
            RecvError::TooLong {
                length: 5,
                limit: 4
            }
        ));
    }

    #[test]
    fn text_in_place_of_a_header_is_named() {
        let error = checked_length(*b"GET ", MAX_ECHO_BYTES).unwrap_err();
        assert!(error.to_string().contains("\"GET \""), "{error}");
        let error = checked_length([0xff; 4], MAX_ECHO_BYTES).unwrap_err();
        assert!(!error.to_string().contains("spells"), "{error}");
    }

    #[test]
    fn the_tracker_counts_the_same_frames_however_they_are_cut() {
        let wire = b"\0\0\0\x05hello\0\0\0\0\0\0\0\x01x\0\0\0\x09par";
        for size in 1..=wire.len() {
            let mut tracker = FrameTracker::default();
            let ended: usize = wire.chunks(size).map(|piece| tracker.advance(piece)).sum();
            assert_eq!(
                (ended, tracker.unfinished()),
                (3, Some((3, 9))),
                "pieces of {size}"
            );
        }
    }

    #[test]
    fn the_tracker_knows_where_a_payload_begins_and_ends() {
        let mut tracker = FrameTracker::default();
        for (bytes, ended, unfinished) in [
            (&b"\0\0"[..], 0, None),
            (b"\0\x02", 0, Some((0, 2))),
            (b"h", 0, Some((1, 2))),
            (b"i", 1, None),
            (b"\xff\xff\xff\xff", 0, Some((0, u32::MAX as usize))),
        ] {
            assert_eq!(
                (tracker.advance(bytes), tracker.unfinished()),
                (ended, unfinished)
            );
        }
    }
}
