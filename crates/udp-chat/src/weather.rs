//! For tests: a network that loses, doubles, delays, reorders and corrupts datagrams, by a seed.

use std::time::Duration;

/// What a direction of the network does to datagrams. Shares are between 0 and 1.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weather {
    pub(crate) loss: f64,
    pub(crate) doubled: f64,
    pub(crate) corrupted: f64,
    /// The shortest time on the way.
    pub(crate) delay: Duration,
    /// What may be added to it; more than the distance of two datagrams reorders them.
    pub(crate) jitter: Duration,
}

/// Passes on the copies of a datagram that survive, each with its time on the way.
pub(crate) fn fly(
    random: &mut Random,
    weather: &Weather,
    bytes: &[u8],
    mut arrive: impl FnMut(Duration, Vec<u8>),
) {
    let copies = if random.chance(weather.doubled) { 2 } else { 1 };
    for _ in 0..copies {
        if random.chance(weather.loss) {
            continue;
        }
        let mut bytes = bytes.to_vec();
        if random.chance(weather.corrupted) {
            for _ in 0..=random.below(3) {
                let at = random.below(bytes.len() as u64) as usize;
                bytes[at] = random.below(256) as u8;
            }
        }
        arrive(
            weather.delay + weather.jitter.mul_f64(random.share()),
            bytes,
        );
    }
}

/// SplitMix64: a few lines that give the same numbers for a seed for ever.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// A number from 0 to 1.
    pub(crate) fn share(&mut self) -> f64 {
        self.next() as f64 / u64::MAX as f64
    }

    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.share() < share
    }
}
