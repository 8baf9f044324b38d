//! The function's settings.

use std::{str::FromStr, time::Duration};

use sluicegate::{
    delivery::{Invoke, MAX_ENTRIES, MAX_VISIBILITY, reserve_of},
    events::{EventError, Queue},
    settings::{Settings, SettingsError},
};

use crate::batch::{MAX_EVENT_BYTES, MAX_REQUEST_BYTES};

/// The poller's own time-out is a period and the worker's together, and Lambda's longest is 900 s.
const MAX_WORKER_TIMEOUT: u64 = 840;
/// What SQS itself takes where nothing is said.
const USUAL_VISIBILITY: Duration = Duration::from_secs(30);

/// Everything the environment says.
#[derive(Debug, Clone)]
pub struct Config {
    /// `QUEUE_URL`: the queue to drain. Not a FIFO queue.
    pub queue: Queue,
    /// `WORKER_FUNCTION`: name or ARN of the function that gets the messages.
    pub worker_function: String,
    /// `INVOCATION_TYPE`: `RequestResponse` (the default), which waits for the worker, or `Event`, which does not and is
    /// told of no worker that cannot run.
    pub invocation_type: Invoke,
    /// `RECEIVERS` (1–20, default 5): batches at the same time, once the queue has shown that it is not empty.
    pub receivers: usize,
    /// `WORKER_CONCURRENCY` (1–100, default 10): records that the worker works on at the same time.
    pub worker_concurrency: usize,
    /// `WORKER_TIMEOUT_SECONDS` (1–840, default 30): the worker's time-out.
    pub worker_timeout: Duration,
    /// `LONGEST_JOB_SECONDS` (default: the worker's time-out): the longest that one message takes.
    pub longest_job: Duration,
    /// `WORKER_INSTANCES` (1–1,000, default as `RECEIVERS`), with `Event` only: the worker's reserved concurrency.
    pub worker_instances: usize,
    /// `PERIOD_SECONDS` (30–3,600, default 60): the time from one tick to the next.
    pub period: Duration,
    /// `VISIBILITY_SECONDS` (1–43,200): how long messages are invisible once they are received. Default: as the queue
    /// says, of which no more than SQS's usual 30 s is believed.
    pub visibility: Option<Duration>,
    /// `DEAD_LETTER_QUEUE`: URL of the queue for messages that no invocation carries. Default: they stay.
    pub dead_letter_queue: Option<Queue>,
    /// `AWS_REGION`: where a queue is whose URL does not say so.
    pub region: Option<String>,
    /// `PAYLOAD_LIMIT_BYTES` (default 250,000): bytes that an invocation of several messages carries at the most. An
    /// event is paid for by 64 KiB, and what is larger than 256 KiB older accounts refuse; a synchronous call may be 6 MiB,
    /// but what comes in one batch is worked on within one time-out.
    pub payload_limit_bytes: usize,
    /// `UNKNOWN_DEADLINE_MS` (default: a period and the worker's time-out): the time a run takes for its own where Lambda's
    /// deadline is unknown.
    pub unknown_deadline: Duration,
}

impl Config {
    /// Reads the settings.
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut settings = Settings::new(lookup);
        let queue: Option<StandardQueue> = settings.required("QUEUE_URL");
        let worker_function = settings.required("WORKER_FUNCTION");
        let invocation_type = settings.or("INVOCATION_TYPE", Invoke::RequestResponse);
        let receivers = settings.within("RECEIVERS", 5, 1..=20);
        let worker_concurrency = settings.within("WORKER_CONCURRENCY", 10, 1..=100);
        let timeout = settings.within("WORKER_TIMEOUT_SECONDS", 30, 1..=MAX_WORKER_TIMEOUT);
        let longest_job = settings.within("LONGEST_JOB_SECONDS", timeout, 1..=timeout);
        let worker_instances = settings.within("WORKER_INSTANCES", receivers, 1..=1_000);
        let period = settings.within("PERIOD_SECONDS", 60, 30..=3_600);
        let visibility: Option<u64> = settings.optional("VISIBILITY_SECONDS");
        if let Some(seconds) = visibility.filter(|seconds| !(1..=MAX_VISIBILITY.as_secs()).contains(seconds)) {
            settings.refuse(format!("VISIBILITY_SECONDS is {seconds}, outside 1 to {}", MAX_VISIBILITY.as_secs()));
        }
        let dead_letter_queue: Option<Queue> = settings.optional("DEAD_LETTER_QUEUE");
        if dead_letter_queue
            .as_ref()
            .zip(queue.as_ref())
            .is_some_and(|(dead_letters, queue)| dead_letters.url() == queue.0.url())
        {
            settings.refuse("DEAD_LETTER_QUEUE is QUEUE_URL: its messages would come again for ever");
        }
        let region = settings.optional("AWS_REGION");
        let largest = match invocation_type {
            Invoke::Event => MAX_EVENT_BYTES,
            Invoke::RequestResponse => MAX_REQUEST_BYTES,
        };
        let payload_limit_bytes = settings.within("PAYLOAD_LIMIT_BYTES", 250_000, 1_000..=largest);
        let unknown_deadline = settings.within("UNKNOWN_DEADLINE_MS", (period + timeout) * 1_000, 1_000..=4_440_000);
        settings.finish_with(|| {
            Some(Self {
                queue: queue?.0,
                worker_function: worker_function?,
                invocation_type,
                receivers,
                worker_concurrency,
                worker_timeout: Duration::from_secs(timeout),
                longest_job: Duration::from_secs(longest_job),
                worker_instances,
                period: Duration::from_secs(period),
                visibility: visibility.map(Duration::from_secs),
                dead_letter_queue,
                region,
                payload_limit_bytes,
                unknown_deadline: Duration::from_millis(unknown_deadline),
            })
        })
    }

    /// Messages that an invocation carries at the most: no more than the worker can finish within its time-out. More than
    /// ten are a multiple of ten, which is what a receive gives.
    #[must_use]
    pub fn batch_size(&self) -> usize {
        let time = self.worker_timeout.saturating_sub(reserve_of(self.worker_timeout));
        let rounds = (time.as_secs_f64() / self.longest_job.as_secs_f64()).floor().max(1.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 840")]
        let messages = self.worker_concurrency * rounds as usize;
        if messages > MAX_ENTRIES { messages - messages % MAX_ENTRIES } else { messages }
    }

    /// Batches that a run may send off. A worker that is called synchronously sets the pace itself; events would queue up
    /// before it, where their messages' visibility runs out.
    #[must_use]
    pub fn batches_a_run(&self) -> usize {
        match self.invocation_type {
            Invoke::RequestResponse => usize::MAX,
            Invoke::Event => {
                let rounds = (self.period.as_secs() / self.worker_timeout.as_secs().max(1)).max(1);
                self.worker_instances.saturating_mul(usize::try_from(rounds).unwrap_or(usize::MAX))
            }
        }
    }

    /// How long a received message is nobody else's, as far as it is known.
    #[must_use]
    pub fn known_visibility(&self) -> Duration {
        self.visibility.unwrap_or(USUAL_VISIBILITY)
    }
}

/// A queue without message groups.
struct StandardQueue(Queue);

impl FromStr for StandardQueue {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        let queue: Queue = url.parse().map_err(|problem: EventError| problem.to_string())?;
        if queue.is_fifo() {
            return Err(
                "a FIFO queue: two invocations would work on one message group; give it an event source mapping".into(),
            );
        }
        Ok(Self(queue))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://sqs.us-east-1.amazonaws.com/1/polled";

    fn config(settings: &[(&str, &str)]) -> Result<Config, SettingsError> {
        let always = [("QUEUE_URL", URL), ("WORKER_FUNCTION", "worker")];
        let all: Vec<(&str, &str)> = settings.iter().chain(&always).copied().collect();
        Config::from_lookup(&|name| all.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    fn problems(settings: &[(&str, &str)]) -> String {
        config(settings).unwrap_err().to_string()
    }

    #[test]
    fn a_batch_is_what_the_worker_can_finish() {
        let size = |concurrency, timeout, longest| {
            config(&[
                ("WORKER_CONCURRENCY", concurrency),
                ("WORKER_TIMEOUT_SECONDS", timeout),
                ("LONGEST_JOB_SECONDS", longest),
            ])
            .unwrap()
            .batch_size()
        };
        // The time-out without its reserve: 25 s of 30.
        assert_eq!(size("10", "30", "1"), 250);
        assert_eq!(size("10", "30", "12"), 20);
        assert_eq!(size("10", "30", "13"), 10);
        assert_eq!(size("10", "30", "30"), 10);
        assert_eq!(size("3", "30", "25"), 3);
        assert_eq!(size("3", "4", "1"), 9);
        // Whole receives.
        assert_eq!(size("7", "30", "12"), 10);
        assert_eq!(config(&[]).unwrap().batch_size(), 10);
    }

    #[test]
    fn events_are_as_many_as_the_worker_s_instances_take_in_a_period() {
        let batches = |settings: &[(&str, &str)]| config(settings).unwrap().batches_a_run();
        let event = ("INVOCATION_TYPE", "Event");
        assert_eq!(batches(&[event, ("WORKER_INSTANCES", "3")]), 6);
        assert_eq!(batches(&[event, ("WORKER_INSTANCES", "3"), ("WORKER_TIMEOUT_SECONDS", "45")]), 3);
        assert_eq!(batches(&[event, ("WORKER_INSTANCES", "3"), ("WORKER_TIMEOUT_SECONDS", "120")]), 3);
        assert_eq!(batches(&[event]), 10);
        assert_eq!(batches(&[]), usize::MAX);
    }

    #[test]
    fn a_fifo_queue_is_refused_with_what_to_do_instead() {
        let refusal = problems(&[("QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/1/polled.fifo")]);
        assert!(refusal.contains("a FIFO queue") && refusal.contains("event source mapping"), "{refusal}");
    }

    #[test]
    fn every_wrong_setting_is_named_at_once() {
        let all = problems(&[
            ("INVOCATION_TYPE", "DryRun"),
            ("RECEIVERS", "0"),
            ("WORKER_TIMEOUT_SECONDS", "841"),
            ("LONGEST_JOB_SECONDS", "31"),
            ("VISIBILITY_SECONDS", "0"),
            ("DEAD_LETTER_QUEUE", URL),
            ("PAYLOAD_LIMIT_BYTES", "6291457"),
        ]);
        for name in [
            "INVOCATION_TYPE",
            "RECEIVERS",
            "WORKER_TIMEOUT_SECONDS",
            "LONGEST_JOB_SECONDS",
            "VISIBILITY_SECONDS",
            "DEAD_LETTER_QUEUE",
            "PAYLOAD_LIMIT_BYTES",
        ] {
            assert!(all.contains(name), "{name} in: {all}");
        }
    }

    #[test]
    fn an_event_is_no_larger_than_lambda_takes() {
        let settings = [("INVOCATION_TYPE", "Event"), ("PAYLOAD_LIMIT_BYTES", "1048577")];
        assert_eq!(problems(&settings), "PAYLOAD_LIMIT_BYTES is 1048577, outside 1000 to 1048576");
    }

    #[test]
    fn where_the_deadline_is_unknown_a_run_takes_a_period_and_the_worker_s_time_out() {
        assert_eq!(config(&[]).unwrap().unknown_deadline, Duration::from_secs(90));
    }
}
