//! Drains a queue every minute and hands its messages to a worker, many at a time.
//!
//! Takes any JSON: a schedule may send an input of its own. It long-polls until the queue is drained or the time is over,
//! packs messages into batches of what the worker can finish, and invokes it:
//!
//! | the worker's answer | its messages |
//! |---|---|
//! | any | are the worker's: it deletes what is done |
//! | refused: no permission, no such function | are given back, and nothing is received any more in this run |
//! | throttled | are given back, and this receiver receives no more |
//! | payload refused | go again one by one, then synchronously, then to the dead-letter queue |
//! | failed, or none | are left to their visibility timeout: the worker may have worked on them |
//!
//! What is given back stays away for a time that grows with its receives. An empty queue is a normal run. Runs may overlap:
//! nothing depends on it.

mod batch;
mod config;
mod give_back;
mod receiver;
mod run;
mod summary;
mod undeliverable;

use std::{fmt, sync::Arc, time::Duration};

use sluicegate::{
    clock::Clock,
    delivery::{DeadLetterQueue, Deadline, ReceivingQueue, TargetFunction},
    events::read_scheduled_event,
    random::{Random, SystemRandom},
    runtime::{Invocation, InvocationError},
};
use tokio::time::Instant;

use self::run::Run;
pub use self::{config::Config, summary::Summary};

/// The function's state: its settings, its queue and its worker.
pub struct Poller<Q, W> {
    config: Config,
    queue: Q,
    worker: W,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl<Q: ReceivingQueue + DeadLetterQueue, W: TargetFunction> Poller<Q, W> {
    /// A poller of this queue for this worker. The clock says when messages were received.
    pub fn new(config: Config, queue: Q, worker: W, clock: Arc<dyn Clock>) -> Self {
        Self { config, queue, worker, clock, random: Arc::new(SystemRandom) }
    }

    /// The same poller with another source of chance, which spreads the messages that are given back.
    #[must_use]
    pub fn with_random(self, random: Arc<dyn Random>) -> Self {
        Self { random, ..self }
    }

    /// Handles one tick. Fails when calls failed and nothing reached the worker, so that the `Errors` metric moves.
    pub async fn handle(&self, event: &str, invocation: &Invocation) -> Result<Summary, InvocationError> {
        let started = Instant::now();
        let scheduled = read_scheduled_event(event)?;
        let deadline = Deadline::after(Some(invocation.remaining.unwrap_or(self.config.unknown_deadline)));
        let run = Run::new(self, deadline);
        if !run.has_time() {
            return Err(no_time(deadline.remaining(), self.config.worker_timeout));
        }
        let summary = run.drain().await;
        tracing::info!(
            queue.name = %self.config.queue,
            schedule.origin = scheduled.origin.as_str(),
            messages.received = summary.received,
            messages.dispatched = summary.dispatched,
            messages.returned = summary.returned,
            messages.left = summary.left,
            messages.dead_lettered = summary.dead_lettered,
            messages.malformed = summary.malformed,
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

fn no_time(remaining: Duration, worker_timeout: Duration) -> InvocationError {
    let message = format!(
        "{} s are left, of which the worker may take {}: the poller's timeout is to be a period and the worker's",
        remaining.as_secs(),
        worker_timeout.as_secs()
    );
    InvocationError::new("NoTimeToReceive", message)
}

impl<Q: fmt::Debug, W: fmt::Debug> fmt::Debug for Poller<Q, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, queue, worker, .. } = self;
        f.debug_struct("Poller").field("config", config).field("queue", queue).field("worker", worker).finish()
    }
}

#[cfg(test)]
mod tests;
