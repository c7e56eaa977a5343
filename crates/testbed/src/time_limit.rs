//! How long tests wait.

use std::time::Duration;

/// How long a wait lasts before it fails the test. Programs answer in milliseconds, but shared test machines stall for
/// seconds.
pub const TIME_LIMIT: Duration = Duration::from_secs(20);
