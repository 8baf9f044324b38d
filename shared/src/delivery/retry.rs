//! How long a failed message stays away.

use std::time::Duration;

/// SQS keeps a message invisible for twelve hours at the most, counted from its receive.
/// See [visibility timeout](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html).
pub const MAX_VISIBILITY: Duration = Duration::from_hours(12);

/// Exponential back-off with full jitter: a random time between nothing and `initial × 2^(receives − 1)`.
///
/// Full jitter spreads the retries of messages that failed together. See
/// [Exponential backoff and jitter](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The upper bound after the first failure. Default 5 s.
    pub initial: Duration,
    /// The upper bound after any failure. Default 15 min; more than twelve hours is cut.
    pub max: Duration,
    /// The delivery after whose failure a record is given up and goes to the dead-letter queue with its reason, instead
    /// of being left to the queue's `maxReceiveCount`. Default: none.
    ///
    /// Set it to `maxReceiveCount` on FIFO queues: every delivery of a batch counts for all of it, so the records held
    /// back behind a failing one would reach the limit together with it and be lost to the dead-letter queue untried.
    pub max_receives: Option<u32>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { initial: Duration::from_secs(5), max: Duration::from_mins(15), max_receives: None }
    }
}

impl RetryPolicy {
    /// The delay before the next delivery. `receives` counts this delivery; `jitter` is a random number from 0 to 1.
    #[must_use]
    pub fn delay(&self, receives: u32, jitter: f64) -> Duration {
        let doublings = receives.saturating_sub(1).min(31);
        let ceiling = self.initial.saturating_mul(1 << doublings).min(self.max).min(MAX_VISIBILITY);
        ceiling.mul_f64(jitter.clamp(0.0, 1.0))
    }

    /// Whether a failure of this delivery is the last.
    #[must_use]
    pub fn is_exhausted(&self, receives: u32) -> bool {
        self.max_receives.is_some_and(|max| receives >= max)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_bound_doubles_with_each_receive_up_to_the_cap() {
        let bounds: Vec<u64> = (0..12).map(|receives| RetryPolicy::default().delay(receives, 1.0).as_secs()).collect();
        assert_eq!(bounds, [5, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900]);
    }

    proptest! {
        #[test]
        fn no_delay_exceeds_what_sqs_takes(initial in 0u64..1_000_000, max in 0u64..1_000_000, receives: u32, jitter: f64) {
            let policy = RetryPolicy {
                initial: Duration::from_secs(initial),
                max: Duration::from_secs(max),
                max_receives: None,
            };
            prop_assume!(!jitter.is_nan());
            prop_assert!(policy.delay(receives, jitter) <= MAX_VISIBILITY);
        }
    }
}
