//! The link under a simulated network.

mod contact;
mod delivery;
mod document;
mod limits;
mod seeds;
mod simulation;

use std::time::Duration;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
