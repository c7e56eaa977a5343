//! The bytes of session datagrams: a header in the open, and a body of frames, in network byte order.
//!
//! ```text
//! header:  kind (1)  session (16)  packet number (8)
//! frames:  0x01 acknowledgement  largest (8)  delay in ms (2)  earlier, a bit each (8)  messages through (8)
//!          0x02 message part     sequence number (8)  flags (1)  length (2)  bytes
//!          0x03 ping
//!          0x04 path challenge   token (8)
//!          0x05 path response    token (8)
//!          0x06 close            reason (1)
//! ```

#[cfg(test)]
mod tests;

use std::fmt;

/// The longest datagram of the chat, which fits every path that IPv6 allows, tunnels included.
pub const MAX_DATAGRAM_BYTES: usize = 1_200;

/// The bytes before the body: kind, session id, packet number.
pub(crate) const HEADER_BYTES: usize = 1 + 16 + 8;

/// The authentication tag behind a sealed body.
pub(crate) const TAG_BYTES: usize = 16;

/// A reset: kind, session id, token.
pub(crate) const RESET_BYTES: usize = 1 + 16 + 16;

/// The body's bytes at most.
pub(crate) const MAX_BODY_BYTES: usize = MAX_DATAGRAM_BYTES - HEADER_BYTES - TAG_BYTES;

/// The bytes of an acknowledgement.
pub(crate) const ACK_BYTES: usize = 1 + 8 + 2 + 8 + 8;

/// The bytes of a message part beside the message's own.
pub(crate) const PART_OVERHEAD: usize = 1 + 8 + 1 + 2;

/// The most bytes of a message in one part, so that it fits beside an acknowledgement.
pub(crate) const MAX_PART_BYTES: usize = MAX_BODY_BYTES - ACK_BYTES - PART_OVERHEAD;

/// How many packets before the largest one an acknowledgement covers.
pub(crate) const ACK_BITS: u64 = 64;

const FLAG_MORE: u8 = 1;
const FLAG_BACKGROUND: u8 = 2;

/// Names a session, whatever addresses its datagrams come from: 16 random bytes.
///
/// In a plaintext session, anyone who knows the id can speak as the member, so `Debug` shows two bytes only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// Wraps 16 bytes, which must come from the operating system's randomness.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The session that a datagram names, if it is a session datagram. The server finds the link by it.
    #[must_use]
    pub fn of_datagram(datagram: &[u8]) -> Option<Self> {
        Header::decode(datagram).map(|(header, _)| header.session)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

/// Whether a session's bodies are sealed. It is one or the other for life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Bodies are encrypted and authenticated.
    Sealed,
    /// Bodies are readable on the way, for lessons with a packet analyser.
    Plaintext,
}

/// What stands before the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) protection: Protection,
    pub(crate) session: SessionId,
    pub(crate) number: u64,
}

/// The first byte of a datagram. A handshake's datagram begins with `{` instead.
const KIND_SEALED: u8 = 1;
const KIND_PLAINTEXT: u8 = 2;
pub(crate) const KIND_RESET: u8 = 3;

impl Header {
    pub(crate) fn encode(&self, into: &mut Vec<u8>) {
        into.push(match self.protection {
            Protection::Sealed => KIND_SEALED,
            Protection::Plaintext => KIND_PLAINTEXT,
        });
        into.extend_from_slice(&self.session.0);
        into.extend_from_slice(&self.number.to_be_bytes());
    }

    /// The header and the body of a session datagram.
    pub(crate) fn decode(datagram: &[u8]) -> Option<(Self, &[u8])> {
        if datagram.len() > MAX_DATAGRAM_BYTES {
            return None;
        }
        let mut reader = Reader(datagram);
        let protection = match reader.u8()? {
            KIND_SEALED => Protection::Sealed,
            KIND_PLAINTEXT => Protection::Plaintext,
            _ => return None,
        };
        let session = SessionId(reader.array()?);
        let number = reader.u64()?;
        Some((
            Self {
                protection,
                session,
                number,
            },
            reader.0,
        ))
    }
}

/// Acknowledges packets, and the messages that are complete up to some number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ack {
    /// The largest packet number received.
    pub(crate) largest: u64,
    /// How long after that packet this acknowledgement leaves.
    pub(crate) delay_ms: u16,
    /// Bit `i` (from the lowest) is set if packet `largest - 1 - i` was received.
    pub(crate) earlier: u64,
    /// Every message part up to this sequence number was received.
    pub(crate) through: u64,
}

impl Ack {
    /// Whether this acknowledges the packet with this number.
    pub(crate) fn covers(&self, number: u64) -> bool {
        match self.largest.checked_sub(number) {
            Some(0) => true,
            Some(distance) => distance <= ACK_BITS && self.earlier >> (distance - 1) & 1 == 1,
            None => false,
        }
    }
}

/// A piece of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    pub(crate) seq: u64,
    /// Whether the next part of the same class continues the message.
    pub(crate) more: bool,
    /// Whether it belongs to the history, whose messages may be interrupted by live ones.
    pub(crate) background: bool,
    pub(crate) bytes: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    Ack(Ack),
    Part(Part<'a>),
    Ping,
    PathChallenge([u8; 8]),
    PathResponse([u8; 8]),
    Close(u8),
}

impl Frame<'_> {
    pub(crate) fn encode(&self, into: &mut Vec<u8>) {
        match self {
            Self::Ack(ack) => {
                into.push(1);
                into.extend_from_slice(&ack.largest.to_be_bytes());
                into.extend_from_slice(&ack.delay_ms.to_be_bytes());
                into.extend_from_slice(&ack.earlier.to_be_bytes());
                into.extend_from_slice(&ack.through.to_be_bytes());
            }
            Self::Part(part) => {
                let length = u16::try_from(part.bytes.len()).expect("a part fits in a datagram");
                let more = if part.more { FLAG_MORE } else { 0 };
                let background = if part.background { FLAG_BACKGROUND } else { 0 };
                into.push(2);
                into.extend_from_slice(&part.seq.to_be_bytes());
                into.push(more | background);
                into.extend_from_slice(&length.to_be_bytes());
                into.extend_from_slice(part.bytes);
            }
            Self::Ping => into.push(3),
            Self::PathChallenge(token) => {
                into.push(4);
                into.extend_from_slice(token);
            }
            Self::PathResponse(token) => {
                into.push(5);
                into.extend_from_slice(token);
            }
            Self::Close(reason) => into.extend_from_slice(&[6, *reason]),
        }
    }
}

/// Reads the frames of a body. Ends at the first malformed one, after which `is_complete` is false.
pub(crate) struct Frames<'a> {
    reader: Reader<'a>,
    malformed: bool,
}

impl<'a> Frames<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        let (reader, malformed) = (Reader(body), false);
        Self { reader, malformed }
    }

    /// Whether a whole body is frames of this version.
    pub(crate) fn is_valid(body: &'a [u8]) -> bool {
        let mut frames = Self::new(body);
        while frames.next().is_some() {}
        !frames.malformed && !body.is_empty()
    }

    fn frame(&mut self) -> Option<Frame<'a>> {
        let reader = &mut self.reader;
        Some(match reader.u8()? {
            1 => Frame::Ack(Ack {
                largest: reader.u64()?,
                delay_ms: reader.u16()?,
                earlier: reader.u64()?,
                through: reader.u64()?,
            }),
            2 => {
                let seq = reader.u64()?;
                let flags = reader
                    .u8()
                    .filter(|flags| flags & !(FLAG_MORE | FLAG_BACKGROUND) == 0)?;
                let length = reader.u16()?;
                let bytes = reader.bytes(length.into())?;
                let (more, background) = (flags & FLAG_MORE != 0, flags & FLAG_BACKGROUND != 0);
                Frame::Part(Part {
                    seq,
                    more,
                    background,
                    bytes,
                })
            }
            3 => Frame::Ping,
            4 => Frame::PathChallenge(reader.array()?),
            5 => Frame::PathResponse(reader.array()?),
            6 => Frame::Close(reader.u8()?),
            _ => return None,
        })
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        if self.malformed || self.reader.0.is_empty() {
            return None;
        }
        let frame = self.frame();
        self.malformed = frame.is_none();
        frame
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }
}
