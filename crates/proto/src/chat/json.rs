//! A JSON value inside a datagram, which the link carries without looking into it.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// A JSON value and its compact text. Copies share both.
#[derive(Debug, Clone)]
pub struct Json {
    value: Arc<Value>,
    text: Arc<str>,
}

impl Json {
    /// The value of any message.
    ///
    /// # Errors
    ///
    /// When a key of the message is not text.
    pub fn new(message: &impl Serialize) -> serde_json::Result<Self> {
        serde_json::to_value(message).map(Self::from)
    }

    /// The compact text of the value.
    #[must_use]
    pub fn get(&self) -> &str {
        &self.text
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        let text = value.to_string().into();
        let value = Arc::new(value);
        Self { value, text }
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::from)
    }
}
