//! Whether a server disconnects clients that say nothing. Only waiting shows it, so a flag asks for it.

use std::time::{Duration, Instant};

use crate::check::Check;
use crate::failure::Failure;
use crate::target::Target;

/// The check for `--idle`, the same for all TCP servers.
pub const IDLE_LIMIT: &Check<Target> = &Check {
    name: "idle-limit",
    task: 7,
    about: "a client that says nothing is disconnected in time",
    hint: "Clients that are gone without a word hold a thread and a descriptor each. Set a time-out on the socket \
           (settimeout, setSoTimeout) and close the connection when it is over.",
    advice: true,
    run: |target| disconnected_within(target, target.idle_limit()),
    ..Check::REQUIRED
};

fn disconnected_within(target: &Target, limit: Duration) -> Result<(), Failure> {
    let mut client = target.connect()?;
    let end = Instant::now() + limit;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let seconds = limit.as_secs();
            return Err(client.failure(format!("it is still connected after {seconds} s")));
        }
        // A server may speak first, and say good-bye.
        if client.has_ended_within(left)? {
            return Ok(());
        }
    }
}
