//! What framing itself costs, without a socket: bytes to frames, frames to bytes.
//!
//! Run with `cargo bench -p proto --bench codec`.

use std::hint::black_box;
use std::io::{self, Cursor, Read, Write};

use divan::Bencher;
use divan::counter::BytesCount;
use proto::{FramedSocket, FramedStream, MAX_ECHO_BYTES, header};

const SIZES: [usize; 4] = [8, 64, 1024, 65_536];

/// As many bytes as one read of a busy connection brings, in frames of one size.
fn wire(size: usize) -> Vec<u8> {
    let frame = [&header(size).expect("it is short")[..], &vec![b'x'; size]].concat();
    frame.repeat((65_536 / frame.len()).max(1))
}

fn main() {
    divan::main();
}

/// Messages that came with one read, echoed as the echo server does.
#[divan::bench(args = SIZES)]
fn echo(bencher: Bencher, size: usize) {
    let wire = wire(size);
    bencher
        .counter(BytesCount::new(wire.len()))
        .bench_local(|| {
            let mut stream = FramedStream::new(Loopback(&wire));
            while let Some(text) = stream.recv_text(MAX_ECHO_BYTES).expect("these are frames") {
                stream.send_text(&text).expect("memory can be written");
            }
        });
}

/// Messages sent into memory.
#[divan::bench(args = SIZES)]
fn send_text(bencher: Bencher, size: usize) {
    let text = "x".repeat(size);
    let mut stream = Cursor::new(Vec::with_capacity(size + 4));
    bencher.counter(BytesCount::new(size + 4)).bench_local(|| {
        stream.set_position(0);
        stream
            .send_text(black_box(&text))
            .expect("memory can be written");
    });
}

/// Sends these bytes, and takes whatever is written.
struct Loopback<'a>(&'a [u8]);

impl Read for Loopback<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.0.read(room)
    }
}

impl Write for Loopback<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(black_box(bytes).len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
