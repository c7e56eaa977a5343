//! What a store can keep.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A type that a store can keep. Every type with the right traits implements it.
///
/// A value must parse from its own JSON, which must not be `null`: that removes a key.
pub trait Value: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static> Value for T {}
