//! What the environment says to any function that works on a queue.

use std::time::Duration;

use super::{
    engine::{DeadLetterQueues, Policy},
    retry::RetryPolicy,
};
use crate::{
    deadline::{Deadline, unknown_deadline},
    settings::{Lookup, Settings, SettingsError},
};

/// Seconds of the longest visibility timeout.
const TWELVE_HOURS: u64 = 43_200;
/// Seconds of the longest retention, and of the shortest.
const RETENTION: std::ops::RangeInclusive<u64> = 60..=1_209_600;

/// The settings every function on a queue has, by the same names.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct QueueSettings {
    /// | setting | default | meaning |
    /// |---|---|---|
    /// | `BATCH_CONCURRENCY` | 10 | records at work at the same time, 1–100 |
    /// | `RETRY_INITIAL_SECONDS` | 10 | longest back-off after the first failed try |
    /// | `RETRY_MAX_SECONDS` | 900 | longest back-off after any |
    /// | `MAX_TRIES` | 10 | failed tries after which a message is given up, 1–1,000 |
    /// | `HORIZON_SECONDS` | 1200 | and not before this time has passed since the first |
    /// | `MAX_RECEIVES` | unset | the queue's `maxReceiveCount`, 2–1,000: the last receive but one is the last to fail |
    /// | `RETENTION_SECONDS` | unset | how long the queue keeps messages: given up an hour before; claims live as long |
    /// | `VISIBILITY_SECONDS` | unset | the queue's visibility timeout, 1–43,200: work that takes longer keeps its message |
    /// | `DEAD_LETTER_QUEUES` | none | `<source queue>=<URL>,…` |
    /// | `FAIL_WHOLE_BATCH` | true | an error when every record of a batch failed |
    pub policy: Policy,
    /// `UNKNOWN_DEADLINE_MS` (default 3,000): the time a batch takes for its own where Lambda's deadline is unknown.
    pub unknown_deadline: Duration,
    /// `IDEMPOTENCY_TABLE`: where what is done is remembered; without it a duplicate delivery repeats the work, and failed
    /// tries are counted by each process for itself.
    pub idempotency_table: Option<String>,
    /// `AWS_LAMBDA_FUNCTION_NAME`, which Lambda sets: names in the table begin with it.
    pub function: String,
}

impl QueueSettings {
    /// Reads them. What is wrong is remembered in `settings`, as with any other setting of the function.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        let seconds = Duration::from_secs;
        let retry = RetryPolicy {
            initial: seconds(settings.within("RETRY_INITIAL_SECONDS", 10, 1..=TWELVE_HOURS)),
            max: seconds(settings.within("RETRY_MAX_SECONDS", 900, 1..=TWELVE_HOURS)),
            max_tries: settings.within("MAX_TRIES", 10, 1..=1_000),
            horizon: seconds(settings.within("HORIZON_SECONDS", 1_200, 0..=1_209_600)),
            max_receives: settings.optional_within("MAX_RECEIVES", 2..=1_000),
            retention: settings.optional_within("RETENTION_SECONDS", RETENTION).map(seconds),
        };
        let policy = Policy {
            concurrency: settings.within("BATCH_CONCURRENCY", 10, 1..=100),
            retry,
            dead_letter_queues: settings.or("DEAD_LETTER_QUEUES", DeadLetterQueues::default()),
            visibility: settings.optional_within("VISIBILITY_SECONDS", 1..=TWELVE_HOURS).map(seconds),
            fail_whole_batch: settings.or("FAIL_WHOLE_BATCH", true),
            shares_process: settings.or("AWS_LAMBDA_MAX_CONCURRENCY", 1_u32) > 1,
            region: settings.optional("AWS_REGION"),
            ..Policy::default()
        };
        Self {
            policy,
            unknown_deadline: unknown_deadline(settings),
            idempotency_table: settings.optional("IDEMPOTENCY_TABLE"),
            function: settings.or("AWS_LAMBDA_FUNCTION_NAME", "function".to_owned()),
        }
    }

    /// Reads them together with a function's own, so that all that is wrong is named at once. `own` gives `None` where a
    /// setting that must be there is not.
    pub fn with<C>(
        lookup: Lookup<'_>,
        own: impl FnOnce(&mut Settings<'_>) -> Option<C>,
    ) -> Result<(Self, C), SettingsError> {
        Settings::of(lookup, |settings| {
            let queue = Self::read(settings);
            Some((queue, own(settings)?))
        })
    }

    /// The end of an invocation that has this much time left; `None` where Lambda's deadline is unknown.
    #[must_use]
    pub fn deadline(&self, remaining: Option<Duration>) -> Deadline {
        Deadline::after(Some(remaining.unwrap_or(self.unknown_deadline)))
    }
}
