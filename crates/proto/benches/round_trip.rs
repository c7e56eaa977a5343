//! What framing costs a round trip over loopback, beside a bare `read` and `write` of as many
//! bytes in the same run: the ratio of the medians is the figure, not the times.
//!
//! Run with `cargo bench -p proto --bench round_trip`.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use divan::Bencher;
use proto::{FramedSocket, FramedStream, HEADER_BYTES, MAX_ECHO_BYTES};

/// Bytes on the wire, header included.
const SIZES: [usize; 3] = [64, 512, 1024];

fn main() {
    divan::main();
}

/// A socket whose other end is served by a thread of its own, which ends with the socket.
fn connect(serve: impl FnOnce(TcpStream) + Send + 'static) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let socket =
        TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
    let (peer, _) = listener.accept().expect("the connection");
    for end in [&socket, &peer] {
        end.set_nodelay(true).expect("a TCP socket");
    }
    thread::spawn(move || serve(peer));
    socket
}

#[divan::bench(args = SIZES, sample_count = 500, sample_size = 100)]
fn bare(bencher: Bencher, size: usize) {
    let mut socket = connect(move |mut peer| {
        let mut bytes = vec![0; size];
        while peer.read_exact(&mut bytes).is_ok() && peer.write_all(&bytes).is_ok() {}
    });
    let (bytes, mut reply) = (vec![b'x'; size], vec![0; size]);
    bencher.bench_local(|| {
        socket.write_all(&bytes).expect("the peer reads");
        socket.read_exact(&mut reply).expect("the peer answers");
    });
}

#[divan::bench(args = SIZES, sample_count = 500, sample_size = 100)]
fn framed(bencher: Bencher, size: usize) {
    let socket = connect(|peer| {
        let mut peer = FramedStream::new(peer);
        while let Ok(Some(text)) = peer.recv_text(MAX_ECHO_BYTES)
            && peer.send_text(&text).is_ok()
        {}
    });
    let (mut socket, text) = (FramedStream::new(socket), "x".repeat(size - HEADER_BYTES));
    bencher.bench_local(|| {
        socket.send_text(&text).expect("the peer reads");
        let reply = socket.recv_text(MAX_ECHO_BYTES).expect("a frame");
        assert_eq!(reply.map(|reply| reply.len()), Some(text.len()));
    });
}
