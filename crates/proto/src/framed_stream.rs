//! A buffered stream of frames: one read and one write for a small message, and one write for all replies to messages
//! that came together.

use std::fmt;
use std::io::{self, IoSlice, Read, Write};

use crate::frame::{FIRST_PAYLOAD_BYTES, FrameTracker, payload_room};
use crate::observer::Observer;
use crate::read_buffer::{MAX_BUFFER_BYTES, MIN_BUFFER_BYTES, ReadBuffer, read_retrying};

/// Buffers both directions of a stream, and reports each read and write to an [`Observer`].
///
/// It is a [`FramedSocket`](crate::FramedSocket) as every stream is. A read that finds nothing buffered first sends
/// what was written. So a server that answers each message as it receives it answers all messages that came together
/// with one write, and a client that sends and then receives needs no flush. Call [`flush`](Write::flush) before
/// anything that takes long.
///
/// ```
/// use proto::{FramedSocket, FramedStream, MAX_ECHO_BYTES, RecvError, SendError};
///
/// fn echo(socket: std::net::TcpStream) -> Result<(), Box<dyn std::error::Error>> {
///     let mut client = FramedStream::new(socket);
///     while let Some(text) = client.recv_text(MAX_ECHO_BYTES)? {
///         client.send_text(&text)?;
///     }
///     Ok(())
/// }
/// ```
///
/// Each buffer starts at 1 KiB, grows to 64 KiB while it is used, and shrinks again. Dropping the stream sends what is
/// still buffered and ignores errors, as [`BufWriter`](io::BufWriter) does. After a failed write nothing more is sent,
/// and writes fail; what the peer has sent can still be read.
pub struct FramedStream<S: Read + Write, O: Observer = ()> {
    stream: S,
    observer: O,
    input: ReadBuffer,
    output: Vec<u8>,
    received: FrameTracker,
    sent: FrameTracker,
    /// A write has failed. The peer may have a part of a frame, so another one must not follow.
    is_broken: bool,
    /// What the observer last heard of the memory for an unfinished frame.
    reported_room: usize,
}

impl<S: Read + Write> FramedStream<S> {
    /// Wraps `stream`; reads and writes are not reported.
    pub fn new(stream: S) -> Self {
        Self::with_observer(stream, ())
    }
}

impl<S: Read + Write, O: Observer> FramedStream<S, O> {
    /// Wraps `stream`, and reports each read and write to `observer`.
    pub fn with_observer(stream: S, observer: O) -> Self {
        Self {
            stream,
            observer,
            input: ReadBuffer::default(),
            output: Vec::new(),
            received: FrameTracker::default(),
            sent: FrameTracker::default(),
            is_broken: false,
            reported_room: 0,
        }
    }

    /// The stream itself. Bytes that are written to it directly overtake those in the buffer.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// Sends what is buffered. After an error the rest is dropped.
    fn send_output(&mut self) -> io::Result<()> {
        let mut output = std::mem::take(&mut self.output);
        let mut unsent = &output[..];
        while !unsent.is_empty() {
            match self.stream.write(unsent) {
                Ok(0) => return Err(self.break_off(io::ErrorKind::WriteZero.into())),
                Ok(count) => {
                    let (sent, rest) = unsent.split_at(count);
                    let messages = self.sent.advance(sent);
                    self.observer.on_sent(count, messages);
                    unsent = rest;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.break_off(error)),
            }
        }
        let was_small = output.len() <= output.capacity() / 4;
        output.clear();
        if was_small {
            output.shrink_to((output.capacity() / 2).max(MIN_BUFFER_BYTES));
        }
        self.output = output;
        Ok(())
    }

    /// Ends sending after `error`.
    fn break_off(&mut self, error: io::Error) -> io::Error {
        self.is_broken = true;
        error
    }

    fn check_unbroken(&self) -> io::Result<()> {
        match self.is_broken {
            true => Err(io::ErrorKind::BrokenPipe.into()),
            false => Ok(()),
        }
    }

    /// Makes room in the output for `length` bytes more: doubles it, but never beyond the largest buffer.
    fn make_room(&mut self, length: usize) {
        let needed = self.output.len() + length;
        if needed > self.output.capacity() {
            let doubled = (2 * self.output.capacity()).clamp(MIN_BUFFER_BYTES, MAX_BUFFER_BYTES);
            self.output
                .reserve_exact(doubled.max(needed) - self.output.len());
        }
    }

    /// Reports the memory of an unfinished frame, with the buffer that brought it, unless the frame is short. This
    /// happens before each read and not when a frame is complete, so that a frame counts until its reader comes back
    /// for the next one.
    fn report_room(&mut self) {
        let unfinished = self.received.unfinished();
        let room = match unfinished.map_or(0, |(received, length)| payload_room(received, length)) {
            ..=FIRST_PAYLOAD_BYTES => 0,
            payload => payload + self.input.next_size(),
        };
        if room != self.reported_room {
            self.reported_room = room;
            self.observer.on_buffered(room);
        }
    }
}

impl<S: Read + Write, O: Observer> Read for FramedStream<S, O> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if room.is_empty() || !self.input.unread().is_empty() {
            return Ok(self.input.consume_into(room));
        }
        if !self.is_broken {
            self.flush()?;
        }
        self.report_room();
        // Much room is filled directly: the buffer would only cost a copy.
        let is_direct = room.len() >= MAX_BUFFER_BYTES;
        let received = if is_direct {
            let count = read_retrying(&mut self.stream, room)?;
            &room[..count]
        } else {
            self.input.fill(&mut self.stream)?
        };
        let count = received.len();
        if count > 0 {
            let messages = self.received.advance(received);
            self.observer.on_received(count, messages);
        }
        if is_direct {
            Ok(count)
        } else {
            Ok(self.input.consume_into(room))
        }
    }
}

impl<S: Read + Write, O: Observer> Write for FramedStream<S, O> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.check_unbroken()?;
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        if self.output.len() + length > MAX_BUFFER_BYTES {
            self.send_output()?;
        }
        if length <= MAX_BUFFER_BYTES {
            self.make_room(length);
            parts
                .iter()
                .for_each(|part| self.output.extend_from_slice(part));
            return Ok(length);
        }
        let count = match self.stream.write_vectored(parts) {
            Ok(count) => count,
            // The caller tries again.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return Err(self.break_off(error)),
        };
        let (mut left, mut messages) = (count, 0);
        for part in parts {
            let sent = &part[..left.min(part.len())];
            messages += self.sent.advance(sent);
            left -= sent.len();
        }
        self.observer.on_sent(count, messages);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.check_unbroken()?;
        self.send_output()?;
        self.stream.flush().map_err(|error| self.break_off(error))
    }
}

impl<S: Read + Write, O: Observer> Drop for FramedStream<S, O> {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

/// Shows the stream, not what passed over it: a password may be among it.
impl<S: Read + Write + fmt::Debug, O: Observer> fmt::Debug for FramedStream<S, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FramedStream")
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
