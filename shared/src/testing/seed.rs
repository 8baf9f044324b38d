//! Chance from a seed.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::random::Random;

/// One stream of random numbers, decided by its seed: `SplitMix64`. Streams forked by name do not disturb each other: a
/// draw more from one changes nothing in the others.
#[derive(Debug)]
pub struct Stream {
    origin: u64,
    state: AtomicU64,
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

impl Stream {
    /// The stream of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let origin = mix(seed.wrapping_add(GOLDEN));
        Self { origin, state: AtomicU64::new(origin) }
    }

    /// Another stream, decided by this one's seed and a name, whatever was drawn from this one before.
    #[must_use]
    pub fn fork(&self, name: &str) -> Self {
        let hash = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self::new(self.origin ^ hash)
    }

    /// A number from `low` to `high`, both included.
    #[must_use]
    pub fn between(&self, low: u64, high: u64) -> u64 {
        low + self.bits() % (high.saturating_sub(low) + 1)
    }

    /// A time from `low` to `high`, in whole milliseconds.
    #[must_use]
    pub fn time(&self, low: Duration, high: Duration) -> Duration {
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX / 2);
        Duration::from_millis(self.between(milliseconds(low), milliseconds(high)))
    }

    /// True in `rate` of ten thousand draws.
    #[must_use]
    pub fn happens(&self, rate: u32) -> bool {
        rate > 0 && self.between(0, 9_999) < u64::from(rate)
    }

    /// Heads or tails.
    #[must_use]
    pub fn flip(&self) -> bool {
        self.bits() & 1 == 1
    }

    /// A place in a list of this many; 0 for an empty one.
    #[must_use]
    pub fn place(&self, len: usize) -> usize {
        usize::try_from(self.bits() % (len.max(1) as u64)).unwrap_or(0)
    }
}

impl Random for Stream {
    fn bits(&self) -> u64 {
        mix(self.state.fetch_add(GOLDEN, Ordering::Relaxed).wrapping_add(GOLDEN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fork_does_not_depend_on_what_was_drawn_before() {
        let (one, other) = (Stream::new(7), Stream::new(7));
        let _ = one.bits();
        assert_eq!(one.fork("queue").bits(), other.fork("queue").bits());
        assert_ne!(one.fork("queue").bits(), one.fork("store").bits());
        assert_ne!(Stream::new(7).bits(), Stream::new(8).bits());
    }

    #[test]
    fn draws_stay_within_their_bounds() {
        let stream = Stream::new(1);
        assert!((0..1_000).all(|_| (3..=5).contains(&stream.between(3, 5))));
        assert!((0..1_000).all(|_| !stream.happens(0)) && (0..1_000).all(|_| stream.happens(10_000)));
    }
}
