//! How to consume.

use std::time::Duration;

use crate::{delivery::MAX_VISIBILITY, events::Queue};

/// How to consume.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// The queue.
    pub queue: Queue,
    /// Messages (on a FIFO queue: groups) at work at once while there is a backlog. Default 10.
    pub concurrency: usize,
    /// And when the queue is nearly empty: 1 to `concurrency`. Default 1.
    pub least_concurrency: usize,
    /// How long a received message stays invisible, renewed while it is worked on: whole
    /// seconds, at least one. Default 30 s.
    pub visibility: Duration,
    /// How long a receive waits for the first message: whole seconds, at most 20. Default 20 s.
    pub wait: Duration,
    /// Begin one message in this time, and no more.
    pub every: Option<Duration>,
    /// End after so many messages.
    pub max: Option<u64>,
    /// End when a receive comes back empty and nothing is in hand.
    pub until_empty: bool,
    /// How long one message may take before it is stopped and retried. Default 12 h, as SQS keeps it invisible no longer.
    pub timeout: Duration,
    /// When told to stop: how long what is at work may take. Default 20 s.
    pub grace: Duration,
}

impl Settings {
    /// The defaults, for this queue.
    #[must_use]
    pub fn of(queue: Queue) -> Self {
        Self {
            queue,
            concurrency: 10,
            least_concurrency: 1,
            visibility: Duration::from_secs(30),
            wait: Duration::from_secs(20),
            every: None,
            max: None,
            until_empty: false,
            timeout: MAX_VISIBILITY,
            grace: Duration::from_secs(20),
        }
    }
}
