//! The one thread that writes: it takes what waits, writes it, syncs it, tells those who wait, and compacts when it is time.

use std::io::{self, BufWriter, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Arc;

use crate::disk::Disk;
use crate::error::{Error, Printable};
use crate::line;
use crate::pending::Pending;
use crate::store::Value;

/// Fewer superseded lines than this (about 100 KB) are not worth a rewrite.
pub(crate) const MIN_DEAD_LINES: u64 = 1_000;

pub(crate) struct Writer<V, D> {
    pub(crate) pending: Arc<Pending<V>>,
    pub(crate) disk: D,
    /// As the caller named it, for messages.
    pub(crate) path: PathBuf,
    /// Bytes of the file that are good: on disk, and whole lines.
    pub(crate) length: u64,
    /// Compact when more lines than this, and than there are records, are dead.
    pub(crate) min_dead_lines: u64,
    /// After a compaction that failed: the dead lines at which to try again.
    pub(crate) retry_above: u64,
}

impl<V: Value, D: Disk> Writer<V, D> {
    /// Writes until the store is closed. Whatever happens, nobody is left waiting.
    pub(crate) fn run(mut self) {
        let pending = self.pending.clone();
        let path = self.path.clone();
        // A value's `Serialize` or `Drop` is foreign code.
        if panic::catch_unwind(AssertUnwindSafe(|| self.serve())).is_err() {
            let source = Arc::new(io::Error::other("the writer thread panicked"));
            let error = Error::Halted { path, source };
            log::error!("{error}");
            pending.fail(&error);
        }
    }

    /// Ends when the store is closed; after a failure that halts it, there is nothing more to take.
    fn serve(&mut self) {
        while let Some(lines) = self.pending.take() {
            let done = self.write(&lines).and_then(|()| {
                self.pending.commit();
                self.compact_when_due()
            });
            if let Err(error) = done {
                // Whose change failed is told, but a halt may come when nobody waits.
                if let Error::Halted { .. } = error {
                    log::error!("{error}");
                }
                self.pending.fail(&error);
            }
        }
    }

    fn write(&mut self, lines: &[u8]) -> Result<(), Error> {
        if let Err(source) = self.disk.append(lines) {
            self.disk
                .truncate(self.length)
                .map_err(|source| self.halted(source))?;
            // Without it a power cut could bring back what the callers are told is not stored.
            self.sync()?;
            return Err(Error::Write {
                path: self.path.clone(),
                source: Arc::new(source),
            });
        }
        self.sync()?;
        self.length += lines.len() as u64;
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Error> {
        self.disk.sync().map_err(|source| self.halted(source))?;
        self.pending.synced();
        Ok(())
    }

    /// After a failed fsync the kernel may have dropped the bytes and call the next one a success, so there is no next one.
    fn halted(&self, source: io::Error) -> Error {
        Error::Halted {
            path: self.path.clone(),
            source: Arc::new(source),
        }
    }

    fn compact_when_due(&mut self) -> Result<(), Error> {
        let (dead, live) = {
            let records = self.pending.records();
            (records.dead(), records.live())
        };
        if dead <= live.max(self.min_dead_lines).max(self.retry_above) {
            return Ok(());
        }
        match self.rewrite() {
            Ok(length) => (self.length, self.retry_above) = (length, 0),
            Err(error) => {
                // The file is as good as it was, merely long. Another try when it is half as long again.
                self.retry_above = dead + dead / 2;
                let path = Printable::path(&self.path);
                log::warn!(
                    "cannot compact {path}: {error}; it keeps {dead} lines that are out of date"
                );
                if let Err(error) = self.disk.discard() {
                    log::warn!("cannot remove {path}.tmp: {error}");
                }
                return Ok(());
            }
        }
        // Until the new name is on disk, a power cut would bring back the old file without what is appended from now on.
        self.disk
            .sync_folder()
            .map_err(|source| self.halted(source))?;
        self.pending.synced();
        self.pending.compacted();
        Ok(())
    }

    /// Writes one line a record to a draft and puts it in the file's place; its length in bytes.
    fn rewrite(&mut self) -> io::Result<u64> {
        let mut draft = BufWriter::with_capacity(1 << 16, self.disk.draft()?);
        let mut length = 0;
        let mut bytes = Vec::new();
        for (key, entry) in self.pending.records().iter() {
            bytes.clear();
            line::encode(key, Some(entry), &mut bytes)
                .map_err(|refused| io::Error::other(refused.to_string()))?;
            draft.write_all(&bytes)?;
            length += bytes.len() as u64;
        }
        let mut draft = draft.into_inner().map_err(io::IntoInnerError::into_error)?;
        self.disk.sync_draft(&mut draft)?;
        self.pending.synced();
        self.disk.install(draft)?;
        Ok(length)
    }
}
