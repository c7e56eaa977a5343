//! The record of a client: the value of a line in the data file.

use proto::Name;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A known client, as the data file has it: `{"name":"Аня"}`.
///
/// Other fields, which a person or a newer version may have written, stay with the client until it is forgotten.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The name that the client gave.
    #[serde(deserialize_with = "proto::stored_name")]
    pub name: Name,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl Record {
    /// A client with this name and no other fields.
    #[must_use]
    pub fn new(name: Name) -> Self {
        Self {
            name,
            unknown: Map::new(),
        }
    }
}
