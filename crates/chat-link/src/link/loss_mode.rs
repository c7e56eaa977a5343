//! Whether the path has lost anything lately, on which several delays depend.

use std::time::{Duration, Instant};

/// How long after the last sign of loss the path counts as lossy.
const MEMORY: Duration = Duration::from_secs(10);

/// While nothing is lost, few datagrams matter most; under loss, an early repetition does.
#[derive(Debug, Default)]
pub(super) struct LossMode {
    until: Option<Instant>,
}

impl LossMode {
    /// A packet was lost, repeated or overtaken.
    pub(super) fn enter(&mut self, now: Instant) {
        self.until = Some(now + MEMORY);
    }

    pub(super) fn is_lossy(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }
}
