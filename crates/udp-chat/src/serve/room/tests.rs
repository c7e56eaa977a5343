//! The room under a network in any weather, on a clock of its own.

mod admission;
mod hostile;
mod leaving;
mod talk;
mod town;

use std::time::Duration;

use crate::weather::Weather;

const CALM: Weather = Weather {
    loss: 0.0,
    doubled: 0.0,
    corrupted: 0.0,
    delay: Duration::from_millis(1),
    jitter: Duration::ZERO,
};

const STORM: Weather = Weather {
    loss: 0.3,
    doubled: 0.1,
    corrupted: 0.0,
    delay: Duration::from_millis(10),
    jitter: Duration::from_millis(40),
};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
