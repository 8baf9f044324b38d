//! The function's settings.

use std::time::Duration;

use sluicegate::{
    aws::lambda::Invoke,
    events::Queue,
    settings::{Settings, SettingsError},
};

/// Everything the environment says.
#[derive(Debug, Clone)]
pub struct Config {
    /// `QUEUE_URL`: the queue to drain.
    pub queue: Queue,
    /// `WORKER_FUNCTION`: name or ARN of the function that gets the messages.
    pub worker_function: String,
    /// `INVOCATION_TYPE`: `Event` (the default) or `RequestResponse`, which waits for the worker.
    pub invocation_type: Invoke,
    /// `BATCH_SIZE` (1–1,000, default 50): messages an invocation carries at the most.
    pub batch_size: usize,
    /// `PAYLOAD_LIMIT_BYTES` (default 250,000): bytes an invocation carries at the most. Below the 256 KiB that older
    /// accounts take for an event; up to 1 MiB, or 6 MiB with `RequestResponse`, elsewhere.
    pub payload_limit_bytes: usize,
    /// `RECEIVERS` (1–20, default 2): long polls at the same time once the queue has shown that it is not empty.
    pub receivers: usize,
    /// `DEADLINE_RESERVE_MS` (default 2,000): nothing is received with less time left.
    pub reserve: Duration,
    /// `UNKNOWN_DEADLINE_MS` (default 10,000): the time a run takes for its own where Lambda's deadline is unknown.
    pub unknown_deadline: Duration,
}

impl Config {
    /// Reads the settings.
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut settings = Settings::new(lookup);
        let queue = settings.required("QUEUE_URL");
        let worker_function = settings.required("WORKER_FUNCTION");
        let invocation_type = settings.or("INVOCATION_TYPE", Invoke::Event);
        let batch_size = settings.within("BATCH_SIZE", 50, 1..=1_000);
        let payload_limit_bytes = settings.within("PAYLOAD_LIMIT_BYTES", 250_000, 1_000..=6_000_000);
        let receivers = settings.within("RECEIVERS", 2, 1..=20);
        let reserve = Duration::from_millis(settings.within("DEADLINE_RESERVE_MS", 2_000, 0..=60_000));
        let unknown_deadline = Duration::from_millis(settings.within("UNKNOWN_DEADLINE_MS", 10_000, 1_000..=900_000));
        settings.finish_with(|| {
            Some(Self {
                queue: queue?,
                worker_function: worker_function?,
                invocation_type,
                batch_size,
                payload_limit_bytes,
                receivers,
                reserve,
                unknown_deadline,
            })
        })
    }
}
