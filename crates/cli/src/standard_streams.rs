//! Standard input and output that may be non-blocking: another program with the same terminal or pipe can set that.

use std::io::{self, BufRead, Read, Write};

/// A stream that waits when the system says that a call would block.
#[derive(Debug)]
pub struct RetryWouldBlock<T>(pub T);

#[cfg(unix)]
mod platform {
    use std::io;
    use std::os::fd::AsFd;

    use rustix::event::{PollFd, PollFlags, poll};

    pub(super) use std::os::fd::AsFd as Stream;

    fn wait(stream: &impl AsFd, flags: PollFlags) -> io::Result<()> {
        match poll(&mut [PollFd::new(stream, flags)], None) {
            Err(rustix::io::Errno::INTR) | Ok(_) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn wait_for_input(stream: &impl AsFd) -> io::Result<()> {
        wait(stream, PollFlags::IN)
    }

    pub(super) fn wait_for_room(stream: &impl AsFd) -> io::Result<()> {
        wait(stream, PollFlags::OUT)
    }
}

#[cfg(not(unix))]
mod platform {
    use std::io;

    /// Standard streams always block here.
    pub trait Stream {}
    impl<T> Stream for T {}

    pub(super) fn wait_for_input(_: &impl Stream) -> io::Result<()> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    pub(super) fn wait_for_room(_: &impl Stream) -> io::Result<()> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

fn would_block<T>(result: &io::Result<T>) -> bool {
    result
        .as_ref()
        .is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

impl<T: Read + platform::Stream> Read for RetryWouldBlock<T> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(room) {
                result if would_block(&result) => platform::wait_for_input(&self.0)?,
                result => return result,
            }
        }
    }
}

impl<T: BufRead + platform::Stream> BufRead for RetryWouldBlock<T> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        loop {
            match self.0.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    platform::wait_for_input(&self.0)?;
                }
                Err(error) => return Err(error),
                // A terminal says so once (Ctrl-D): the next call would wait for more.
                Ok([]) => return Ok(&[]),
                Ok(_) => break,
            }
        }
        // What was found above is still there.
        self.0.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}

impl<T: Write + platform::Stream> Write for RetryWouldBlock<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                result if would_block(&result) => platform::wait_for_room(&self.0)?,
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        loop {
            match self.0.flush() {
                result if would_block(&result) => platform::wait_for_room(&self.0)?,
                result => return result,
            }
        }
    }
}
