//! Compares two streams of any length in eight bytes of memory.

/// A running hash of a stream: FNV-1a with 64 bits (draft-eastlake-fnv). It does not depend on how the stream is
/// cut into pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(pieces: &[&[u8]]) -> Digest {
        let mut digest = Digest::default();
        pieces.iter().for_each(|piece| digest.add(piece));
        digest
    }

    #[test]
    fn it_is_fnv_1a() {
        assert_eq!(digest(&[b"foobar"]), Digest(0x8594_4171_f739_67e8));
    }

    #[test]
    fn only_the_bytes_and_their_order_count() {
        assert_eq!(digest(&[b"foo", b"", b"bar"]), digest(&[b"foobar"]));
        assert_ne!(digest(&[b"bar", b"foo"]), digest(&[b"foobar"]));
        assert_ne!(digest(&[b"foobar\0"]), digest(&[b"foobar"]));
    }
}
