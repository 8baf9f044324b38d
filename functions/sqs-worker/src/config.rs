//! The function's settings.

use std::time::Duration;

use sluicegate::{
    delivery::{DeadLetterQueues, Heartbeat, MAX_VISIBILITY, Policy, RetryPolicy},
    settings::{Settings, SettingsError},
};

/// A beat comes every third of this; more often than every three seconds is no use.
const MIN_HEARTBEAT: Duration = Duration::from_secs(9);

/// Everything the environment says.
#[derive(Debug, Clone)]
pub struct Config {
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
    /// `ENABLE_DRILLS`, default false: whether jobs of type `Drill` run.
    pub enable_drills: bool,
}

impl Config {
    /// Reads the settings.
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut settings = Settings::new(lookup);
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
        let reserve = Duration::from_millis(settings.within("DEADLINE_RESERVE_MS", 1_000, 0..=60_000));
        let unknown_deadline = Duration::from_millis(settings.within("UNKNOWN_DEADLINE_MS", 3_000, 1_000..=900_000));
        let idempotency_table = settings.optional("IDEMPOTENCY_TABLE");
        let expiry_seconds = settings.within("IDEMPOTENCY_EXPIRY_SECONDS", 3_600, 60..=1_209_600);
        let enable_drills = settings.or("ENABLE_DRILLS", false);
        settings.finish(Self {
            policy,
            reserve,
            unknown_deadline,
            idempotency_table,
            idempotency_expiry: Duration::from_secs(expiry_seconds),
            enable_drills,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_setting_is_named_at_once() {
        let wrong = |name: &str| match name {
            "BATCH_CONCURRENCY" => Some("0".to_owned()),
            "DEAD_LETTER_QUEUES" => Some("jobs".to_owned()),
            "FAIL_WHOLE_BATCH" => Some("perhaps".to_owned()),
            _ => None,
        };
        let error = Config::from_lookup(&wrong).unwrap_err().to_string();
        for name in ["BATCH_CONCURRENCY", "DEAD_LETTER_QUEUES", "FAIL_WHOLE_BATCH"] {
            assert!(error.contains(name), "{error}");
        }
    }
}
