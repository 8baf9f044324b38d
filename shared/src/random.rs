//! Chance as an argument.

/// Gives random numbers: jitter, owner tokens, the order of suspects. A port, so that a simulation can decide it all from
/// one seed.
pub trait Random: Send + Sync {
    /// Sixty-four random bits.
    fn bits(&self) -> u64;

    /// From 0 to 1, 1 left out.
    #[allow(clippy::cast_precision_loss, reason = "53 bits are what a float between 0 and 1 holds")]
    fn fraction(&self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A name that nobody else has: 32 hexadecimal digits.
    fn token(&self) -> String {
        format!("{:016x}{:016x}", self.bits(), self.bits())
    }

    /// Puts items in a random order.
    fn shuffle<T>(&self, items: &mut [T])
    where
        Self: Sized,
    {
        for last in (1..items.len()).rev() {
            let place = usize::try_from(self.bits() % (last as u64 + 1)).unwrap_or(0);
            items.swap(last, place);
        }
    }
}

/// Seeded anew by the system in each process. Not for secrets.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn bits(&self) -> u64 {
        fastrand::u64(..)
    }
}

impl<R: Random + ?Sized> Random for std::sync::Arc<R> {
    fn bits(&self) -> u64 {
        (**self).bits()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// Counts up.
    struct Counting(AtomicU64);

    impl Random for Counting {
        fn bits(&self) -> u64 {
            self.0.fetch_add(1, Ordering::Relaxed)
        }
    }

    #[test]
    fn a_fraction_is_never_one_and_a_token_has_32_digits() {
        assert!(Counting(AtomicU64::new(u64::MAX)).fraction() < 1.0);
        assert_eq!(Counting(AtomicU64::new(0)).token(), "00000000000000000000000000000001");
    }

    #[test]
    fn shuffled_items_are_the_same_items() {
        let mut items = [1, 2, 3, 4, 5];
        SystemRandom.shuffle(&mut items);
        items.sort_unstable();
        assert_eq!(items, [1, 2, 3, 4, 5]);
    }
}
