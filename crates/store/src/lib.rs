//! A durable map from string keys to serde values, kept in one file of JSON Lines that people can read and edit.
//!
//! A change is on disk before the call that made it returns and before any reader sees it. Changes that wait at the
//! same time share one write and one fsync. The crate does not depend on networks, or on the meaning of its values.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("clients.jsonl");
//! let names = store::Store::<String>::open(&path)?;
//! let first = names.put_if_absent("192.0.2.7", "Anna".to_owned())?;
//! assert_eq!(first, None, "there was no name yet: Anna is on disk now");
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
//! The last line for a key wins; a value of `null` removes it. `"erase":true` marks a change whose older lines are to
//! leave the file soon. While no program holds the file it may be edited by hand: spaces, blank lines, CRLF, a byte
//! order mark and repeated keys are fine, in any order. A line is at most [`MAX_LINE_BYTES`] long.
//!
//! - A last line without a newline is kept if it parses (and gets its newline). Otherwise it was torn by a crash: it is
//!   cut off, with a warning in the log. Corruption anywhere else is an [`Error::Corrupt`] with the line's number.
//! - Fields of a line beside `key`, `value` and `erase` are kept when its key gets a new value and when the file is
//!   compacted. Unknown fields inside a value are up to its type: one that has `#[serde(flatten)] unknown:
//!   serde_json::Map<String, serde_json::Value>` keeps what a newer version wrote.
//! - Files have mode 0600. `PATH.lock` and the data file itself are locked while the store is open.
//!   `PATH.tmp` is a compaction under way.
//! - If another program replaces, removes or changes the file meanwhile, changes are refused with [`Error::Replaced`]:
//!   they would otherwise go to a file that the next start does not see.
//!
//! # Cost
//!
//! All values are in memory. A change costs its own lines, one look at the path, and a share of an fsync, however many
//! records there are. Once lines that are out of date outnumber both the records and 1,000, the writer rewrites the
//! file: readers go on, changes that arrive meanwhile wait for that one pass (seconds for a million records). Between
//! two rewrites there are at least as many changes as records, so the cost per change stays constant on average.
//! [`Store::update_and_erase`] rewrites the file too, at most once a minute.

mod commit_queue;
mod compaction;
mod disk;
mod error;
mod files;
mod line;
mod load;
mod locked_file;
mod records;
mod stats;
mod store;
mod transaction;
mod value;
mod writer;

#[cfg(test)]
mod crash;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod sim;

pub use error::{Corruption, Error, InvalidValue};
pub use line::MAX_LINE_BYTES;
pub use stats::Stats;
pub use store::Store;
pub use transaction::Transaction;
pub use value::Value;
