//! Figures of a store.

/// Figures of a store since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Records in memory.
    pub records: u64,
    /// Lines in the file, those out of date too.
    pub lines: u64,
    /// Updates that changed something and are on disk.
    pub updates: u64,
    /// fsyncs that succeeded, those of compactions too.
    pub syncs: u64,
    /// Times the file was rewritten without the lines that are out of date.
    pub compactions: u64,
}
