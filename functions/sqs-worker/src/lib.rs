//! Works on the jobs of a queue.
//!
//! Two doors: Lambda's event source mapping, answered with `batchItemFailures`, and a dispatch of the scheduled poller,
//! whose messages the worker deletes itself. One code path handles records; only what follows the outcome differs.
//! A record that is no JSON, of an unknown type, or panics fails alone.

mod config;
mod job;

use serde::Serialize;
use sluicegate::{
    clock::{Clock, SystemClock},
    delivery::{BatchResponse, Completion, DeadLetterQueue, Deadline, Engine, RecordError, Report, SourceQueue},
    events::{Door, Queue, Record, batch},
    idempotency::{self, Guard, IdempotencyStore},
    lambda::{Invocation, InvocationError},
    telemetry::Metrics,
};
use tokio::time::Instant;

pub use self::{config::Config, job::JOB_TYPE};

/// The function's state: its settings, its queue and its memory.
#[derive(Debug)]
pub struct Worker<P, S> {
    config: Config,
    engine: Engine<P>,
    guard: Option<Guard<S, SystemClock>>,
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

/// What became of a dispatch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Messages worked on and deleted.
    pub done: usize,
    /// Messages that will be delivered again, by id.
    pub failed: Vec<String>,
    /// Messages worked on but not deleted, by id: they will be delivered again.
    pub not_deleted: Vec<String>,
}

impl<P: SourceQueue + DeadLetterQueue, S: IdempotencyStore> Worker<P, S> {
    /// A worker on this queue. `store` opens the memory, when there is a table for it.
    pub fn new(config: Config, port: P, store: impl FnOnce(String) -> S) -> Self {
        let engine = Engine { port, policy: config.queue.policy.clone() };
        let store = config.queue.idempotency_table.clone().map(store);
        let guard = store.map(|store| Guard::new(store, SystemClock, config.queue.idempotency_expiry));
        Self { config, engine, guard }
    }

    /// Handles one invocation, through either door.
    pub async fn handle(&self, event: &str, invocation: &Invocation) -> Result<Answer, InvocationError> {
        let (arrived_at, started) = (SystemClock.now(), Instant::now());
        let Some(batch) = batch(event)? else {
            return Ok(Answer::Mapping(BatchResponse::default()));
        };
        let deadline = self.config.queue.deadline(invocation.remaining);
        let queue = batch.queue.clone();
        let handler = async |record: &Record| self.work(&queue, deadline, record).await;
        let report = self.engine.run(batch, deadline, &handler).await;
        report.log(started.elapsed(), job_type);
        Metrics::of_report(&report, arrived_at).emit();
        match report.door {
            Door::Mapping => report
                .response(self.engine.policy.fail_whole_batch)
                .map(Answer::Mapping)
                .map_err(|error| InvocationError::because("WholeBatchFailed", &error)),
            Door::Dispatch => Ok(Answer::Dispatch(summary(&report))),
        }
    }

    async fn work(&self, queue: &Queue, deadline: Deadline, record: &Record) -> Result<Completion, RecordError> {
        let started = Instant::now();
        let picked = job::pick(record).map_err(RecordError::reject)?;
        let work = picked.job.run(&self.config, record, &picked.body);
        let completion = match &self.guard {
            None => work.await.map(Completion::from)?,
            Some(guard) => {
                let key = picked.job.idempotency_key(record, &picked.body);
                let key = key.unwrap_or_else(|| idempotency::for_record(queue.name(), record));
                guard.once(&key, deadline.remaining(), work).await?
            }
        };
        let (message_id, job, duration_ms) = (&record.message_id, picked.job.name(), milliseconds(started));
        match completion {
            Completion::Done => {
                tracing::info!(record.message_id = %message_id, job.r#type = job, duration_ms, "job done");
            }
            Completion::Duplicate => {
                tracing::info!(record.message_id = %message_id, job.r#type = job, duration_ms, "job already done");
            }
        }
        Ok(completion)
    }
}

/// The job a record names.
fn job_type(record: &Record) -> Option<&str> {
    record.attributes.get(JOB_TYPE)?.as_text()
}

fn summary(report: &Report) -> Summary {
    let ids = |indices: &[usize]| indices.iter().map(|&index| report.records[index].message_id.clone()).collect();
    let failed: Vec<String> = report.failed_ids().into_iter().map(ToOwned::to_owned).collect();
    Summary {
        done: report.size() - failed.len() - report.settled.not_deleted.len(),
        failed,
        not_deleted: ids(&report.settled.not_deleted),
    }
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
