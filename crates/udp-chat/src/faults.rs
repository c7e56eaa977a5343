//! Datagrams lost on purpose (`--drop`), so that a student sees the protocol at work.
//!
//! It decides and nothing else: its owner asks before each datagram that it sends or receives.

use std::io;

use clap::Args;
use rand::TryRng;
use rand::rngs::SysRng;

/// What goes wrong on purpose, and what is shown of it.
#[derive(Args, Clone, Copy, Debug)]
pub struct FaultFlags {
    /// Lose this share of the datagrams sent and received, on purpose
    #[arg(
        long, value_name = "PERCENT", default_value_t = 0,
        value_parser = clap::value_parser!(u8).range(0..=100)
    )]
    pub drop: u8,

    /// Show each datagram, acknowledgement, resend and round trip as service messages
    #[arg(long)]
    pub trace: bool,
}

/// The fate of datagrams.
#[derive(Clone, Debug)]
pub struct Faults {
    percent: u8,
    state: u64,
}

impl FaultFlags {
    /// What is to be lost; which datagrams, the operating system's randomness decides.
    ///
    /// # Errors
    ///
    /// When it gives none.
    pub fn faults(&self) -> io::Result<Faults> {
        let seed = SysRng.try_next_u64().map_err(io::Error::other)?;
        Ok(Faults::new(self.drop, seed))
    }
}

impl Faults {
    /// Loses `percent` of a hundred datagrams; which ones, `seed` decides.
    #[must_use]
    pub fn new(percent: u8, seed: u64) -> Self {
        Self {
            percent,
            state: seed,
        }
    }

    /// Whether the next datagram is to be lost.
    pub fn drops(&mut self) -> bool {
        // SplitMix64: chance for a demonstration, not for secrets.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % 100 < u64::from(self.percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_kept() {
        for (percent, share) in [(0, 0..=0), (30, 2_800..=3_200), (100, 10_000..=10_000)] {
            let mut faults = Faults::new(percent, 7);
            let lost = (0..10_000).filter(|_| faults.drops()).count();
            assert!(share.contains(&lost), "{lost} of 10,000 at {percent} %");
        }
    }
}
