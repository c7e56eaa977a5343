use std::cell::RefCell;
use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::error::RecvError;
use crate::frame::header;
use crate::limits::MAX_ECHO_BYTES;
use crate::socket::FramedSocket;

/// A peer that sends one packet per read, then closes. It records each write, and fails when `capacity` is used up.
struct Peer {
    packets: VecDeque<Vec<u8>>,
    reads: usize,
    writes: Vec<Vec<u8>>,
    write_size: usize,
    capacity: usize,
}

impl Peer {
    fn sending<P: AsRef<[u8]>>(packets: &[P]) -> Self {
        Self {
            packets: packets
                .iter()
                .map(|packet| packet.as_ref().to_vec())
                .collect(),
            reads: 0,
            writes: vec![],
            write_size: usize::MAX,
            capacity: usize::MAX,
        }
    }
}

impl Read for Peer {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        let packet = self.packets.pop_front().unwrap_or_default();
        let count = packet.len().min(room.len());
        room[..count].copy_from_slice(&packet[..count]);
        if count < packet.len() {
            self.packets.push_front(packet[count..].to_vec());
        }
        Ok(count)
    }
}

impl Write for Peer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.capacity == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let count = bytes.len().min(self.write_size).min(self.capacity);
        self.capacity -= count;
        self.writes.push(bytes[..count].to_vec());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug, PartialEq)]
enum Report {
    Received(usize, usize),
    Sent(usize, usize),
    Buffered(usize),
}
use Report::{Buffered, Received, Sent};

impl Observer for &RefCell<Vec<Report>> {
    fn on_received(&mut self, bytes: usize, messages: usize) {
        self.borrow_mut().push(Received(bytes, messages));
    }

    fn on_sent(&mut self, bytes: usize, messages: usize) {
        self.borrow_mut().push(Sent(bytes, messages));
    }

    fn on_buffered(&mut self, bytes: usize) {
        self.borrow_mut().push(Buffered(bytes));
    }
}

fn frame(text: &str) -> Vec<u8> {
    [&header(text.len()).unwrap()[..], text.as_bytes()].concat()
}

/// Echoes all messages of `peer`, and returns how that ended and what was reported.
fn echo(peer: &mut Peer) -> (Result<(), RecvError>, Vec<Report>) {
    let reports = RefCell::default();
    let mut stream = FramedStream::with_observer(peer, &reports);
    let end = loop {
        match stream.recv_text(MAX_ECHO_BYTES) {
            Ok(Some(text)) => stream.send_text(&text).unwrap(),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    drop(stream);
    (end, reports.into_inner())
}

#[test]
fn a_small_message_costs_one_read_and_one_write() {
    let mut peer = Peer::sending(&[b"\0\0\0\x02hi", b"\0\0\0\x02yo"]);
    let (_, reports) = echo(&mut peer);
    assert_eq!(peer.writes, [b"\0\0\0\x02hi", b"\0\0\0\x02yo"]);
    assert_eq!(peer.reads, 3, "two messages and the end");
    assert_eq!(
        reports,
        [Received(6, 1), Sent(6, 1), Received(6, 1), Sent(6, 1)]
    );
}

#[test]
fn messages_that_came_together_are_answered_with_one_write() {
    let mut peer = Peer::sending(&[&b"\0\0\0\x01a\0\0\0\x01b\0\0\0\x01c\0\0"[..], b"\0\x01d"]);
    let (_, reports) = echo(&mut peer);
    assert_eq!(
        peer.writes,
        [&b"\0\0\0\x01a\0\0\0\x01b\0\0\0\x01c"[..], b"\0\0\0\x01d"]
    );
    assert_eq!(
        reports,
        [Received(17, 3), Sent(15, 3), Received(3, 1), Sent(5, 1)]
    );
}

#[test]
fn replies_before_an_invalid_frame_are_sent() {
    let mut peer = Peer::sending(&[b"\0\0\0\x02hi\0\0\0\x01\xff"]);
    let (end, reports) = echo(&mut peer);
    assert!(matches!(end, Err(RecvError::NotUtf8 { .. })), "{end:?}");
    assert_eq!(peer.writes, [b"\0\0\0\x02hi"]);
    assert_eq!(reports, [Received(11, 2), Sent(6, 1)]);
}

#[test]
fn flush_sends_before_the_next_read() {
    let mut peer = Peer::sending::<&[u8]>(&[]);
    let mut stream = FramedStream::new(&mut peer);
    stream.send_text("slow").unwrap();
    assert!(stream.get_ref().writes.is_empty());
    stream.flush().unwrap();
    assert_eq!(stream.get_ref().writes, [b"\0\0\0\x04slow"]);
}

#[test]
fn each_write_is_reported_with_the_messages_that_end_in_it() {
    let mut peer = Peer::sending(&[b"\0\0\0\x01a\0\0\0\x02bc"]);
    peer.write_size = 4;
    let (_, reports) = echo(&mut peer);
    assert_eq!(
        reports,
        [Received(11, 2), Sent(4, 0), Sent(4, 1), Sent(3, 1)]
    );
}

#[test]
fn a_long_message_leaves_little_memory_behind() {
    let long = frame(&"ж".repeat(300_000));
    let mut packets = vec![long];
    packets.extend(vec![frame("hi"); 20]);
    let mut stream = FramedStream::new(Peer::sending(&packets));
    while let Some(text) = stream.recv_text(MAX_ECHO_BYTES).unwrap() {
        stream.send_text(&text).unwrap();
    }
    assert_eq!(stream.stream.writes.concat(), packets.concat());
    assert!(stream.input.capacity() <= MIN_BUFFER_BYTES);
    assert!(stream.output.capacity() <= MIN_BUFFER_BYTES);
}

#[test]
fn a_frame_of_64_kib_that_has_come_takes_one_read_and_one_write() {
    let packets = vec![frame(&"x".repeat(64 << 10)); 10];
    let mut peer = Peer::sending(&packets);
    let (_, reports) = echo(&mut peer);
    assert_eq!(peer.writes.concat(), packets.concat());
    let last = &reports[reports.len() - 2..];
    assert_eq!(last, [Received(65_540, 1), Sent(65_540, 1)], "{reports:?}");
}

/// What the observer heard of memory while the echo of `text` came in two parts, the first of `cut` bytes.
fn buffered(text: &str, cut: usize) -> (Vec<usize>, Vec<Report>) {
    let wire = frame(text);
    let (first, second) = wire.split_at(cut);
    let (end, reports) = echo(&mut Peer::sending(&[first, second, &frame("next")]));
    end.unwrap();
    let sizes = reports.iter().filter_map(|report| match report {
        Buffered(bytes) => Some(*bytes),
        _ => None,
    });
    (sizes.collect(), reports)
}

#[test]
fn the_memory_of_an_unfinished_frame_is_reported_with_the_buffer() {
    for (length, cut) in [(200_000, 100_000), (60_000, 50_000), (5_000, 4_500)] {
        let (sizes, reports) = buffered(&"x".repeat(length), cut);
        // The last report comes with the read after the frame was echoed, when its memory is free again.
        assert_eq!(sizes.last(), Some(&0));
        let position = |wanted| reports.iter().position(|report| *report == wanted);
        assert!(position(Sent(4 + length, 1)) < position(Buffered(0)));
        let largest = sizes.iter().max().unwrap();
        let with_buffer = length + MIN_BUFFER_BYTES..=length + MAX_BUFFER_BYTES;
        assert!(with_buffer.contains(largest), "{length}: {sizes:?}");
    }
}

#[test]
fn short_frames_and_those_that_come_whole_report_no_memory() {
    assert!(buffered(&"x".repeat(4_096), 4_000).0.is_empty());
    let (_, reports) = echo(&mut Peer::sending(&[frame(&"x".repeat(1_000))]));
    assert_eq!(reports, [Received(1_004, 1), Sent(1_004, 1)]);
}

#[test]
fn after_a_failed_write_nothing_more_is_sent() {
    let mut peer = Peer::sending::<&[u8]>(&[]);
    (peer.write_size, peer.capacity) = (3, 10);
    let mut stream = FramedStream::new(&mut peer);
    stream.write_all(b"0123456789abcdef").unwrap();
    assert_eq!(
        stream.flush().unwrap_err().kind(),
        io::ErrorKind::BrokenPipe
    );
    stream.stream.capacity = usize::MAX;
    for length in [2, MAX_BUFFER_BYTES + 1] {
        let error = stream.write_all(&vec![b'x'; length]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        let error = stream.flush().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
    drop(stream);
    assert_eq!(peer.writes.concat(), b"0123456789");
}

#[test]
fn after_a_failed_write_of_a_long_message_nothing_more_is_sent() {
    let mut peer = Peer::sending::<&[u8]>(&[]);
    peer.capacity = 100_000;
    let mut stream = FramedStream::new(&mut peer);
    stream.send_text(&"x".repeat(200_000)).unwrap_err();
    stream.stream.capacity = usize::MAX;
    stream.send_text("hi").unwrap_err();
    drop(stream);
    assert_eq!(peer.writes.concat().len(), 100_000);
}

#[test]
fn after_a_failed_write_the_last_messages_of_the_peer_are_received() {
    let mut peer = Peer::sending(&[b"\0\0\0\x02no"]);
    peer.capacity = 0;
    let mut stream = FramedStream::new(&mut peer);
    stream.send_text("hi").unwrap();
    stream.flush().unwrap_err();
    let last = stream.recv_text(MAX_ECHO_BYTES).unwrap();
    assert_eq!(last.as_deref(), Some("no"));
}

#[test]
fn the_end_inside_a_frame_is_an_error() {
    for (wire, reason) in [
        (
            &b"\0\0\0\x02hi\0\0"[..],
            "the stream ended after 2 of the 4 bytes of a header",
        ),
        (
            b"\0\0\0\x02hi\0\0\0\x05hel",
            "the stream ended after 3 of the 5 bytes of a payload",
        ),
    ] {
        let mut peer = Peer::sending(&[wire]);
        assert_eq!(echo(&mut peer).0.unwrap_err().to_string(), reason);
        assert_eq!(peer.writes, [b"\0\0\0\x02hi"]);
    }
}

#[test]
fn a_header_alone_gets_little_memory() {
    let mut stream = FramedStream::new(Peer::sending(&[b"\x7f\xff\xff\xffhi"]));
    let error = stream.recv_text(usize::MAX).unwrap_err();
    assert!(
        matches!(error, RecvError::CutOffPayload { received: 2, .. }),
        "{error}"
    );
    assert!(stream.input.capacity() <= MIN_BUFFER_BYTES);
}

proptest! {
    #[test]
    fn messages_survive_any_split(
        texts in prop::collection::vec(".{0,300}|[а-я]{0,2000}", 0..20),
        sizes in prop::collection::vec(1..500usize, 0..200),
        write_size in 1..3000usize,
    ) {
        let wire: Vec<u8> = texts.iter().flat_map(|text| frame(text)).collect();
        let (mut packets, mut rest) = (vec![], &wire[..]);
        for size in sizes {
            let (packet, later) = rest.split_at(size.min(rest.len()));
            if !packet.is_empty() {
                packets.push(packet);
            }
            rest = later;
        }
        if !rest.is_empty() {
            packets.push(rest);
        }
        let mut peer = Peer::sending(&packets);
        peer.write_size = write_size;
        let (end, reports) = echo(&mut peer);
        prop_assert!(end.is_ok());
        prop_assert_eq!(peer.writes.concat(), &wire[..]);
        let totals = reports.iter().fold([0; 4], |[a, b, c, d], report| match report {
            Received(bytes, messages) => [a + bytes, b + messages, c, d],
            Sent(bytes, messages) => [a, b, c + bytes, d + messages],
            Buffered(_) => [a, b, c, d],
        });
        prop_assert_eq!(totals, [wire.len(), texts.len(), wire.len(), texts.len()]);
    }
}
