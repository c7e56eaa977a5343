//! What the writer needs of a file. A trait, so that tests can fail and crash at any step.

use std::io::{self, Write};

/// One file that grows at its end and can be replaced as a whole.
pub(crate) trait Disk: Send + 'static {
    /// A new file that is to take the place of this one.
    type Temp: Write;

    /// Whether the path still leads to this file, and no other program has changed its length.
    fn is_unchanged(&mut self, length: u64) -> io::Result<bool>;

    /// Adds bytes at the end. After a failure some of them may be there.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file to `length` bytes.
    fn truncate(&mut self, length: u64) -> io::Result<()>;

    /// Returns when all of the file would survive a power cut.
    fn sync(&mut self) -> io::Result<()>;

    /// Creates an empty file beside this one.
    fn create_temp(&mut self) -> io::Result<Self::Temp>;

    /// As [`sync`](Self::sync), for the new file.
    fn sync_temp(&mut self, temp: &mut Self::Temp) -> io::Result<()>;

    /// Puts the new file in the place of this one. After a failure this one is what it was.
    fn replace(&mut self, temp: Self::Temp) -> io::Result<()>;

    /// Removes a new file that will not be used.
    fn remove_temp(&mut self) -> io::Result<()>;

    /// Returns when the file's name would survive a power cut.
    fn sync_folder(&mut self) -> io::Result<()>;
}
