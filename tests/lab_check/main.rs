//! lab-check against small servers that are right, or wrong in one way: each wrong one fails exactly the check that
//! names its fault.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;
mod framed;
mod raw;
mod server;
