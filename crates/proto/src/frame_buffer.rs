//! Frames out of bytes as they come: one read, then every whole frame that is there.

use std::io::{self, Read};

use crate::error::RecvError;
use crate::frame::{HEADER_BYTES, checked_length};
use crate::frame_read_buffer::ReadBuffer;

/// Bytes that came from a peer, and the frames in them.
///
/// The caller reads once with [`read_from`](Self::read_from), takes frames until none is whole, and
/// reads again. Memory begins at 1 KiB, grows as bytes arrive (to 64 KiB, or the longest frame
/// within the limit) and shrinks when little comes.
#[derive(Debug)]
pub struct FrameBuffer {
    buffer: ReadBuffer,
    limit: usize,
}

/// Frames that stand one after another, as they are on the wire.
#[derive(Debug)]
pub struct Run<'a> {
    /// Headers and payloads, unchanged.
    pub wire: &'a [u8],
    /// How many frames that is.
    pub frames: usize,
    /// What comes after them.
    pub end: RunEnd,
}

/// Why a [`Run`] goes no further.
#[derive(Debug)]
pub enum RunEnd {
    /// The rest is not a whole frame yet.
    NeedMore,
    /// The next frame was not wanted. It is taken, and is not part of the run.
    Unwanted,
    /// What comes next is no frame; nothing more can be read.
    Broken(RecvError),
}

impl FrameBuffer {
    /// An empty buffer that takes payloads of up to `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: ReadBuffer::default(),
            limit,
        }
    }

    /// Reads once, and says how many bytes came; 0 is the end of the stream, of which
    /// [`finish`](Self::finish) tells whether it was a clean one.
    ///
    /// # Errors
    ///
    /// Those of `source`, except that an interrupted read is tried again.
    pub fn read_from(&mut self, source: &mut (impl Read + ?Sized)) -> io::Result<usize> {
        // A header over the limit asks for no room: taking the frame tells of it.
        let need = match self.buffer.waiting().first_chunk() {
            Some(header) => {
                checked_length(*header, self.limit).map_or(0, |length| HEADER_BYTES + length)
            }
            None => HEADER_BYTES,
        };
        self.buffer.fill(source, need)
    }

    /// Takes the next whole frame's text; `None` until all of it came.
    ///
    /// # Errors
    ///
    /// [`RecvError::TooLong`] and [`RecvError::NotUtf8`]. After an error it answers the same again.
    pub fn next_text(&mut self) -> Result<Option<&str>, RecvError> {
        let (waiting, taken) = self.buffer.waiting_and_taken();
        let text = first_frame(waiting, self.limit)?;
        *taken += text.map_or(0, |text| HEADER_BYTES + text.len());
        Ok(text)
    }

    /// Takes whole frames for as long as they are wanted, without copying them.
    pub fn take_run(&mut self, mut wanted: impl FnMut(&str) -> bool) -> Run<'_> {
        let (waiting, taken) = self.buffer.waiting_and_taken();
        let (mut rest, mut length, mut frames) = (waiting, 0, 0);
        let end = loop {
            let text = match first_frame(rest, self.limit) {
                Ok(Some(text)) => text,
                Ok(None) => break RunEnd::NeedMore,
                Err(error) => break RunEnd::Broken(error),
            };
            let frame = HEADER_BYTES + text.len();
            *taken += frame;
            if !wanted(text) {
                break RunEnd::Unwanted;
            }
            rest = &rest[frame..];
            length += frame;
            frames += 1;
        };
        let wire = &waiting[..length];
        Run { wire, frames, end }
    }

    /// How many whole frames can be taken.
    #[must_use]
    pub fn whole(&self) -> usize {
        let (mut rest, mut frames) = (self.buffer.waiting(), 0);
        while let Ok(Some(text)) = first_frame(rest, self.limit) {
            rest = &rest[HEADER_BYTES + text.len()..];
            frames += 1;
        }
        frames
    }

    /// What the end of the stream means here.
    ///
    /// # Errors
    ///
    /// [`RecvError::CutOffHeader`] or [`RecvError::CutOffPayload`] when it came inside a frame.
    pub fn finish(&self) -> Result<(), RecvError> {
        end_of_stream(self.buffer.waiting())
    }

    /// Whether a frame has begun and is not whole yet.
    #[must_use]
    pub fn is_inside_frame(&self) -> bool {
        !self.buffer.waiting().is_empty()
    }
}

fn first_frame(bytes: &[u8], limit: usize) -> Result<Option<&str>, RecvError> {
    let Some((header, rest)) = bytes.split_first_chunk() else {
        return Ok(None);
    };
    let length = checked_length(*header, limit)?;
    let Some(payload) = rest.get(..length) else {
        return Ok(None);
    };
    match std::str::from_utf8(payload) {
        Ok(text) => Ok(Some(text)),
        Err(error) => Err(RecvError::NotUtf8 {
            length,
            valid_up_to: error.valid_up_to(),
        }),
    }
}

fn end_of_stream(bytes: &[u8]) -> Result<(), RecvError> {
    match bytes.split_first_chunk() {
        _ if bytes.is_empty() => Ok(()),
        None => Err(RecvError::CutOffHeader {
            received: bytes.len(),
        }),
        Some((header, rest)) => Err(RecvError::CutOffPayload {
            received: rest.len(),
            length: u32::from_be_bytes(*header) as usize,
        }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::frame::{MAX_ECHO_BYTES, header};

    fn wire_of(messages: &[String]) -> Vec<u8> {
        let frame = |text: &String| [&header(text.len()).unwrap()[..], text.as_bytes()].concat();
        messages.iter().flat_map(frame).collect()
    }

    /// A stream that arrives in pieces of the given sizes, and then in one.
    struct Pieces<'a> {
        rest: &'a [u8],
        sizes: std::vec::IntoIter<usize>,
    }

    impl Read for Pieces<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let size = self.sizes.next().unwrap_or(usize::MAX).min(self.rest.len());
            (&self.rest[..size])
                .read(room)
                .inspect(|got| self.rest = &self.rest[*got..])
        }
    }

    proptest! {
        #[test]
        fn messages_survive_any_split(
            messages in prop::collection::vec(".{0,300}|[а-я]{0,2000}", 0..20),
            sizes in prop::collection::vec(1..500usize, 0..200),
        ) {
            let wire = wire_of(&messages);
            let mut stream = Pieces { rest: &wire, sizes: sizes.into_iter() };
            let (mut buffer, mut received) = (FrameBuffer::new(MAX_ECHO_BYTES), vec![]);
            while buffer.read_from(&mut stream).unwrap() > 0 {
                while let Some(text) = buffer.next_text().unwrap() {
                    received.push(text.to_owned());
                }
            }
            prop_assert_eq!(received, messages);
            prop_assert!(buffer.finish().is_ok());
        }

        #[test]
        fn runs_are_the_wire_itself(
            messages in prop::collection::vec("[a-zа-я]{0,40}", 0..40),
            sizes in prop::collection::vec(1..90usize, 0..60),
        ) {
            let wire = wire_of(&messages);
            let mut stream = Pieces { rest: &wire, sizes: sizes.into_iter() };
            let (mut buffer, mut echoed, mut frames) = (FrameBuffer::new(80), vec![], 0);
            while buffer.read_from(&mut stream).unwrap() > 0 {
                let run = buffer.take_run(|_| true);
                echoed.extend_from_slice(run.wire);
                frames += run.frames;
                prop_assert!(matches!(run.end, RunEnd::NeedMore));
            }
            prop_assert_eq!(echoed, wire);
            prop_assert_eq!(frames, messages.len());
        }

        #[test]
        fn any_bytes_at_all_keep_within_the_limit(
            bytes in prop::collection::vec(any::<u8>(), 0..5000),
            sizes in prop::collection::vec(1..500usize, 0..50),
            limit in 0..3000usize,
        ) {
            let mut stream = Pieces { rest: &bytes, sizes: sizes.into_iter() };
            let mut buffer = FrameBuffer::new(limit);
            while buffer.read_from(&mut stream).unwrap() > 0 {
                loop {
                    match buffer.next_text() {
                        Ok(Some(text)) => prop_assert!(text.len() <= limit),
                        Ok(None) => break,
                        Err(_) => return Ok(()),
                    }
                }
            }
            let _ = buffer.finish();
        }

        #[test]
        fn a_header_alone_allocates_nothing_for_its_payload(length in 0..=u32::MAX) {
            let mut buffer = FrameBuffer::new(u32::MAX as usize);
            buffer.read_from(&mut &length.to_be_bytes()[..]).unwrap();
            let _ = buffer.next_text();
            buffer.read_from(&mut &b"first"[..]).unwrap();
            prop_assert!(buffer.buffer.size() <= crate::frame_read_buffer::FIRST_BYTES);
        }
    }

    #[test]
    fn a_run_ends_before_the_unwanted_frame_and_goes_on_after_it() {
        let wire = wire_of(&["a", "b", "exit", "c"].map(String::from));
        let mut buffer = FrameBuffer::new(16);
        buffer.read_from(&mut &wire[..]).unwrap();
        let run = buffer.take_run(|text| text != "exit");
        assert_eq!((run.wire, run.frames), (&b"\0\0\0\x01a\0\0\0\x01b"[..], 2));
        assert!(matches!(run.end, RunEnd::Unwanted));
        assert_eq!(buffer.next_text().unwrap(), Some("c"));
    }

    #[test]
    fn whole_frames_are_counted_up_to_what_is_none() {
        let wire = wire_of(&["", "ab"].map(String::from));
        for (rest, whole) in [(&b""[..], 2), (b"\0\0\0", 2), (b"\0\0\0\x01\xff", 2)] {
            let mut buffer = FrameBuffer::new(16);
            assert_eq!(buffer.whole(), 0);
            buffer.read_from(&mut &[&wire, rest].concat()[..]).unwrap();
            assert_eq!(buffer.whole(), whole);
            buffer.next_text().unwrap();
            assert_eq!(buffer.whole(), whole - 1);
        }
    }

    #[test]
    fn a_run_ends_before_what_is_no_frame() {
        let mut buffer = FrameBuffer::new(16);
        buffer
            .read_from(&mut &b"\0\0\0\x02ok\0\0\0\x01\xff"[..])
            .unwrap();
        let run = buffer.take_run(|_| true);
        assert_eq!(run.wire, b"\0\0\0\x02ok");
        assert!(matches!(run.end, RunEnd::Broken(RecvError::NotUtf8 { .. })));
    }

    #[test]
    fn the_end_inside_a_frame_is_told() {
        let mut buffer = FrameBuffer::new(16);
        buffer.read_from(&mut &b"\0\0\0\x05hel"[..]).unwrap();
        assert!(buffer.next_text().unwrap().is_none());
        assert!(matches!(
            buffer.finish(),
            Err(RecvError::CutOffPayload {
                received: 3,
                length: 5
            })
        ));
    }
}
