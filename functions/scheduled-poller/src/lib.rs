//! Drains a queue every minute and hands its messages to a worker, many at a time.
//!
//! Takes any JSON: a schedule may send an input of its own. It long-polls until the queue is drained or the time is
//! over, packs messages into as few invocations as the payload limit allows, and hands back what the worker could not
//! be given. An empty queue is a normal run. Runs do not overlap: the function's timeout is shorter than its period.

mod config;
mod parcel;
mod poll;
mod port;

use sluicegate::{
    delivery::Deadline,
    events::tick,
    lambda::{Invocation, InvocationError},
};
use tokio::time::Instant;

use self::poll::Run;
pub use self::{
    config::Config,
    poll::Summary,
    port::{Invoke, Receive},
};

/// The function's state: its settings, its queue and its worker.
#[derive(Debug)]
pub struct Poller<Q, W> {
    config: Config,
    queue: Q,
    worker: W,
}

impl<Q: Receive, W: Invoke> Poller<Q, W> {
    /// A poller of this queue for this worker.
    pub fn new(config: Config, queue: Q, worker: W) -> Self {
        Self { config, queue, worker }
    }

    /// Handles one tick. Fails when calls failed and nothing reached the worker, so that the `Errors` metric moves.
    pub async fn handle(&self, event: &str, invocation: &Invocation) -> Result<Summary, InvocationError> {
        let started = Instant::now();
        let tick = tick(event)?;
        let remaining = invocation.remaining.unwrap_or(self.config.unknown_deadline);
        let deadline = Deadline::after(Some(remaining), self.config.reserve);
        let summary = Run::new(&self.config, &self.queue, &self.worker, deadline).drain().await;
        tracing::info!(
            queue.name = %self.config.queue,
            schedule.origin = tick.origin.as_str(),
            messages.received = summary.received,
            messages.dispatched = summary.dispatched,
            messages.returned = summary.returned,
            messages.left = summary.left,
            receives = summary.receives,
            invocations = summary.invocations,
            drained = summary.drained,
            duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "poll finished"
        );
        summary.metrics(&self.config.queue).emit();
        if summary.failed_calls > 0 && summary.dispatched == 0 {
            let message = format!("{} calls failed and no message reached the worker", summary.failed_calls);
            return Err(InvocationError::new("NothingDispatched", message));
        }
        Ok(summary)
    }
}
