//! Arbitrary bytes, cut anywhere: a bare socket and a [`FramedStream`] must find the same messages and the same end.

use std::cell::RefCell;
use std::io::{self, Cursor, Read, Write};

use proto::{FramedSocket, FramedStream, Observer};

const LIMIT: usize = 300;

/// The first byte is the length of the pieces in which the others come, less one.
pub fn check(input: &[u8]) {
    let Some((size, bytes)) = input.split_first() else {
        return;
    };
    let size = usize::from(*size) + 1;
    let (texts, end) = receive_all(&mut Cursor::new(bytes.to_vec()));
    let totals = RefCell::new((0, 0));
    let mut stream = FramedStream::with_observer(Pieces { bytes, size }, Totals(&totals));
    assert_eq!(receive_all(&mut stream), (texts.clone(), end.clone()));

    let (received, messages) = *totals.borrow();
    assert!(received <= bytes.len());
    assert!(messages >= texts.len());
    if end.is_none() {
        assert_eq!((received, messages), (bytes.len(), texts.len()));
    }
}

/// The messages, and why no more can be received; `None` for a clean end.
fn receive_all(stream: &mut impl FramedSocket) -> (Vec<String>, Option<String>) {
    let mut texts = vec![];
    loop {
        match stream.recv_text(LIMIT) {
            Ok(Some(text)) => texts.push(text),
            Ok(None) => return (texts, None),
            Err(error) => return (texts, Some(error.to_string())),
        }
    }
}

struct Totals<'a>(&'a RefCell<(usize, usize)>);

impl Observer for Totals<'_> {
    fn on_received(&mut self, bytes: usize, messages: usize) {
        let mut totals = self.0.borrow_mut();
        *totals = (totals.0 + bytes, totals.1 + messages);
    }

    fn on_sent(&mut self, _: usize, _: usize) {
        panic!("nothing is sent");
    }
}

struct Pieces<'a> {
    bytes: &'a [u8],
    size: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let size = self.size.min(self.bytes.len());
        let count = (&self.bytes[..size]).read(room)?;
        self.bytes = &self.bytes[count..];
        Ok(count)
    }
}

impl Write for Pieces<'_> {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        panic!("nothing is sent");
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
