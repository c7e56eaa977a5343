//! A durable map from string keys to serde values, kept in one file of JSON Lines that a person can read and mend.
//!
//! A change is on disk before the call that made it returns and before any reader sees it. Changes that wait at the same
//! time share one write and one fsync. The crate knows nothing of networks, or of what its values mean.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("clients.jsonl");
//! let names = store::Store::<String>::open(&path)?;
//! let first = names.put_if_absent("192.0.2.7", "Anna".to_owned())?;
//! assert_eq!(first, None, "nobody was there before: Anna is on disk now");
//! let known = names.put_if_absent("192.0.2.7", "Bob".to_owned())?;
//! assert_eq!(known.as_deref(), Some("Anna"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The file
//!
//! ```text
//! {"key":"192.0.2.7","value":"Anna"}
//! {"key":"192.0.2.9","value":"Bob"}
//! {"key":"192.0.2.7","value":null}
//! ```
//!
//! The last line for a key wins; a value of `null` deletes it. While no program holds the file it may be edited by hand:
//! spaces, blank lines, CRLF, a byte order mark and repeated keys are fine, in any order. A line is at most
//! [`MAX_LINE_BYTES`] long.
//!
//! - A last line without a newline is kept if it parses (and gets its newline), else it is what a crash tore: it is cut
//!   off, with a warning in the log. Damage anywhere else is an [`Error::Damaged`] with the line's number.
//! - Fields of a line beside `key` and `value` are kept when its key gets a new value and when the file is compacted.
//!   Unknown fields inside a value are up to its type: one that holds
//!   `#[serde(flatten)] unknown: serde_json::Map<String, serde_json::Value>` keeps what a newer version wrote.
//! - Files have mode 0600. `PATH.lock` is held while the store is open and is never renamed or removed, for a lock on a
//!   file that another replaces guards nothing. `PATH.tmp` is a compaction under way.
//!
//! # Cost
//!
//! All values are in memory. A change costs its own lines and a share of an fsync, however many records there are. Once
//! superseded lines outnumber both the records and 1,000, the writer rewrites the file: readers go on, changes that
//! arrive meanwhile wait for that one pass (seconds for a million records). It comes at most once per as many changes as
//! there are records, so the cost per change stays constant on average.

mod disk;
mod error;
mod line;
mod load;
mod pending;
mod place;
mod records;
mod store;
mod transaction;
mod writer;

#[cfg(test)]
mod crash;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod sim;

pub use error::{Damage, Error, Unstorable};
pub use line::MAX_LINE_BYTES;
pub use store::{Stats, Store, Value};
pub use transaction::Transaction;
