//! Works on the jobs of a queue.
//!
//! Two entries: Lambda's event source mapping, answered with `batchItemFailures`, and a dispatch of the scheduled poller,
//! whose messages the worker deletes itself. One code path handles records; only what follows the outcome differs.
//! A record that is no JSON, of an unknown type, or panics fails alone.

mod config;
mod job;

use std::sync::Arc;

use serde::Serialize;
use sluicegate::{
    clock::{Clock, SystemClock},
    delivery::{
        BatchResponse, DeadLetterQueue, Deletion, Delivery, Engine, Fate, QueueSettings, RecordError, Report,
        SourceQueue, Work,
    },
    events::{Door, Record, batch},
    idempotency::{Effect, IdempotencyStore},
    lambda::{Invocation, InvocationError},
    random::{Random, SystemRandom},
    telemetry::Metrics,
};
use tokio::time::Instant;

use self::job::Job;
pub use self::{config::Config, job::JOB_TYPE};

/// The function's state: what it works on, and what it does with it.
pub struct Worker<P, S, W = Jobs> {
    queue: QueueSettings,
    engine: Engine<P, S>,
    work: W,
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

impl<P: SourceQueue + DeadLetterQueue, S: IdempotencyStore> Worker<P, S> {
    /// A worker on this queue. `store` opens the idempotency store, when there is a table for it.
    pub fn new(config: Config, port: P, store: impl FnOnce(String) -> S) -> Self {
        Self::in_world(config, port, store, Arc::new(SystemClock), Arc::new(SystemRandom))
    }

    /// As [`Worker::new`], with a clock and with chances of one's own.
    pub fn in_world(
        config: Config,
        port: P,
        store: impl FnOnce(String) -> S,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        let Config { queue, enable_drills } = config;
        let engine = Engine::in_world(port, queue.policy.clone(), Arc::clone(&clock), random);
        let engine = engine.with_store(queue.idempotency_table.clone().map(store), &queue.function);
        Self { queue, engine, work: Jobs { enable_drills }, clock }
    }
}

impl<P: SourceQueue + DeadLetterQueue, S: IdempotencyStore, W: Work> Worker<P, S, W> {
    /// The same with work of another kind: what the simulation gives it.
    pub fn with_work<V: Work>(self, work: V) -> Worker<P, S, V> {
        let Self { queue, engine, clock, .. } = self;
        Worker { queue, engine, work, clock }
    }

    /// Handles one invocation, through either entry.
    pub async fn handle(&self, event: &str, invocation: &Invocation) -> Result<Answer, InvocationError> {
        let (arrived_at, started) = (self.clock.now(), Instant::now());
        let deadline = self.queue.deadline(invocation.remaining);
        let Some(batch) = batch(event)? else {
            return Ok(Answer::Mapping(BatchResponse::default()));
        };
        batch.ignored.warn();
        let report = self.engine.run(batch, deadline, &self.work).await;
        report.log(started.elapsed(), job_type);
        Metrics::of_report(&report, arrived_at).emit();
        if report.unnamed > 0 {
            let problem = format!("{} records cannot be named in an answer", report.unnamed);
            return Err(InvocationError::new("RecordWithoutMessageId", problem));
        }
        match report.door {
            Door::Mapping => report
                .response()
                .map(Answer::Mapping)
                .map_err(|error| InvocationError::because("WholeBatchFailed", &error)),
            Door::Dispatch => Ok(Answer::Dispatch(summary(&report))),
        }
    }
}

/// The work: whatever job a record asks for.
#[derive(Debug, Clone, Copy)]
pub struct Jobs {
    enable_drills: bool,
}

impl Work for Jobs {
    type Job<'r> = Job<'r>;

    fn read<'r>(&self, record: &'r Record) -> Result<Job<'r>, RecordError> {
        job::read(record).map_err(RecordError::reject)
    }

    fn effect(&self, _: &Record, job: &Job<'_>) -> Option<Effect> {
        job.effect()
    }

    async fn run<'r>(&self, record: &'r Record, job: Job<'r>) -> Result<(), RecordError> {
        let (name, started) = (job.name(), Instant::now());
        job.run(*self, record).await?;
        tracing::info!(
            record.message_id = %record.message_id,
            job.r#type = name,
            duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "job done"
        );
        Ok(())
    }
}

/// The job a record asks for.
fn job_type(record: &Record) -> Option<&str> {
    job::read(record).ok().map(|job| job.name())
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
