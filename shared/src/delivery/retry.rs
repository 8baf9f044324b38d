//! How long a failed message stays away, and when a failure is the last.

use std::time::{Duration, SystemTime};

use crate::idempotency::Tries;

/// SQS keeps a message invisible for twelve hours at the most, counted from its receive.
/// See [visibility timeout](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html).
pub const MAX_VISIBILITY: Duration = Duration::from_hours(12);

/// The back-off of a message whose deliveries nobody can count.
const UNKNOWN_COUNT: u32 = 6;
/// A message is given up this long before its queue drops it.
const BEFORE_DROPPED: Duration = Duration::from_hours(1);

/// When a failed message comes again, and for how long it does.
///
/// The back-off doubles with each failed try: half of it is fixed, half random, which spreads the retries of messages that
/// failed together. See
/// [Exponential backoff and jitter](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
///
/// With the defaults ten tries take at least 25.6 minutes, 38 on average and 51 at most. What counts is what a message's
/// own work did: SQS's receive count also counts throttles, hand-backs and neighbours that killed the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The longest back-off after the first failed try. Default 10 s.
    pub initial: Duration,
    /// The longest after any. Default 15 min; more than twelve hours is cut.
    pub max: Duration,
    /// `MAX_TRIES`: a message is given up when so many tries failed. Default 10.
    pub max_tries: u32,
    /// `HORIZON_SECONDS`: and not before this time has passed since the first of them. Default 20 min.
    pub horizon: Duration,
    /// The queue's `maxReceiveCount`: the failed try of the last receive but one is the last, so that the message keeps
    /// its reason. Default: none.
    pub max_receives: Option<u32>,
    /// How long the queue keeps messages: one that would come again in the last hour is given up. Default: not known.
    pub retention: Option<Duration>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            initial: Duration::from_secs(10),
            max: Duration::from_mins(15),
            max_tries: 10,
            horizon: Duration::from_mins(20),
            max_receives: None,
            retention: None,
        }
    }
}

/// A try that failed.
#[derive(Debug, Clone, Copy)]
pub struct FailedTry {
    /// How often it was tried, this one included. `None` where the store could not be asked.
    pub tries: Option<Tries>,
    /// Deliveries so far, where the event says so.
    pub receive_count: Option<u32>,
    /// When the message was sent, where the event says so.
    pub sent_at: Option<SystemTime>,
    /// The delay that the handler named.
    pub asked: Option<Duration>,
    /// Now.
    pub at: SystemTime,
    /// A random number from 0 to 1.
    pub jitter: f64,
}

/// What follows a failed try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Another one, after this time.
    Again(Duration),
    /// The dead-letter queue.
    GiveUp,
}

impl RetryPolicy {
    /// The back-off after so many failed tries: whole seconds. `jitter` is a random number from 0 to 1.
    #[must_use]
    pub fn delay(&self, failed_tries: Option<u32>, jitter: f64) -> Duration {
        let doublings = failed_tries.unwrap_or(UNKNOWN_COUNT).saturating_sub(1).min(31);
        let longest = self.initial.saturating_mul(1 << doublings).min(self.max).min(MAX_VISIBILITY);
        whole_seconds(longest / 2 + (longest / 2).mul_f64(jitter.clamp(0.0, 1.0)))
    }

    /// Whether so many tries are enough.
    #[must_use]
    pub fn is_exhausted(&self, tries: Tries, at: SystemTime) -> bool {
        tries.count >= self.max_tries && self.left_of_horizon(tries, at).is_zero()
    }

    fn left_of_horizon(&self, tries: Tries, at: SystemTime) -> Duration {
        (tries.first_at + self.horizon).duration_since(at).unwrap_or_default()
    }

    /// What follows a failed try.
    #[must_use]
    pub fn after(&self, failed: FailedTry) -> Next {
        let FailedTry { tries, receive_count, sent_at, asked, at, jitter } = failed;
        if tries.is_some_and(|tries| self.is_exhausted(tries, at)) {
            return Next::GiveUp;
        }
        // The receive after the next is the one that SQS answers with a move to the dead-letter queue.
        if self.max_receives.zip(receive_count).is_some_and(|(max, count)| count.saturating_add(1) >= max) {
            return Next::GiveUp;
        }
        let count = tries.map(|tries| tries.count).or(receive_count);
        let delay = match tries.filter(|tries| tries.count >= self.max_tries) {
            // Tried often enough and not for long enough: once more, when the time has come.
            Some(tries) => self.left_of_horizon(tries, at),
            None => asked.unwrap_or_else(|| self.delay(count, jitter)),
        };
        let delay = whole_seconds(delay.min(MAX_VISIBILITY));
        let dropped_at = sent_at.zip(self.retention).map(|(sent_at, retention)| sent_at + retention);
        if dropped_at.is_some_and(|dropped_at| at + delay + BEFORE_DROPPED > dropped_at) {
            return Next::GiveUp;
        }
        Next::Again(delay)
    }
}

/// Up, not down: a delay of less than a second would bring the message back at once, and use up a receive.
pub(crate) fn whole_seconds(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs() + u64::from(time.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use proptest::prelude::*;

    use super::*;

    const NOW: SystemTime = UNIX_EPOCH;

    fn at(seconds: u64) -> SystemTime {
        NOW + Duration::from_secs(seconds)
    }

    fn failed(count: u32, since: u64, seconds: u64) -> FailedTry {
        FailedTry {
            tries: Some(Tries { count, first_at: at(since) }),
            receive_count: Some(count),
            sent_at: Some(at(0)),
            asked: None,
            at: at(seconds),
            jitter: 1.0,
        }
    }

    #[test]
    fn the_back_off_doubles_with_each_failed_try_up_to_the_cap_and_half_of_it_is_fixed() {
        let policy = RetryPolicy::default();
        let delays = |jitter| -> Vec<u64> { (1..9).map(|tries| policy.delay(Some(tries), jitter).as_secs()).collect() };
        assert_eq!(delays(1.0), [10, 20, 40, 80, 160, 320, 640, 900]);
        assert_eq!(delays(0.0), [5, 10, 20, 40, 80, 160, 320, 450]);
        assert_eq!(policy.delay(None, 1.0).as_secs(), 320, "an unknown count backs off as the sixth");
        assert_eq!(policy.delay(Some(0), 1.0).as_secs(), 10);
    }

    #[test]
    fn ten_tries_take_between_twenty_five_and_fifty_two_minutes() {
        let policy = RetryPolicy::default();
        let total = |jitter| (1..10).map(|tries| policy.delay(Some(tries), jitter).as_secs()).sum::<u64>();
        assert!((1_500..=1_560).contains(&total(0.0)), "{}", total(0.0));
        assert!((3_000..=3_100).contains(&total(1.0)), "{}", total(1.0));
    }

    #[test]
    fn nothing_is_given_up_before_both_the_tries_and_the_horizon_are_over() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.after(failed(10, 0, 1_200)), Next::GiveUp);
        assert_eq!(policy.after(failed(9, 0, 100_000)), Next::Again(Duration::from_mins(15)));
        // Ten tries in five minutes: the eleventh comes when the horizon ends, and is the last.
        assert_eq!(policy.after(failed(10, 0, 300)), Next::Again(Duration::from_mins(15)));
        assert_eq!(policy.after(failed(11, 0, 1_200)), Next::GiveUp);
    }

    #[test]
    fn a_delay_that_the_handler_names_is_kept_and_never_longer_than_sqs_takes() {
        let policy = RetryPolicy::default();
        let asked = |seconds| FailedTry { asked: Some(Duration::from_secs(seconds)), ..failed(1, 0, 0) };
        assert_eq!(policy.after(asked(60)), Next::Again(Duration::from_mins(1)));
        assert_eq!(policy.after(asked(0)), Next::Again(Duration::ZERO));
        assert_eq!(policy.after(asked(1_000_000)), Next::Again(MAX_VISIBILITY));
    }

    #[test]
    fn the_last_receive_but_one_is_the_last_to_fail() {
        let policy = RetryPolicy { max_receives: Some(5), ..RetryPolicy::default() };
        let receive = |count| FailedTry { receive_count: count, ..failed(1, 0, 0) };
        assert!(matches!(policy.after(receive(Some(3))), Next::Again(_)));
        assert_eq!(policy.after(receive(Some(4))), Next::GiveUp);
        assert_eq!(policy.after(receive(Some(5))), Next::GiveUp);
        assert!(matches!(policy.after(receive(None)), Next::Again(_)), "nothing is given up for an unknown count");
    }

    #[test]
    fn a_message_is_given_up_before_its_queue_drops_it() {
        let day = Duration::from_hours(24);
        let policy = RetryPolicy { retention: Some(day), ..RetryPolicy::default() };
        let last_hour = day.as_secs() - 3_600;
        assert_eq!(policy.after(failed(1, 0, last_hour - 10)), Next::Again(Duration::from_secs(10)));
        assert_eq!(policy.after(failed(1, 0, last_hour - 9)), Next::GiveUp);
        let unknown = FailedTry { sent_at: None, ..failed(1, 0, last_hour) };
        assert!(matches!(policy.after(unknown), Next::Again(_)));
    }

    #[test]
    fn tries_that_could_not_be_counted_give_nothing_up() {
        let uncounted = FailedTry { tries: None, receive_count: Some(500), ..failed(1, 0, 1_000_000) };
        assert_eq!(RetryPolicy::default().after(uncounted), Next::Again(Duration::from_mins(15)));
    }

    proptest! {
        #[test]
        fn every_delay_is_whole_seconds_that_sqs_takes(
            initial in 0u64..1_000_000_000, max in 0u64..1_000_000, count: Option<u32>, jitter in 0.0f64..=1.0,
        ) {
            let policy = RetryPolicy {
                initial: Duration::from_millis(initial), max: Duration::from_secs(max), ..RetryPolicy::default()
            };
            let delay = policy.delay(count, jitter);
            prop_assert!(delay <= MAX_VISIBILITY && delay.subsec_nanos() == 0);
        }
    }
}
