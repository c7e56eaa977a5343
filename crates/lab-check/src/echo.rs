//! What an echo server must do, with frames or raw (tasks 1 to 7, 13, 14).

mod clients;
mod framed;
mod messages;
mod raw;

use crate::check::Check;
use crate::connection::Wire;
use crate::failure::Failure;
use crate::target::Target;

/// The checks for a wire, in the order in which they are tried: what others build on comes first.
#[must_use]
pub fn checks(wire: Wire) -> Vec<&'static Check<Target>> {
    let (pieces, own) = match wire {
        Wire::Raw => (&[][..], raw::CHECKS),
        Wire::Framed(_) => (framed::PIECES, framed::CHECKS),
    };
    [
        messages::BASIC_CHECKS,
        pieces,
        messages::CHECKS,
        own,
        clients::CHECKS,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether a new client still gets its text back.
///
/// # Errors
///
/// When it does not.
pub fn still_serves(target: &Target) -> Result<(), Failure> {
    target.connect()?.echo(b"still there?\n")
}
