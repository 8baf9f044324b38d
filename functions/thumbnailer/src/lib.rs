//! Makes a thumbnail of each image uploaded.
//!
//! A queue brings S3's notifications, in any wrapping; each object created with an image's suffix is read, made small and
//! written to another bucket under the same key. What can never become a thumbnail goes to the dead-letter queue with
//! its reason; what may work later comes again. A duplicate notification makes no second thumbnail.

mod config;
mod easel;
mod jpeg;
mod object;
mod port;
mod scale;
mod thumbnail;

use sluicegate::{
    clock::{Clock, SystemClock},
    delivery::{BatchResponse, Completion, DeadLetterQueue, Deadline, Engine, RecordError, SourceQueue},
    events::{EventError, ObjectEvent, Record, batch, object_events},
    idempotency::{self, Guard, IdempotencyStore},
    lambda::{Invocation, InvocationError},
    telemetry::Metrics,
};
use tokio::time::Instant;

pub use self::{config::Config, port::Objects, thumbnail::Bounds};
use self::{easel::Easel, object::Verdict};

/// As log lines and idempotency keys name the work. The key of the object alone is the worker's, which may share the
/// table and the upload.
const JOB_TYPE: &str = "Thumbnail";

/// The function's state.
#[derive(Debug)]
pub struct Thumbnailer<O, Q, S> {
    config: Config,
    objects: O,
    engine: Engine<Q>,
    guard: Option<Guard<S, SystemClock>>,
    easel: Easel,
}

impl<O: Objects, Q: SourceQueue + DeadLetterQueue, S: IdempotencyStore> Thumbnailer<O, Q, S> {
    /// Reads and writes `objects`, and settles failures with `queue`. `store` opens the memory, when there is a table
    /// for it.
    pub fn new(config: Config, objects: O, queue: Q, store: impl FnOnce(String) -> S) -> Self {
        let engine = Engine { port: queue, policy: config.queue.policy.clone() };
        let store = config.queue.idempotency_table.clone().map(store);
        let guard = store.map(|store| Guard::new(store, SystemClock, config.queue.idempotency_expiry));
        Self { config, objects, engine, guard, easel: Easel::default() }
    }

    /// Handles a batch of the queue. The answer names the messages to deliver again.
    pub async fn handle(&self, event: &str, invocation: &Invocation) -> Result<BatchResponse, InvocationError> {
        let (arrived_at, started) = (SystemClock.now(), Instant::now());
        let Some(batch) = batch(event)? else { return Ok(BatchResponse::default()) };
        let deadline = self.config.queue.deadline(invocation.remaining);
        let handler = async |record: &Record| self.work(deadline, record).await;
        let report = self.engine.run(batch, deadline, &handler).await;
        report.log(started.elapsed(), |_| Some(JOB_TYPE));
        Metrics::of_report(&report, arrived_at).emit();
        report
            .response(self.engine.policy.fail_whole_batch)
            .map_err(|error| InvocationError::because("WholeBatchFailed", &error))
    }

    /// Works on every object of a record before it says what became of the record: with a store, those that are done are
    /// not done again.
    async fn work(&self, deadline: Deadline, record: &Record) -> Result<Completion, RecordError> {
        let events = object_events(&record.body).map_err(RecordError::reject)?;
        for test in &events.test_events {
            tracing::info!(
                record.message_id = %record.message_id,
                bucket.name = %test.bucket,
                route = %test.route,
                "test event acknowledged"
            );
        }
        let mut verdict = Verdict::default();
        for object in &events.objects {
            match object::unwanted(object) {
                Some(reason) => tracing::info!(
                    bucket.name = %object.bucket,
                    object.key = %object.key,
                    event.name = %object.name,
                    reason,
                    "object ignored"
                ),
                None => verdict.add(self.make_once(deadline, object).await),
            }
        }
        for refusal in events.refused {
            verdict.add(Err(RecordError::reject(Unreadable(refusal.problem))));
        }
        verdict.result()
    }

    async fn make_once(&self, deadline: Deadline, object: &ObjectEvent) -> Result<Completion, RecordError> {
        let work = async { self.make(object).await.map_err(|problem| problem.of(object)) };
        let Some(guard) = &self.guard else { return work.await.map(Completion::from) };
        let key = idempotency::for_effect(JOB_TYPE, &idempotency::for_object(object));
        let completion = guard.once(&key, deadline.remaining(), work).await?;
        if completion == Completion::Duplicate {
            tracing::info!(bucket.name = %object.bucket, object.key = %object.key, "thumbnail already made");
        }
        Ok(completion)
    }
}

/// One of the notification's records cannot be read; the others were worked on.
#[derive(Debug, thiserror::Error)]
#[error("a record of the notification cannot be read: {0}")]
struct Unreadable(EventError);

#[cfg(test)]
mod tests;
