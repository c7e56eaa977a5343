//! The two ways to receive must find the same messages and the same end in any bytes, wherever
//! these are cut. The fuzz target `frames` holds them to the same.

use std::io::{self, Cursor, Read};

use proptest::prelude::*;
use proto::{FrameBuffer, FramedSocket};

const LIMIT: usize = 300;

/// Messages, and the words of the end: none for a clean one.
type Received = (Vec<String>, Option<String>);

fn by_socket(bytes: &[u8]) -> Received {
    let (mut stream, mut texts) = (Cursor::new(bytes.to_vec()), vec![]);
    loop {
        match stream.recv_text(LIMIT) {
            Ok(Some(text)) => texts.push(text),
            Ok(None) => return (texts, None),
            Err(error) => return (texts, Some(error.to_string())),
        }
    }
}

struct Pieces<'a> {
    bytes: &'a [u8],
    size: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let size = self.size.min(self.bytes.len());
        (&self.bytes[..size])
            .read(room)
            .inspect(|got| self.bytes = &self.bytes[*got..])
    }
}

fn by_buffer(bytes: &[u8], size: usize) -> Received {
    let mut stream = Pieces { bytes, size };
    let (mut frames, mut texts) = (FrameBuffer::new(LIMIT), vec![]);
    loop {
        if frames.read_from(&mut stream).expect("memory can be read") == 0 {
            return (texts, frames.finish().err().map(|error| error.to_string()));
        }
        loop {
            match frames.next_text() {
                Ok(Some(text)) => texts.push(text.to_owned()),
                Ok(None) => break,
                Err(error) => return (texts, Some(error.to_string())),
            }
        }
    }
}

/// Frames, some of them damaged, and then anything.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let frame = prop_oneof![
        8 => ".{0,60}".prop_map(|text| {
            [&u32::try_from(text.len()).expect("it is short").to_be_bytes()[..], text.as_bytes()].concat()
        }),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => Just(b"\0\0\0\x02\xd0b".to_vec()),
    ];
    prop::collection::vec(frame, 0..12).prop_map(|frames| frames.concat())
}

proptest! {
    #[test]
    fn both_ways_receive_the_same(bytes in streams(), size in 1..200usize, cut in any::<prop::sample::Index>()) {
        let bytes = &bytes[..cut.index(bytes.len() + 1)];
        prop_assert_eq!(by_buffer(bytes, size), by_socket(bytes));
    }
}
