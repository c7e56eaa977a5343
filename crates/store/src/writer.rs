//! The one thread that writes: takes the changes that wait, appends them, syncs, reports the result, and compacts when
//! it is time.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use crate::commit_queue::{CommitQueue, Next};
use crate::compaction::Schedule;
use crate::disk::Disk;
use crate::error::{Error, shown};
use crate::line;
use crate::value::Value;

pub(crate) struct Writer<V, D> {
    pub(crate) queue: Arc<CommitQueue<V>>,
    pub(crate) disk: D,
    /// As the caller named it, for messages.
    pub(crate) path: PathBuf,
    /// Bytes of the file that are good: on disk, and whole lines.
    pub(crate) length: u64,
    pub(crate) schedule: Schedule,
}

/// Why a compaction did not happen.
enum Failure {
    /// The file is as good as it was, merely long.
    Io(io::Error),
    /// No more changes are possible.
    Final(Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl<V: Value, D: Disk> Writer<V, D> {
    /// Writes until the store is closed. No caller is left waiting, even if this panics: `Serialize` and `Drop` of a
    /// value are foreign code.
    pub(crate) fn run(mut self) {
        match panic::catch_unwind(AssertUnwindSafe(|| self.serve())) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.halt(&error),
            Err(_) => {
                let error = self.halted(io::Error::other("the writer thread panicked"));
                self.halt(&error);
            }
        }
        // The locks stay until the store is dropped.
        self.queue.await_close();
    }

    /// Refuses all further changes. Said in the log too, since perhaps no caller waits.
    fn halt(&self, error: &Error) {
        log::error!("{error}");
        self.queue.fail(error);
    }

    /// Ends when the store is closed, or with an error after which nothing more can be written.
    fn serve(&mut self) -> Result<(), Error> {
        loop {
            match self.queue.next(self.schedule.deadline()) {
                Next::Lines(lines) => match self.write(&lines) {
                    Ok(()) => {
                        if self.queue.commit() {
                            self.schedule.request_erasure(Instant::now());
                        }
                    }
                    Err(error) if error.is_final() => return Err(error),
                    Err(error) => self.queue.fail(&error),
                },
                Next::Deadline => {}
                Next::Closed => break,
            }
            let (dead, live) = self.queue.line_counts();
            if self.schedule.is_due(Instant::now(), dead, live) {
                self.compact(dead)?;
            }
        }
        if self.schedule.must_erase() {
            self.compact(0)?;
        }
        Ok(())
    }

    fn write(&mut self, lines: &[u8]) -> Result<(), Error> {
        match self.disk.is_unchanged(self.length) {
            Ok(true) => {}
            Ok(false) => return Err(self.replaced()),
            Err(error) => return Err(self.not_written(error)),
        }
        if let Err(error) = self.disk.append(lines) {
            self.disk
                .truncate(self.length)
                .map_err(|error| self.halted(error))?;
            // Otherwise a power cut could bring back a change that was reported as not stored.
            self.sync()?;
            return Err(self.not_written(error));
        }
        self.sync()?;
        self.length += lines.len() as u64;
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Error> {
        self.disk.sync().map_err(|error| self.halted(error))?;
        self.queue.on_sync();
        Ok(())
    }

    fn not_written(&self, error: io::Error) -> Error {
        Error::Write {
            path: self.path.clone(),
            cause: Arc::new(error),
        }
    }

    /// After a failed fsync the kernel may drop the bytes and report success for the next one, so there is no next one.
    fn halted(&self, error: io::Error) -> Error {
        Error::Halted {
            path: self.path.clone(),
            cause: Arc::new(error),
        }
    }

    fn replaced(&self) -> Error {
        Error::Replaced {
            path: self.path.clone(),
        }
    }

    fn compact(&mut self, dead: u64) -> Result<(), Error> {
        let error = match self.rewrite() {
            Ok(length) => {
                self.length = length;
                // Before the new name is on disk, a power cut would bring back the old file without later changes.
                self.disk
                    .sync_folder()
                    .map_err(|error| self.halted(error))?;
                self.queue.on_sync();
                self.queue.on_compaction();
                self.schedule.on_success(Instant::now());
                return Ok(());
            }
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Io(error)) => error,
        };
        let path = shown(&self.path);
        if is_mount_point(&error) {
            self.schedule.disable();
            log::warn!(
                "{path} cannot be compacted, because it is mounted as a single file ({error}): it grows, and old \
                 values stay in it; mount its folder instead"
            );
        } else {
            self.schedule.on_failure(Instant::now(), dead);
            log::warn!(
                "cannot compact {path}: {error}; it keeps lines that are out of date until a later try"
            );
        }
        if let Err(error) = self.disk.remove_temp() {
            log::warn!("cannot remove {path}.tmp: {error}");
        }
        Ok(())
    }

    /// Writes one line per record to a new file and puts it in the place of the old one. Returns its length in bytes.
    fn rewrite(&mut self) -> Result<u64, Failure> {
        let mut temp = BufWriter::with_capacity(1 << 16, self.disk.create_temp()?);
        let mut length = 0;
        let mut bytes = Vec::new();
        for (key, entry) in self.queue.records().iter() {
            bytes.clear();
            line::encode(key, Some(entry), false, &mut bytes)
                .map_err(|invalid| io::Error::other(invalid.to_string()))?;
            temp.write_all(&bytes)?;
            length += bytes.len() as u64;
        }
        let mut temp = temp.into_inner().map_err(io::IntoInnerError::into_error)?;
        self.disk.sync_temp(&mut temp)?;
        self.queue.on_sync();
        if !self.disk.is_unchanged(self.length)? {
            self.disk.remove_temp()?;
            return Err(Failure::Final(self.replaced()));
        }
        self.disk.replace(temp)?;
        Ok(length)
    }
}

/// Whether a file could not be renamed over because something is mounted on it, as containers do with single files.
fn is_mount_point(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ResourceBusy | ErrorKind::CrossesDevices
    )
}
