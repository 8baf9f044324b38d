//! What a run did.

use std::ops::AddAssign;

use serde::Serialize;
use sluicegate::{events::Queue, telemetry::Metrics};

/// What a run did. Every message received is in exactly one of `dispatched`, `returned`, `left`, `dead_lettered` and
/// `malformed`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Messages received.
    pub received: usize,
    /// Messages that the worker was given.
    pub dispatched: usize,
    /// Messages given back to the queue, with a delay, because the worker was not given them.
    pub returned: usize,
    /// Messages left to their visibility timeout: the worker may have worked on them, or they could not be given back.
    pub left: usize,
    /// Messages that no invocation carries, now in the dead-letter queue.
    pub dead_lettered: usize,
    /// Messages without an id or a receipt handle, which nobody can work on. They are left to their visibility timeout.
    pub malformed: usize,
    /// Receive calls.
    pub receives: usize,
    /// Invocations of the worker that were taken.
    pub invocations: usize,
    /// Calls that failed: receives, invocations, and what keeps a message from its dead-letter queue.
    pub failed_calls: usize,
    /// Whether a full long poll found nothing.
    pub drained: bool,
}

impl Summary {
    /// Requests by messages is what a message costs. Calls that give messages back are not counted: they are few.
    pub(crate) fn metrics(&self, queue: &Queue) -> Metrics {
        Metrics::of("queue", queue.name())
            .count("Requests", self.receives + self.invocations)
            .count("MessagesReceived", self.received)
            .count("MessagesDispatched", self.dispatched)
            .count("MessagesReturned", self.returned)
            .count("MessagesLeft", self.left)
            .count("MessagesDeadLettered", self.dead_lettered)
            .count("MessagesMalformed", self.malformed)
            .count("FailedCalls", self.failed_calls)
    }
}

/// Receivers side by side, added up.
impl AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.received += other.received;
        self.dispatched += other.dispatched;
        self.returned += other.returned;
        self.left += other.left;
        self.dead_lettered += other.dead_lettered;
        self.malformed += other.malformed;
        self.receives += other.receives;
        self.invocations += other.invocations;
        self.failed_calls += other.failed_calls;
        self.drained |= other.drained;
    }
}
