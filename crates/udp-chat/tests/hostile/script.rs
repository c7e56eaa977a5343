//! What a script of any bytes asks for. What comes of it is not known here.

use proto::chat::{Ack, Body, Bye, Data, Datagram, Ping, Pong, Reason, SessionId};
use std::borrow::Cow;

pub struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// `0` is nought.
    pub fn number(&mut self) -> usize {
        usize::from(self.byte().unwrap_or(b'0').wrapping_sub(b'0'))
    }

    pub fn side_and_number(&mut self) -> (usize, usize) {
        let number = self.number();
        (number & 1, number >> 1)
    }

    pub fn line(&mut self) -> &'a [u8] {
        let line = self.0.split(|&byte| byte == b'\n').next().unwrap_or(b"");
        self.0 = self.0.get(line.len() + 1..).unwrap_or(b"");
        line
    }

    /// A number of a datagram: small, or any there is.
    fn count(&mut self) -> u64 {
        match self.number() {
            255 => u64::MAX,
            number => number as u64,
        }
    }

    /// A datagram as the script wants it; whether it is one.
    pub fn forge(&mut self, session: SessionId, bytes: &mut Vec<u8>) -> bool {
        let kind = self.byte().unwrap_or(b'a');
        let (seq, ack) = (self.count(), self.count());
        let ranges = match (self.count(), self.count()) {
            (0, 0) => vec![],
            range => vec![range],
        };
        let message = Body::new(&"forged").expect("it is short");
        let datagram = match kind {
            b'd' => Datagram::Data(Data {
                session,
                seq,
                ack,
                ranges,
                message: Cow::Borrowed(message.as_json()),
            }),
            b'a' => Datagram::Ack(Ack {
                session,
                ack,
                ranges,
            }),
            b'p' => Datagram::Ping(Ping { session, id: seq }),
            b'o' => Datagram::Pong(Pong { session, id: seq }),
            b'b' => Datagram::Bye(Bye {
                session,
                reason: Reason::Stopping,
            }),
            _ => return false,
        };
        datagram.encode(bytes).is_ok()
    }
}
