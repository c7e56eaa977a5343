//! Turns blocks of input into bytes for the server, line by line. This module knows neither the input nor the
//! socket.

use std::io::Cursor;

use proto::FramedSocket;

use crate::Wire;
use crate::digest::Digest;
use crate::error::Error;

/// The line that ends the dialogue.
const EXIT: &[u8] = b"exit";

/// The same line where lines end with `\r\n`.
const EXIT_CR: &[u8] = b"exit\r";

/// Whether more input follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    More,
    /// A line was `exit`, or the input is at its end.
    End,
}

/// The bytes to send, and the line whose end has not come yet.
#[derive(Debug)]
pub(crate) struct Outgoing {
    wire: Wire,
    /// A person types the lines, so blanks around `exit` do not matter.
    is_typed: bool,
    /// The start of a line that has not ended. Framed: all of it. Raw: only what may become `exit`.
    partial: Vec<u8>,
    /// Raw: the start of this line is sent already, so the line is not `exit`.
    in_line: bool,
    /// Whole lines so far.
    lines: u64,
    /// The digest of everything that must come back.
    digest: Digest,
    pending: Pending,
}

/// The bytes to send next.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    pub(crate) bytes: Vec<u8>,
    /// Whole lines in them.
    pub(crate) lines: u64,
    /// How much must come back for them: messages, or bytes in raw mode.
    pub(crate) outstanding: u64,
    /// How many of the bytes must come back: all but an `exit` at their end.
    pub(crate) echoed: usize,
}

impl Outgoing {
    pub(crate) fn new(wire: Wire, is_typed: bool) -> Self {
        Self {
            wire,
            is_typed,
            partial: vec![],
            in_line: false,
            lines: 0,
            digest: Digest::default(),
            pending: Pending::default(),
        }
    }

    /// Adds the next block of input. After an error or `exit` nothing more is added; the lines before it
    /// can still be sent.
    pub(crate) fn add(&mut self, block: &[u8]) -> Result<Flow, Error> {
        for piece in block.split_inclusive(|byte| *byte == b'\n') {
            let flow = match piece.strip_suffix(b"\n") {
                Some(end) => self.end_line(end, b"\n")?,
                None => self.begin_line(piece)?,
            };
            if flow == Flow::End {
                return Ok(flow);
            }
        }
        Ok(Flow::More)
    }

    /// Ends the input. A last line without a line end counts; returns the number of its message, because the reply
    /// is printed without a line end, too.
    pub(crate) fn finish(&mut self) -> Result<Option<u64>, Error> {
        if self.partial.is_empty() {
            return Ok(None);
        }
        let flow = self.end_line(b"", b"")?;
        Ok((flow == Flow::More).then_some(self.lines))
    }

    /// The digest of everything that must come back for the input so far.
    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    pub(crate) fn pending(&self) -> &Pending {
        &self.pending
    }

    /// Removes the pending bytes once they are sent.
    pub(crate) fn clear(&mut self) {
        self.pending.bytes.clear();
        (self.pending.lines, self.pending.outstanding) = (0, 0);
        self.pending.echoed = 0;
    }

    fn begin_line(&mut self, piece: &[u8]) -> Result<Flow, Error> {
        self.partial.extend_from_slice(piece);
        match self.wire {
            Wire::Framed { max_message: limit } if self.partial.len() > limit => {
                return Err(Error::LineTooLong {
                    line: self.lines + 1,
                    limit,
                });
            }
            Wire::Raw if self.in_line || !EXIT_CR.starts_with(&self.partial) => {
                self.send_raw(b"");
                self.in_line = true;
            }
            _ => {}
        }
        Ok(Flow::More)
    }

    fn end_line(&mut self, rest: &[u8], ending: &[u8]) -> Result<Flow, Error> {
        self.partial.extend_from_slice(rest);
        let is_exit = !self.in_line && self.is_exit();
        if is_exit {
            // The server knows this spelling alone.
            self.partial = EXIT.to_vec();
        }
        match self.wire {
            Wire::Framed { max_message } => self.send_frame(max_message, is_exit)?,
            Wire::Raw if is_exit => {}
            Wire::Raw => self.send_raw(ending),
        }
        self.in_line = false;
        self.lines += 1;
        self.pending.lines += 1;
        self.partial.clear();
        Ok(if is_exit { Flow::End } else { Flow::More })
    }

    fn is_exit(&self) -> bool {
        let line = if self.is_typed {
            self.partial.trim_ascii()
        } else {
            &self.partial
        };
        line == EXIT || line == EXIT_CR
    }

    fn send_frame(&mut self, limit: usize, is_exit: bool) -> Result<(), Error> {
        let line = self.lines + 1;
        let too_long = Error::LineTooLong { line, limit };
        if self.partial.len() > limit {
            return Err(too_long);
        }
        let text = std::str::from_utf8(&self.partial).map_err(|error| Error::LineNotUtf8 {
            line,
            valid_up_to: error.valid_up_to(),
        })?;
        let bytes = &mut self.pending.bytes;
        let start = bytes.len();
        let mut frames = Cursor::new(&mut *bytes);
        frames.set_position(start as u64);
        // Writing to memory cannot fail.
        frames.send_text(text).map_err(|_| too_long)?;
        // `exit` has no answer but the end of the connection.
        if !is_exit {
            self.digest.add(&bytes[start..]);
            self.pending.echoed = bytes.len();
        }
        self.pending.outstanding += u64::from(!is_exit);
        Ok(())
    }

    fn send_raw(&mut self, ending: &[u8]) {
        self.partial.extend_from_slice(ending);
        self.digest.add(&self.partial);
        self.pending.outstanding += self.partial.len() as u64;
        self.pending.bytes.append(&mut self.partial);
        self.pending.echoed = self.pending.bytes.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAMED: Wire = Wire::Framed { max_message: 8 };

    /// What goes to the server for input that comes in these blocks, and how it ended.
    fn sent(wire: Wire, blocks: &[&[u8]]) -> (Vec<u8>, u64, Result<Flow, String>) {
        let mut outgoing = Outgoing::new(wire, false);
        let mut end = Ok(Flow::More);
        for block in blocks {
            end = outgoing.add(block).map_err(|error| error.to_string());
            if end != Ok(Flow::More) {
                break;
            }
        }
        if end == Ok(Flow::More)
            && let Err(error) = outgoing.finish()
        {
            end = Err(error.to_string());
        }
        (
            outgoing.pending().bytes.clone(),
            outgoing.pending().outstanding,
            end,
        )
    }

    /// Every way to cut the input in two must send the same.
    fn sent_however_cut(wire: Wire, input: &str) -> (String, u64, Result<Flow, String>) {
        let input = input.as_bytes();
        let whole = sent(wire, &[input]);
        for cut in 0..=input.len() {
            assert_eq!(
                sent(wire, &[&input[..cut], &input[cut..]]),
                whole,
                "cut at {cut}"
            );
        }
        (String::from_utf8(whole.0).unwrap(), whole.1, whole.2)
    }

    #[test]
    fn a_line_is_a_message() {
        let (wire, outstanding, end) = sent_however_cut(FRAMED, "hi\r\n\nЖж\nlast");
        assert_eq!(wire, "\0\0\0\x03hi\r\0\0\0\0\0\0\0\x04Жж\0\0\0\x04last");
        assert_eq!((outstanding, end), (4, Ok(Flow::More)));
    }

    #[test]
    fn a_message_without_a_line_end_is_reported() {
        let mut outgoing = Outgoing::new(FRAMED, false);
        outgoing.add(b"a\nb").unwrap();
        assert_eq!(outgoing.finish().unwrap(), Some(2));
        let mut outgoing = Outgoing::new(FRAMED, false);
        outgoing.add(b"a\nb\n").unwrap();
        assert_eq!(outgoing.finish().unwrap(), None);
    }

    #[test]
    fn exit_is_a_frame_and_nothing_follows_it() {
        let (wire, outstanding, end) = sent_however_cut(FRAMED, "hi\nexit\nno\n");
        assert_eq!((&wire[..], outstanding), ("\0\0\0\x02hi\0\0\0\x04exit", 1));
        assert_eq!(end, Ok(Flow::End));
        assert_eq!(sent_however_cut(FRAMED, "exit").0, "\0\0\0\x04exit");
    }

    #[test]
    fn a_line_that_no_message_can_carry_is_reported_by_its_number() {
        let (wire, _, end) = sent_however_cut(FRAMED, "12345678\n123456789\nno\n");
        assert_eq!(wire, "\0\0\0\x0812345678");
        assert!(
            end.unwrap_err()
                .starts_with("line 2 is longer than 8 bytes")
        );
        let (wire, _, end) = sent(FRAMED, &[b"ok\na\xffb\nno"]);
        assert_eq!(wire, b"\0\0\0\x02ok");
        assert!(
            end.unwrap_err()
                .starts_with("line 2 is not UTF-8 from byte 1 on")
        );
    }

    #[test]
    fn a_long_line_is_refused_before_it_is_collected() {
        let mut outgoing = Outgoing::new(FRAMED, false);
        assert!(outgoing.add(&[b'x'; 9]).is_err());
    }

    #[test]
    fn exit_may_have_blanks_where_it_is_typed_and_a_cr_anywhere() {
        for (wire, sent) in [(FRAMED, &b"\0\0\0\x04exit"[..]), (Wire::Raw, b"")] {
            for line in ["exit\r\n", " exit\n", "exit \t\r\n"] {
                for is_typed in [true, false] {
                    let mut outgoing = Outgoing::new(wire, is_typed);
                    let is_exit = is_typed || line == "exit\r\n";
                    let flow = outgoing.add(line.as_bytes()).unwrap();
                    assert_eq!(flow == Flow::End, is_exit, "{line:?}");
                    assert_eq!(outgoing.pending().bytes == sent, is_exit, "{line:?}");
                }
            }
        }
        assert_eq!(sent_however_cut(Wire::Raw, "a\nexit\r\nb").0, "a\n");
        assert_eq!(sent_however_cut(Wire::Raw, "exit\rb\n").0, "exit\rb\n");
    }

    #[test]
    fn raw_sends_the_input_itself() {
        for input in [
            "hi\r\n\nЖж\nlast",
            "exi",
            "exits\n",
            "\nexit now\n",
            "xexit\nEXIT\n",
        ] {
            let (wire, outstanding, end) = sent_however_cut(Wire::Raw, input);
            assert_eq!((&wire[..], outstanding), (input, input.len() as u64));
            assert_eq!(end, Ok(Flow::More));
        }
    }

    #[test]
    fn raw_keeps_exit_to_itself() {
        assert_eq!(
            sent_however_cut(Wire::Raw, "a\nexit\nb"),
            ("a\n".into(), 2, Ok(Flow::End))
        );
        assert_eq!(sent_however_cut(Wire::Raw, "a\nexit").0, "a\n");
    }

    #[test]
    fn raw_does_not_keep_a_long_line_back() {
        let mut outgoing = Outgoing::new(Wire::Raw, false);
        outgoing.add(&[b'x'; 100]).unwrap();
        assert_eq!(outgoing.pending().outstanding, 100);
    }
}
