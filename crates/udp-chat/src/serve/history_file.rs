//! Keeps the history on disk, in a thread of its own: a slow disk holds up no datagram.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use chat_link::message::MAX_HISTORY_TEXTS;
use log::{error, warn};
use store::Store;

use super::history::StoredText;

/// How many texts may wait for the disk. At 40 texts a second from each network it would have to stall for long.
const MAX_WAITING: usize = 1_024;

/// Why the history cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The file cannot be used.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The system gave no thread.
    #[error("cannot start the thread that keeps the history: {0}")]
    Thread(io::Error),
}

/// Writes texts until it is dropped, which waits for those on the way.
pub struct HistoryFile {
    texts: Option<SyncSender<StoredText>>,
    writer: Option<JoinHandle<()>>,
    lost: u64,
}

impl HistoryFile {
    /// Opens the file, creating it with its folder, and reads the latest texts.
    ///
    /// # Errors
    ///
    /// When another server uses the file, it is damaged, or the system refuses something.
    pub fn open(path: &Path) -> Result<(Self, Vec<StoredText>), HistoryError> {
        let store: Store<StoredText> = Store::open(path)?;
        let mut latest = Vec::new();
        store.for_each(|_, text| latest.push(text.clone()));
        latest.sort_by_key(|text| text.id);
        latest.drain(..latest.len().saturating_sub(MAX_HISTORY_TEXTS));
        let ids = latest.iter().map(|text| text.id).collect();
        let (texts, waiting) = sync_channel(MAX_WAITING);
        let writer = thread::Builder::new()
            .name("history".into())
            .spawn(move || write(&store, ids, &waiting))
            .map_err(HistoryError::Thread)?;
        Ok((
            Self {
                texts: Some(texts),
                writer: Some(writer),
                lost: 0,
            },
            latest,
        ))
    }

    /// Keeps a text, unless too many wait for the disk.
    pub fn append(&mut self, text: StoredText) {
        let Some(texts) = &self.texts else { return };
        if let Err(TrySendError::Full(_)) = texts.try_send(text) {
            if self.lost == 0 {
                warn!(
                    "the disk is too slow for the history; texts will be missing from it after a restart"
                );
            }
            self.lost += 1;
        }
    }
}

impl Drop for HistoryFile {
    fn drop(&mut self) {
        self.texts = None;
        if let Some(writer) = self.writer.take() {
            // A panic there was reported by its thread.
            let _ = writer.join();
        }
        if self.lost > 0 {
            warn!("{} texts are missing from the history", self.lost);
        }
    }
}

/// Stores what waits, together where several texts do, and removes what is older than the latest 1,000.
fn write(store: &Store<StoredText>, mut ids: Vec<u64>, waiting: &Receiver<StoredText>) {
    let mut failed = false;
    while let Ok(first) = waiting.recv() {
        let texts: Vec<_> = std::iter::once(first).chain(waiting.try_iter()).collect();
        ids.extend(texts.iter().map(|text| text.id));
        let old: Vec<_> = ids
            .drain(..ids.len().saturating_sub(MAX_HISTORY_TEXTS))
            .collect();
        let result = store.update(|all| {
            for text in texts {
                all.put(&key(text.id), text);
            }
            for id in old {
                all.remove(&key(id));
            }
        });
        if let Err(error) = result
            && !std::mem::replace(&mut failed, true)
        {
            error!("cannot keep the history: {error}; further errors are not logged");
        }
    }
}

fn key(id: u64) -> String {
    format!("{id:020}")
}
