//! A simulated disk for tests: it fails on demand, can be held in the middle of an fsync, and remembers every state in
//! which a crash could leave the file.

use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::compaction::Bounds;
use crate::disk::Disk;
use crate::load;
use crate::store::Store;
use crate::value::Value;

/// A handle to one simulated disk; clones are the same disk.
#[derive(Clone, Default)]
pub(crate) struct Sim(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    file: Vec<u8>,
    /// The start of `file` that a power cut cannot take.
    synced: usize,
    temp: Vec<u8>,
    temp_synced: usize,
    /// The file before a replacement, which a power cut brings back until the folder is synced.
    before_replace: Option<Vec<u8>>,
    /// Cut, and not synced since: a power cut may bring the tail back.
    cut: bool,
    acknowledged: usize,
    crashes: Vec<Crash>,
    failing: Vec<(Step, usize)>,
    held: Option<(Sender<()>, Receiver<()>)>,
}

/// What a crash at one moment leaves: `sure`, then any beginning of `unsure`.
pub(crate) struct Crash {
    pub(crate) sure: Vec<u8>,
    pub(crate) unsure: Vec<u8>,
    /// Lines that had been acknowledged to callers as on disk by then.
    pub(crate) acknowledged: usize,
}

/// An fsync that does not end before this is dropped.
pub(crate) struct Held {
    has_begun: Receiver<()>,
    _go_on: Sender<()>,
}

impl Held {
    /// Returns when the fsync has begun.
    pub(crate) fn await_begun(&self) {
        self.has_begun
            .recv_timeout(TIME_LIMIT)
            .expect("an fsync begins");
    }
}

/// Far above what any step takes, so that a broken store fails a test rather than hang it.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(20);

/// A step that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Another program has replaced the file.
    Unchanged,
    Append,
    Truncate,
    Sync,
    CreateTemp,
    WriteTemp,
    SyncTemp,
    Replace,
    /// As [`Replace`](Self::Replace), but the file is mounted.
    ReplaceMounted,
    SyncFolder,
}

impl Sim {
    /// A store on this disk, which compacts at more than `min_dead_lines` dead lines and erases as real ones do.
    pub(crate) fn open<V: Value>(&self, min_dead_lines: u64) -> Store<V> {
        self.open_with(Bounds {
            min_dead_lines,
            ..Bounds::default()
        })
    }

    pub(crate) fn open_with<V: Value>(&self, bounds: Bounds) -> Store<V> {
        let loaded = load::load(&self.file()[..]).unwrap();
        Store::start(self.clone(), loaded, Path::new("sim"), bounds).unwrap()
    }

    pub(crate) fn file(&self) -> Vec<u8> {
        self.state().file.clone()
    }

    /// Lets the next `step` fail as a full disk does, an append after `kept` bytes.
    pub(crate) fn fail_next(&self, step: Step, kept: usize) {
        self.state().failing.push((step, kept));
    }

    /// Holds the next fsync until [`Held`] is dropped.
    pub(crate) fn hold_next_sync(&self) -> Held {
        let ((begun, has_begun), (go_on, may_go_on)) = (channel(), channel());
        self.state().held = Some((begun, may_go_on));
        Held {
            has_begun,
            _go_on: go_on,
        }
    }

    /// Notes that a caller learned that the first `count` lines are on disk.
    pub(crate) fn acknowledge(&self, count: usize) {
        let mut state = self.state();
        state.acknowledged = state.acknowledged.max(count);
    }

    /// Every crash there could have been, one at this moment included.
    pub(crate) fn crashes(&self) -> Vec<Crash> {
        let mut state = self.state();
        state.could_crash();
        std::mem::take(&mut state.crashes)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl State {
    fn could_crash(&mut self) {
        let (sure, unsure) = self.file.split_at(self.synced);
        let acknowledged = self.acknowledged;
        self.crashes.push(Crash {
            sure: sure.to_vec(),
            unsure: unsure.to_vec(),
            acknowledged,
        });
        if let Some(old) = &self.before_replace {
            self.crashes.push(Crash {
                sure: old.clone(),
                unsure: Vec::new(),
                acknowledged,
            });
        }
    }

    /// The bytes to keep of a step that fails.
    fn fails(&mut self, step: Step) -> Option<usize> {
        let place = self
            .failing
            .iter()
            .position(|(failing, _)| *failing == step)?;
        Some(self.failing.remove(place).1)
    }

    fn check(&mut self, step: Step) -> io::Result<()> {
        self.fails(step).map_or(Ok(()), |_| Err(full()))
    }
}

fn full() -> io::Error {
    io::ErrorKind::StorageFull.into()
}

impl Disk for Sim {
    type Temp = Self;

    fn is_unchanged(&mut self, length: u64) -> io::Result<bool> {
        let mut state = self.state();
        assert_eq!(length, state.file.len() as u64);
        Ok(state.fails(Step::Unchanged).is_none())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        assert!(!state.cut, "a cut must be synced before bytes follow it");
        let kept = state.fails(Step::Append);
        state
            .file
            .extend_from_slice(&bytes[..kept.unwrap_or(bytes.len()).min(bytes.len())]);
        state.could_crash();
        kept.map_or(Ok(()), |_| Err(full()))
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let mut state = self.state();
        state.could_crash();
        state.check(Step::Truncate)?;
        let length = length as usize;
        assert_eq!(
            length, state.synced,
            "only what was never acknowledged may be cut"
        );
        state.file.truncate(length);
        state.cut = true;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let held = self.state().held.take();
        if let Some((begun, may_go_on)) = held {
            begun.send(()).unwrap();
            // Fails when the sender is dropped, which is the sign to go on.
            let _ = may_go_on.recv();
        }
        let mut state = self.state();
        state.could_crash();
        state.check(Step::Sync)?;
        state.synced = state.file.len();
        state.cut = false;
        Ok(())
    }

    fn create_temp(&mut self) -> io::Result<Self> {
        let mut state = self.state();
        state.check(Step::CreateTemp)?;
        assert!(
            state.temp.is_empty(),
            "a file that was not used must be removed"
        );
        drop(state);
        Ok(self.clone())
    }

    fn sync_temp(&mut self, _: &mut Self) -> io::Result<()> {
        let mut state = self.state();
        state.could_crash();
        state.check(Step::SyncTemp)?;
        state.temp_synced = state.temp.len();
        Ok(())
    }

    fn replace(&mut self, _: Self) -> io::Result<()> {
        let mut state = self.state();
        state.check(Step::Replace)?;
        if state.fails(Step::ReplaceMounted).is_some() {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        assert_eq!(state.synced, state.file.len());
        let temp = std::mem::take(&mut state.temp);
        state.synced = std::mem::take(&mut state.temp_synced);
        state.before_replace = Some(std::mem::replace(&mut state.file, temp));
        state.could_crash();
        Ok(())
    }

    fn remove_temp(&mut self) -> io::Result<()> {
        let mut state = self.state();
        (state.temp, state.temp_synced) = (Vec::new(), 0);
        Ok(())
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        let mut state = self.state();
        state.check(Step::SyncFolder)?;
        state.before_replace = None;
        Ok(())
    }
}

/// The new file is a part of the disk's state.
impl Write for Sim {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.state();
        state.check(Step::WriteTemp)?;
        state.temp.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
