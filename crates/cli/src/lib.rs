//! A person's side of every program.

mod descriptors;
mod reason;
mod stop;

pub use descriptors::raise_descriptor_limit;
pub use reason::Reason;
pub use stop::{exit_on_stop, on_stop};
