//! A conformance checker for servers of the labs, in any language.
//!
//! A [`Check`] is one requirement: what a right server does, the code that tries it, and a hint for a server that does
//! not. [`echo`], [`ident`], [`auth`] and [`chat`] are tables of checks; [`run`] tries one after the other and looks
//! after each whether the server still serves. Checks know no flags and print nothing: `main.rs` reads the command
//! line, and [`report`] writes the outcome.

pub mod auth;
mod change;
pub mod chat;
mod check;
mod connection;
mod dialogue;
pub mod echo;
mod failure;
mod header;
pub mod ident;
mod idle;
pub mod report;
mod target;

pub use check::{Check, Outcome, Verdict, run};
pub use connection::{Connection, Wire};
pub use failure::{Excerpt, Excerpts, Failure};
pub use header::{Header, InvalidHeader, Padding};
pub use idle::IDLE_LIMIT;
pub use target::Target;
