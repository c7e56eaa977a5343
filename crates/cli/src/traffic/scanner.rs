//! Finds frames in a stream of bytes that is cut anywhere.

use proto::{HEADER_BYTES, MAX_DIALOGUE_BYTES};

/// Frames of which some have ended. Without `keeps_payloads` it counts their bytes and holds none of them: passwords
/// are in some.
#[derive(Debug)]
pub(super) struct FrameScanner {
    keeps_payloads: bool,
    header: Vec<u8>,
    frame: Frame,
    complete: Vec<Frame>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Frame {
    /// The payload's bytes so far.
    pub(super) length: usize,
    pub(super) payload: Option<Vec<u8>>,
}

impl FrameScanner {
    pub(super) fn new(keeps_payloads: bool) -> Self {
        Self {
            keeps_payloads,
            header: vec![],
            frame: Frame::default(),
            complete: vec![],
        }
    }

    pub(super) fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let missing = HEADER_BYTES - self.header.len();
            let (header, rest) = bytes.split_at(missing.min(bytes.len()));
            self.header.extend_from_slice(header);
            let Ok(length) = <[u8; HEADER_BYTES]>::try_from(&self.header[..]) else {
                return;
            };
            let missing = u32::from_be_bytes(length) as usize - self.frame.length;
            let (payload, rest) = rest.split_at(missing.min(rest.len()));
            self.add(payload);
            if payload.len() == missing {
                self.header.clear();
                self.complete.push(std::mem::take(&mut self.frame));
            }
            bytes = rest;
        }
    }

    fn add(&mut self, payload: &[u8]) {
        self.frame.length += payload.len();
        if self.keeps_payloads {
            let kept = self.frame.payload.get_or_insert_default();
            // A frame over the limit is an error, and nothing of it is shown.
            let room = MAX_DIALOGUE_BYTES - kept.len();
            kept.extend_from_slice(&payload[..payload.len().min(room)]);
        }
    }

    /// The frames that have ended since the last call.
    pub(super) fn take_complete(&mut self) -> Vec<Frame> {
        std::mem::take(&mut self.complete)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scanned(keeps: bool, bytes: &[u8], portion: usize) -> Vec<Frame> {
        let mut scanner = FrameScanner::new(keeps);
        bytes.chunks(portion).for_each(|bytes| scanner.push(bytes));
        scanner.take_complete()
    }

    #[test]
    fn payloads_are_held_only_if_they_are_shown() {
        let bytes = b"\0\0\0\x02hi\0\0\0\0\0\0\0\x03cut";
        let frame = |length, payload: Option<&[u8]>| Frame {
            length,
            payload: payload.map(<[u8]>::to_vec),
        };
        let shown = [
            frame(2, Some(b"hi")),
            frame(0, Some(b"")),
            frame(3, Some(b"cut")),
        ];
        let hidden = [frame(2, None), frame(0, None), frame(3, None)];
        for portion in 1..bytes.len() {
            assert_eq!(scanned(true, bytes, portion), shown, "{portion}");
            assert_eq!(scanned(false, bytes, portion), hidden, "{portion}");
            assert_eq!(scanned(true, &bytes[..16], portion), shown[..2]);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_take_bounded_memory(
            bytes in prop::collection::vec(any::<u8>(), 0..40_000), portion in 1..9_000usize,
        ) {
            let mut scanner = FrameScanner::new(true);
            for bytes in bytes.chunks(portion) {
                scanner.push(bytes);
                let held = scanner.frame.payload.as_ref().map_or(0, Vec::len);
                prop_assert!(held <= MAX_DIALOGUE_BYTES);
                scanner.take_complete();
            }
        }
    }
}
