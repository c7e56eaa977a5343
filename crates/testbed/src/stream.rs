//! The test's ends of a program's streams, each served by a thread, so that neither a test nor
//! the program it drives ever blocks on a full pipe.

use std::fmt;
use std::io::{Read, Write};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// All that a program has written to one stream, and how far the test has read it.
#[derive(Clone)]
pub(crate) struct Transcript(Arc<Shared>);

#[derive(Default)]
struct Shared {
    recording: Mutex<Recording>,
    changed: Condvar,
}

#[derive(Default)]
struct Recording {
    bytes: Vec<u8>,
    /// `bytes[..taken]` was matched by the test; searches begin after it.
    taken: usize,
    ended: bool,
}

/// Why what was waited for did not come.
pub(crate) enum Missing {
    TimedOut(Duration),
    StreamEnded,
}

impl Transcript {
    /// Reads `source` to its end on a thread of its own.
    pub(crate) fn record(source: impl Read + Send + 'static) -> Self {
        let transcript = Self(Arc::default());
        let recorder = transcript.clone();
        spawn("testbed-read", move || recorder.follow(source));
        transcript
    }

    fn follow(&self, mut source: impl Read) {
        let mut portion = [0; 16 * 1024];
        // An error is an end: a terminal whose program is gone gives one.
        while let Ok(length @ 1..) = source.read(&mut portion) {
            self.lock().bytes.extend_from_slice(&portion[..length]);
            self.0.changed.notify_all();
        }
        self.lock().ended = true;
        self.0.changed.notify_all();
    }

    /// Waits until `find` finds something in the bytes not taken yet, and takes as many as it returns.
    pub(crate) fn take<T>(
        &self,
        limit: Duration,
        mut find: impl FnMut(&[u8]) -> Option<(usize, T)>,
    ) -> Result<T, Missing> {
        let deadline = Instant::now() + limit;
        let mut recording = self.lock();
        loop {
            if let Some((length, found)) = find(&recording.bytes[recording.taken..]) {
                recording.taken += length;
                return Ok(found);
            }
            if recording.ended {
                return Err(Missing::StreamEnded);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Missing::TimedOut(limit));
            }
            let waited = self.0.changed.wait_timeout(recording, left);
            recording = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for `text`.
    pub(crate) fn take_text(&self, limit: Duration, text: &str) -> Result<(), Missing> {
        self.take(limit, text_search(text))
    }

    /// Waits for a whole line that contains `text`; gives it without its end.
    pub(crate) fn take_line(&self, limit: Duration, text: &str) -> Result<String, Missing> {
        self.take(limit, line_search(text))
    }

    /// Waits for the end of the stream.
    pub(crate) fn wait_for_end(&self, limit: Duration) -> Result<(), Missing> {
        match self.take::<()>(limit, |_| None) {
            Err(Missing::StreamEnded) => Ok(()),
            other => other,
        }
    }

    /// Everything so far, taken or not.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.lock().bytes.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Recording> {
        let recording = self.0.recording.lock();
        // A test that panics in `find` leaves the recording as it was.
        recording.unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Missing::TimedOut(limit) => write!(f, "not within {limit:?}"),
            Missing::StreamEnded => f.write_str("not before the stream ended"),
        }
    }
}

/// Writes what it is given, in order, without making the giver wait; dropped, it writes the rest
/// and closes.
pub(crate) struct Feeder(Sender<Vec<u8>>);

impl Feeder {
    pub(crate) fn new(mut sink: impl Write + Send + 'static) -> Self {
        let (sender, portions): (_, Receiver<Vec<u8>>) = mpsc::channel();
        spawn("testbed-write", move || {
            for portion in portions {
                // A program may end without reading all: that is for the test to judge, by what it said.
                if sink
                    .write_all(&portion)
                    .and_then(|()| sink.flush())
                    .is_err()
                {
                    break;
                }
            }
        });
        Self(sender)
    }

    /// Bytes for a program that no longer reads are dropped.
    pub(crate) fn feed(&self, bytes: impl Into<Vec<u8>>) {
        let _ = self.0.send(bytes.into());
    }
}

/// A search for `text` in bytes that grow from call to call. What was searched in vain is not
/// searched again, or a long stream would cost its square.
fn text_search(text: &str) -> impl FnMut(&[u8]) -> Option<(usize, ())> {
    let mut searched = 0;
    move |bytes| {
        let at = find(&bytes[searched..], text.as_bytes());
        let end = at.map(|at| searched + at + text.len());
        // Its beginning may be there already.
        searched = (bytes.len() + 1).saturating_sub(text.len()).max(searched);
        end.map(|end| (end, ()))
    }
}

/// A search for a whole line that contains `text`, likewise.
fn line_search(text: &str) -> impl FnMut(&[u8]) -> Option<(usize, String)> {
    let mut searched = 0;
    move |bytes| {
        while let Some(length) = find(&bytes[searched..], b"\n") {
            let line = &bytes[searched..searched + length];
            searched += length + 1;
            if find(line, text.as_bytes()).is_some() {
                return Some((searched, String::from_utf8_lossy(line).into_owned()));
            }
        }
        None
    }
}

/// Where `text` begins in `bytes`; the empty text is everywhere.
pub(crate) fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    match text {
        [] => Some(0),
        [byte] => bytes.iter().position(|b| b == byte),
        _ => bytes.windows(text.len()).position(|window| window == text),
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .expect("the machine has a thread left for the test");
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    #[test]
    fn a_search_finds_what_arrives_in_any_portions() {
        let stream = "... наnaname\nlist, listen\nlast".as_bytes();
        for (text, end) in [("name", 14), ("\n", 15), ("list", 19), ("listen\n", 28)] {
            for step in 1..=stream.len() {
                let mut search = text_search(text);
                let mut portions = (step..end).step_by(step);
                assert_eq!(portions.find_map(|have| search(&stream[..have])), None);
                assert_eq!(
                    search(stream),
                    Some((end, ())),
                    "{text:?} in steps of {step}"
                );
            }
        }
        for step in 1..=stream.len() {
            let mut search = line_search("listen");
            let mut portions = (step..28).step_by(step);
            assert_eq!(portions.find_map(|have| search(&stream[..have])), None);
            assert_eq!(search(stream), Some((28, "list, listen".to_owned())));
        }
    }

    #[test]
    fn what_was_taken_is_not_found_again() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let transcript = Transcript::record(reader);
        let test = thread::spawn({
            let transcript = transcript.clone();
            move || transcript.take_text(SOON, "listening on")
        });
        writer.write_all(b"... listening on 1\n2\n").unwrap();
        assert!(test.join().unwrap().is_ok());
        assert_eq!(transcript.take_line(SOON, "").ok().as_deref(), Some(" 1"));
        assert_eq!(transcript.take_line(SOON, "2").ok().as_deref(), Some("2"));
        assert_eq!(transcript.bytes(), b"... listening on 1\n2\n");
    }

    #[test]
    fn too_late_and_never_are_distinguished() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let transcript = Transcript::record(reader);
        writer.write_all(b"half a line").unwrap();
        let short = Duration::from_millis(50);
        assert!(
            matches!(transcript.take_line(short, ""), Err(Missing::TimedOut(limit)) if limit == short)
        );
        drop(writer);
        assert!(matches!(
            transcript.take_line(SOON, ""),
            Err(Missing::StreamEnded)
        ));
        assert!(transcript.take_text(SOON, "half a line").is_ok());
    }
}
