//! Any bytes, cut anywhere: the buffer and the plain socket must find the same messages and the
//! same end, and a run must be the wire of those messages.

use std::io::{self, Cursor, Read};

use proto::{FrameBuffer, FramedSocket, RecvError, RunEnd};

const LIMIT: usize = 300;

/// The first byte says in how long pieces the others come, less one.
pub fn check(input: &[u8]) {
    let Some((size, bytes)) = input.split_first() else {
        return;
    };
    let size = usize::from(*size) + 1;
    let (texts, end) = by_socket(bytes);
    assert_eq!(by_buffer(bytes, size), (texts.clone(), end.clone()));

    let (wire, count, error) = by_runs(bytes, size);
    assert_eq!(count, texts.len());
    assert_eq!(wire, bytes[..wire.len()], "a run is what came");
    let lengths = texts.iter().map(|text| 4 + text.len());
    assert_eq!(wire.len(), lengths.sum::<usize>());
    assert_eq!(error.map(|error| error.to_string()), end);
}

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

/// The wire of all runs, how many frames these are, and why they end.
fn by_runs(bytes: &[u8], size: usize) -> (Vec<u8>, usize, Option<RecvError>) {
    let mut stream = Pieces { bytes, size };
    let (mut frames, mut wire, mut count) = (FrameBuffer::new(LIMIT), vec![], 0);
    loop {
        if frames.read_from(&mut stream).expect("memory can be read") == 0 {
            return (wire, count, frames.finish().err());
        }
        let run = frames.take_run(|_| true);
        wire.extend_from_slice(run.wire);
        count += run.frames;
        if let RunEnd::Broken(error) = run.end {
            return (wire, count, Some(error));
        }
    }
}
