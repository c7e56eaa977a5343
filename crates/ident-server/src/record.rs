//! What is kept of a client: the value of a line in the data file.

use proto::Name;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A known client, as the data file has it: `{"name":"Аня"}`.
///
/// Fields beside the name, of a person who edits the file or of a newer version, stay with the client until it is forgotten.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What the client wants to be called.
    pub name: Name,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl Record {
    /// A client of this name, and nothing else known of it.
    #[must_use]
    pub fn new(name: Name) -> Self {
        Self {
            name,
            unknown: Map::new(),
        }
    }
}
