//! A disk for tests: it fails when told to, can be held in the middle of an fsync, and remembers every state in which a crash
//! could leave the file.

use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::disk::Disk;
use crate::load;
use crate::store::{Store, Value};

/// A handle to one simulated disk; clones are the same disk.
#[derive(Clone, Default)]
pub(crate) struct Sim(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    file: Vec<u8>,
    /// The start of `file` that a power cut cannot take.
    synced: usize,
    draft: Vec<u8>,
    draft_synced: usize,
    /// The file before an install, which a power cut brings back until the folder is synced.
    before_install: Option<Vec<u8>>,
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
    /// What callers had been told by then.
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
            .recv_timeout(PATIENCE)
            .expect("an fsync begins");
    }
}

/// Far above what any step takes, so that a broken store fails a test rather than hang it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A step that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Append,
    Truncate,
    Sync,
    Draft,
    WriteDraft,
    SyncDraft,
    Install,
    SyncFolder,
}

impl Sim {
    /// A store on this disk, which compacts at more than `min_dead_lines` dead lines.
    pub(crate) fn open<V: Value>(&self, min_dead_lines: u64) -> Store<V> {
        let loaded = load::load(&self.file()[..]).unwrap();
        Store::start(self.clone(), loaded, Path::new("sim"), min_dead_lines, None).unwrap()
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

    /// A caller was told that the first `count` lines are on disk.
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
        if let Some(old) = &self.before_install {
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
    type Draft = Self;

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

    fn draft(&mut self) -> io::Result<Self> {
        let mut state = self.state();
        state.check(Step::Draft)?;
        assert!(
            state.draft.is_empty(),
            "a draft that was not installed must be discarded"
        );
        drop(state);
        Ok(self.clone())
    }

    fn sync_draft(&mut self, _: &mut Self) -> io::Result<()> {
        let mut state = self.state();
        state.could_crash();
        state.check(Step::SyncDraft)?;
        state.draft_synced = state.draft.len();
        Ok(())
    }

    fn install(&mut self, _: Self) -> io::Result<()> {
        let mut state = self.state();
        state.check(Step::Install)?;
        assert_eq!(state.synced, state.file.len());
        let draft = std::mem::take(&mut state.draft);
        state.synced = std::mem::take(&mut state.draft_synced);
        state.before_install = Some(std::mem::replace(&mut state.file, draft));
        state.could_crash();
        Ok(())
    }

    fn discard(&mut self) -> io::Result<()> {
        let mut state = self.state();
        (state.draft, state.draft_synced) = (Vec::new(), 0);
        Ok(())
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        let mut state = self.state();
        state.check(Step::SyncFolder)?;
        state.before_install = None;
        Ok(())
    }
}

/// A draft is the disk itself, seen from its other side.
impl Write for Sim {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.state();
        state.check(Step::WriteDraft)?;
        state.draft.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
