//! The identification client: is greeted by an ident server, or tells it a name, and goes on with commands.
//!
//! [`converse`] runs over anything that reads and writes, with anything in place of a person.

mod command;
mod conversation;
mod error;

pub use conversation::{Person, converse};
pub use error::Error;
