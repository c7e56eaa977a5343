//! A stream with a buffer on each side, for dialogues: what was written leaves when the next read
//! would have to wait.

use std::io::{self, IoSlice, Read, Write};

use crate::read_buffer::{FIRST_BYTES, LARGE_BYTES, ReadBuffer};

/// Buffers both directions of a stream.
///
/// A read that finds nothing buffered first sends what was written, then reads once. So a server
/// that answers each message as it takes it answers all messages that came together with one
/// write, and a client that asks and then waits needs no flush. Only one who writes and does not
/// read must [`flush`](Write::flush).
///
/// Memory begins at 1 KiB, grows to 64 KiB while it is used, and shrinks again. Dropping the
/// stream drops what was not sent.
#[derive(Debug)]
pub struct BufferedStream<S> {
    stream: S,
    input: ReadBuffer,
    output: Vec<u8>,
}

impl<S: Read + Write> BufferedStream<S> {
    /// Puts buffers, empty as yet, around a stream.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            input: ReadBuffer::default(),
            output: Vec::new(),
        }
    }

    /// The stream itself. What is written to it directly overtakes what is buffered.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// Sends what is buffered, and keeps whatever could not be sent.
    fn send_output(&mut self) -> io::Result<()> {
        let mut sent = 0;
        let mut result = Ok(());
        while sent < self.output.len() && result.is_ok() {
            match self.stream.write(&self.output[sent..]) {
                Ok(0) => result = Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => sent += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => result = Err(error),
            }
        }
        self.output.drain(..sent);
        if sent <= self.output.capacity() / 4 {
            self.output
                .shrink_to((self.output.capacity() / 2).max(FIRST_BYTES));
        }
        result
    }
}

impl<S: Read + Write> Read for BufferedStream<S> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.input.waiting().is_empty() {
            self.send_output()?;
            self.input.fill(&mut self.stream, 0)?;
        }
        let count = room.len().min(self.input.waiting().len());
        room[..count].copy_from_slice(self.input.take(count));
        Ok(count)
    }
}

impl<S: Read + Write> Write for BufferedStream<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let length = parts.iter().map(|part| part.len()).sum();
        if self.output.len() + length > LARGE_BYTES {
            self.send_output()?;
        }
        if length > LARGE_BYTES {
            return self.stream.write_vectored(parts);
        }
        parts
            .iter()
            .for_each(|part| self.output.extend_from_slice(part));
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send_output()?;
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::frame::MAX_ECHO_BYTES;
    use crate::socket::FramedSocket;

    /// A peer whose bytes come as given, one packet a read, and who notes each write.
    #[derive(Default)]
    struct Peer {
        packets: VecDeque<Vec<u8>>,
        reads: usize,
        writes: Vec<Vec<u8>>,
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
            self.writes.push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn echo(packets: &[&[u8]]) -> Peer {
        let packets = packets.iter().map(|packet| packet.to_vec()).collect();
        let mut stream = BufferedStream::new(Peer {
            packets,
            ..Peer::default()
        });
        while let Some(text) = stream.recv_text(MAX_ECHO_BYTES).unwrap() {
            stream.send_text(&text).unwrap();
        }
        stream.stream
    }

    #[test]
    fn a_small_message_costs_one_read_and_one_write() {
        let peer = echo(&[b"\0\0\0\x02hi", b"\0\0\0\x02yo"]);
        assert_eq!(peer.writes, [b"\0\0\0\x02hi", b"\0\0\0\x02yo"]);
        assert_eq!(peer.reads, 3, "two messages and the end");
    }

    #[test]
    fn messages_that_came_together_are_answered_together() {
        let peer = echo(&[b"\0\0\0\x01a\0\0\0\x01b\0\0\0\x01c\0\0", b"\0\x01d"]);
        assert_eq!(
            peer.writes,
            [&b"\0\0\0\x01a\0\0\0\x01b\0\0\0\x01c"[..], b"\0\0\0\x01d"]
        );
    }

    #[test]
    fn a_long_message_passes_whole_and_leaves_little_memory_behind() {
        let text = "ж".repeat(300_000);
        let frame = [&600_000u32.to_be_bytes()[..], text.as_bytes()].concat();
        let small = b"\0\0\0\x02hi".as_slice();
        let mut packets = vec![frame.as_slice()];
        packets.extend([small; 20]);
        let mut stream = BufferedStream::new(Peer {
            packets: packets.iter().map(|packet| packet.to_vec()).collect(),
            ..Peer::default()
        });
        let mut text = String::new();
        while stream.recv_text_into(&mut text, MAX_ECHO_BYTES).unwrap() {
            stream.send_text(&text).unwrap();
        }
        assert_eq!(stream.stream.writes.concat(), packets.concat());
        assert!(stream.input.size() <= FIRST_BYTES && stream.output.capacity() <= FIRST_BYTES);
    }

    /// Takes three bytes a time, and fails after ten.
    struct Narrow(Vec<u8>);

    impl Read for Narrow {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Ok(0)
        }
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0.len() >= 10 {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            let count = bytes.len().min(3);
            self.0.extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_failed_write_is_told_and_nothing_is_sent_twice() {
        let mut stream = BufferedStream::new(Narrow(vec![]));
        stream.write_all(b"0123456789abcdef").unwrap();
        assert_eq!(
            stream.flush().unwrap_err().kind(),
            io::ErrorKind::BrokenPipe
        );
        assert_eq!(
            (&stream.stream.0[..], &stream.output[..]),
            (&b"0123456789ab"[..], &b"cdef"[..])
        );
    }
}
