//! What the environment says to any function that works on a queue.

use std::time::Duration;

use super::{
    deadline::Deadline,
    engine::Policy,
    heartbeat::Heartbeat,
    retry::{MAX_VISIBILITY, RetryPolicy},
    settle::DeadLetterQueues,
};
use crate::settings::Settings;

/// A beat comes every third of this; more often than every three seconds is no use.
const MIN_HEARTBEAT: Duration = Duration::from_secs(9);

/// The settings every function on a queue has, by the same names.
#[derive(Debug, Clone)]
pub struct QueueSettings {
    /// `BATCH_CONCURRENCY` (1–100, default 10), `RETRY_INITIAL_SECONDS` (default 5), `RETRY_MAX_SECONDS` (default 900),
    /// `MAX_RECEIVES` (default: the queue's redrive policy alone), `DEAD_LETTER_QUEUES`
    /// (`<source queue>=<URL>,…`), `FAIL_WHOLE_BATCH` (default true), `HEARTBEAT_VISIBILITY_SECONDS` (default off: keeps
    /// dispatched messages invisible for this long at a time while they are worked on).
    pub policy: Policy,
    /// `DEADLINE_RESERVE_MS`, default 1,000: no record begins with less time left.
    pub reserve: Duration,
    /// `UNKNOWN_DEADLINE_MS` (default 3,000): the time a batch takes for its own where Lambda's deadline is unknown.
    pub unknown_deadline: Duration,
    /// `IDEMPOTENCY_TABLE`: where what is done is remembered; without it a duplicate delivery repeats the work.
    pub idempotency_table: Option<String>,
    /// `IDEMPOTENCY_EXPIRY_SECONDS` (default 3,600): how long it is remembered. Longer than the queue may take to deliver
    /// a message again: its visibility timeout times its `maxReceiveCount`.
    pub idempotency_expiry: Duration,
}

impl QueueSettings {
    /// Reads them. What is wrong is remembered in `settings`, as with any other setting of the function.
    pub fn read<L: Fn(&str) -> Option<String>>(settings: &mut Settings<L>) -> Self {
        let retry = RetryPolicy {
            initial: Duration::from_secs(settings.within("RETRY_INITIAL_SECONDS", 5, 0..=43_200)),
            max: Duration::from_secs(settings.within("RETRY_MAX_SECONDS", 900, 0..=43_200)),
            max_receives: settings.optional("MAX_RECEIVES"),
        };
        let heartbeat: Option<u64> = settings.optional("HEARTBEAT_VISIBILITY_SECONDS");
        let policy = Policy {
            concurrency: settings.within("BATCH_CONCURRENCY", 10, 1..=100),
            retry,
            dead_letter_queues: settings.or("DEAD_LETTER_QUEUES", DeadLetterQueues::default()),
            fail_whole_batch: settings.or("FAIL_WHOLE_BATCH", true),
            heartbeat: heartbeat.map(|seconds| Heartbeat {
                visibility: Duration::from_secs(seconds).clamp(MIN_HEARTBEAT, MAX_VISIBILITY),
                max: MAX_VISIBILITY,
            }),
            ..Policy::default()
        };
        let expiry_seconds = settings.within("IDEMPOTENCY_EXPIRY_SECONDS", 3_600, 60..=1_209_600);
        Self {
            policy,
            reserve: Duration::from_millis(settings.within("DEADLINE_RESERVE_MS", 1_000, 0..=60_000)),
            unknown_deadline: Duration::from_millis(settings.within("UNKNOWN_DEADLINE_MS", 3_000, 1_000..=900_000)),
            idempotency_table: settings.optional("IDEMPOTENCY_TABLE"),
            idempotency_expiry: Duration::from_secs(expiry_seconds),
        }
    }

    /// The end of an invocation that has this much time left; `None` where Lambda's deadline is unknown.
    #[must_use]
    pub fn deadline(&self, remaining: Option<Duration>) -> Deadline {
        Deadline::after(Some(remaining.unwrap_or(self.unknown_deadline)), self.reserve)
    }
}
