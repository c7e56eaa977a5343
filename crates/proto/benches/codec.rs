//! What framing itself costs, without a socket: bytes to frames, frames to bytes.
//!
//! Run with `cargo bench -p proto --bench codec`.

use std::hint::black_box;
use std::io::Cursor;

use divan::Bencher;
use divan::counter::BytesCount;
use proto::{FrameBuffer, FramedSocket, MAX_ECHO_BYTES, header};

const SIZES: [usize; 4] = [8, 64, 1024, 65_536];

/// As many bytes as one read of a busy connection brings, in frames of one size.
fn wire(size: usize) -> Vec<u8> {
    let frame = [&header(size).expect("it is short")[..], &vec![b'x'; size]].concat();
    frame.repeat((65_536 / frame.len()).max(1))
}

fn main() {
    divan::main();
}

/// Every frame on its own, as a client takes replies.
#[divan::bench(args = SIZES)]
fn take_frames(bencher: Bencher, size: usize) {
    let wire = wire(size);
    let mut frames = FrameBuffer::new(MAX_ECHO_BYTES);
    bencher
        .counter(BytesCount::new(wire.len()))
        .bench_local(|| {
            let mut source = &wire[..];
            while frames.read_from(&mut source).expect("memory can be read") > 0 {
                while let Some(text) = frames.next_text().expect("these are frames") {
                    black_box(text);
                }
            }
        });
}

/// All frames that are there at once, as the echo server takes them.
#[divan::bench(args = SIZES)]
fn take_runs(bencher: Bencher, size: usize) {
    let wire = wire(size);
    let mut frames = FrameBuffer::new(MAX_ECHO_BYTES);
    bencher
        .counter(BytesCount::new(wire.len()))
        .bench_local(|| {
            let mut source = &wire[..];
            while frames.read_from(&mut source).expect("memory can be read") > 0 {
                black_box(frames.take_run(|text| text != "exit").wire);
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
