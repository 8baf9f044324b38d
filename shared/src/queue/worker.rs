//! What a function on a queue does with an event.

use std::sync::Arc;

use serde::Serialize;
use tokio::time::Instant;

use crate::{
    clock::{Clock, SystemClock},
    delivery::{
        BatchResponse, DeadLetterQueue, Deletion, Delivery, Engine, Fate, QueueSettings, Report, SourceQueue, Work,
    },
    events::{EventSource, read_batch},
    idempotency::{IdempotencyStore, MemoryStore},
    random::{Random, SystemRandom},
    runtime::{Invocation, InvocationError},
    telemetry::Metrics,
};

/// A function on a queue: what it works on, and what it does with it.
pub struct Worker<W, P, S = MemoryStore> {
    settings: QueueSettings,
    work: W,
    engine: Engine<P, S>,
    clock: Arc<dyn Clock>,
}

/// What the function answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To Lambda's poller: what it does not name is deleted.
    Mapping(BatchResponse),
    /// To the scheduled poller.
    Dispatch(Summary),
}

/// What became of a dispatch: each message is in one of the counts or lists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Messages worked on, now or before, and deleted in time.
    pub done: usize,
    /// Messages that the dead-letter queue has, by id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dead_lettered: Vec<String>,
    /// Messages that will be delivered again, by id.
    pub failed: Vec<String>,
    /// Messages worked on but not deleted, by id: they will be delivered again.
    pub not_deleted: Vec<String>,
    /// Messages worked on and deleted when their visibility timeout was over, by id: another consumer may have had them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deleted_late: Vec<String>,
}

impl<W, P> Worker<W, P> {
    /// This work on the records of that queue.
    pub fn new(settings: QueueSettings, work: W, queue: P) -> Self {
        Self::in_world(settings, work, queue, Arc::new(SystemClock), Arc::new(SystemRandom))
    }

    /// As [`Worker::new`], with a clock and with chances of one's own.
    pub fn in_world(
        settings: QueueSettings,
        work: W,
        queue: P,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        let engine = Engine::in_world(queue, settings.policy.clone(), Arc::clone(&clock), random);
        Self { settings, work, engine, clock }
    }

    /// With the idempotency store that `open` makes of the table's name, where one is set.
    #[must_use]
    pub fn with_store<S: IdempotencyStore>(self, open: impl FnOnce(String) -> S) -> Worker<W, P, S> {
        let Self { settings, work, engine, clock } = self;
        let engine = engine.with_store(settings.idempotency_table.clone().map(open), &settings.function);
        Worker { settings, work, engine, clock }
    }
}

impl<W: Work, P: SourceQueue + DeadLetterQueue, S: IdempotencyStore> Worker<W, P, S> {
    /// Handles one invocation, whoever sent it.
    pub async fn handle(&self, event: &str, invocation: &Invocation) -> Result<Answer, InvocationError> {
        let (arrived_at, started) = (self.clock.now(), Instant::now());
        let deadline = self.settings.deadline(invocation.remaining);
        let Some(batch) = read_batch(event)? else {
            return Ok(Answer::Mapping(BatchResponse::default()));
        };
        batch.ignored.warn();
        let report = self.engine.run(batch, deadline, &self.work).await;
        report.log(started.elapsed(), |record| self.work.name(record));
        Metrics::of_report(&report, arrived_at).emit();
        if report.unnamed > 0 {
            let problem = format!("{} records cannot be named in an answer", report.unnamed);
            return Err(InvocationError::new("RecordWithoutMessageId", problem));
        }
        match report.source {
            EventSource::Mapping => report
                .response()
                .map(Answer::Mapping)
                .map_err(|error| InvocationError::because("WholeBatchFailed", &error)),
            EventSource::Dispatch => Ok(Answer::Dispatch(summary(&report))),
        }
    }
}

fn summary(report: &Report) -> Summary {
    let ids = |is_so: &dyn Fn(&Delivery) -> bool| report.ids(is_so).into_iter().map(ToOwned::to_owned).collect();
    let is_worked = |delivery: &Delivery| matches!(delivery.fate, Fate::Done | Fate::Duplicate);
    Summary {
        done: report.ids(|delivery| is_worked(delivery) && delivery.deletion == Deletion::Deleted).len(),
        dead_lettered: ids(&|delivery| delivery.fate.is_final() && !is_worked(delivery) && !delivery.is_not_deleted()),
        failed: ids(&|delivery| !delivery.fate.is_final()),
        not_deleted: ids(&Delivery::is_not_deleted),
        deleted_late: ids(&|delivery| is_worked(delivery) && delivery.deletion == Deletion::Late),
    }
}
