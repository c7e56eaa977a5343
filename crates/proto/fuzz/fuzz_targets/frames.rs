//! Any bytes, cut anywhere: the buffer and the plain socket must find the same messages and the
//! same end, and a run must be the wire of those messages.
#![no_main]

use std::io::{self, Cursor, Read};

use libfuzzer_sys::fuzz_target;
use proto::{FrameBuffer, FramedSocket, RecvError, RunEnd};

const LIMIT: usize = 300;

/// Bytes that come in pieces as long as the first of them says.
struct Pieces<'a> {
    bytes: &'a [u8],
    size: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let size = self.size.min(self.bytes.len());
        (&self.bytes[..size]).read(room).inspect(|got| self.bytes = &self.bytes[*got..])
    }
}

/// The messages in a stream, and the words of its end.
fn by_socket(bytes: &[u8]) -> (Vec<String>, String) {
    let (mut stream, mut texts) = (Cursor::new(bytes.to_vec()), vec![]);
    loop {
        match stream.recv_text(LIMIT) {
            Ok(Some(text)) => texts.push(text),
            Ok(None) => return (texts, String::new()),
            Err(error) => return (texts, error.to_string()),
        }
    }
}

fn by_buffer(bytes: &[u8], size: usize) -> (Vec<String>, String) {
    let (mut stream, mut frames, mut texts) = (Pieces { bytes, size }, FrameBuffer::new(LIMIT), vec![]);
    let end = loop {
        if frames.read_from(&mut stream).expect("memory can be read") == 0 {
            break frames.finish();
        }
        let broken = loop {
            match frames.next_text() {
                Ok(Some(text)) => texts.push(text.to_owned()),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        if let Some(error) = broken {
            break Err(error);
        }
    };
    (texts, end.err().map_or(String::new(), |error| error.to_string()))
}

fn by_runs(bytes: &[u8], size: usize) -> (Vec<u8>, usize, Option<RecvError>) {
    let (mut stream, mut frames) = (Pieces { bytes, size }, FrameBuffer::new(LIMIT));
    let (mut wire, mut count) = (vec![], 0);
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

fuzz_target!(|input: (u8, &[u8])| {
    let (size, bytes) = (usize::from(input.0) + 1, input.1);
    let (texts, end) = by_socket(bytes);
    assert_eq!(by_buffer(bytes, size), (texts.clone(), end.clone()));

    let (wire, count, error) = by_runs(bytes, size);
    assert_eq!(count, texts.len());
    assert_eq!(wire, bytes[..wire.len()], "a run is what came");
    assert_eq!(wire.len(), texts.iter().map(|text| 4 + text.len()).sum::<usize>());
    assert_eq!(error.map_or(String::new(), |error| error.to_string()), end);
});
