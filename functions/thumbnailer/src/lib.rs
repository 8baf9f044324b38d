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

use std::sync::Arc;

use sluicegate::{
    clock::{Clock, SystemClock},
    delivery::{BatchResponse, DeadLetterQueue, Engine, RecordError, SourceQueue, Work},
    events::{EventError, ObjectEvents, Record, batch, object_events},
    idempotency::{Effect, IdempotencyStore},
    lambda::{Invocation, InvocationError},
    random::{Random, SystemRandom},
    telemetry::Metrics,
};
use tokio::time::Instant;

pub use self::{config::Config, port::Objects, thumbnail::Bounds};
use self::{easel::Easel, object::Verdict};

/// As log lines and idempotency keys name the work.
const JOB_TYPE: &str = "Thumbnail";

/// The function's state.
pub struct Thumbnailer<O, Q, S> {
    engine: Engine<Q, S>,
    studio: Studio<O>,
    clock: Arc<dyn Clock>,
}

/// Where thumbnails are made.
struct Studio<O> {
    config: Config,
    objects: O,
    easel: Easel,
}

impl<O: Objects, Q: SourceQueue + DeadLetterQueue, S: IdempotencyStore> Thumbnailer<O, Q, S> {
    /// Reads and writes `objects`, and settles failures with `queue`. `store` opens the idempotency store, when there is a
    /// table for it.
    pub fn new(config: Config, objects: O, queue: Q, store: impl FnOnce(String) -> S) -> Self {
        Self::in_world(config, objects, queue, store, (Arc::new(SystemClock), Arc::new(SystemRandom)))
    }

    /// As [`Thumbnailer::new`], with a clock and with chances of one's own.
    pub fn in_world(
        config: Config,
        objects: O,
        queue: Q,
        store: impl FnOnce(String) -> S,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
    ) -> Self {
        let engine = Engine::in_world(queue, config.queue.policy.clone(), Arc::clone(&clock), random);
        let store = config.queue.idempotency_table.clone().map(store);
        let engine = engine.with_store(store, &config.queue.function);
        Self { engine, studio: Studio { config, objects, easel: Easel::default() }, clock }
    }

    /// Handles a batch of the queue. The answer names the messages to deliver again.
    pub async fn handle(&self, event: &str, invocation: &Invocation) -> Result<BatchResponse, InvocationError> {
        let (arrived_at, started) = (self.clock.now(), Instant::now());
        let deadline = self.studio.config.queue.deadline(invocation.remaining);
        let Some(batch) = batch(event)? else { return Ok(BatchResponse::default()) };
        batch.ignored.warn();
        let report = self.engine.run(batch, deadline, &self.studio).await;
        report.log(started.elapsed(), |_| Some(JOB_TYPE));
        Metrics::of_report(&report, arrived_at).emit();
        if report.unnamed > 0 {
            let problem = format!("{} records cannot be named in an answer", report.unnamed);
            return Err(InvocationError::new("RecordWithoutMessageId", problem));
        }
        report.response().map_err(|error| InvocationError::because("WholeBatchFailed", &error))
    }
}

impl<O: Objects> Work for Studio<O> {
    type Job<'r> = ObjectEvents;

    fn read(&self, record: &Record) -> Result<ObjectEvents, RecordError> {
        object_events(&record.body).map_err(RecordError::reject)
    }

    /// S3 tells of one object a message, perhaps more than once. What tells of several is known by the message.
    fn effect(&self, _: &Record, events: &ObjectEvents) -> Option<Effect> {
        match events.objects.as_slice() {
            [object] => Effect::of_object(JOB_TYPE, object),
            _ => None,
        }
    }

    /// Works on every object of a record before it says what became of the record.
    async fn run(&self, record: &Record, events: ObjectEvents) -> Result<(), RecordError> {
        events.ignored.warn_of(&record.message_id);
        if events.is_empty() {
            tracing::warn!(record.message_id = %record.message_id, reason = "no records in it", "notification ignored");
        }
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
                None => verdict.add(self.make(object).await.map_err(|problem| problem.of(object))),
            }
        }
        for refusal in events.refused {
            verdict.add(Err(RecordError::reject(Unreadable(refusal.problem))));
        }
        verdict.result()
    }
}

/// One of the notification's records cannot be read; the others were worked on.
#[derive(Debug, thiserror::Error)]
#[error("a record of the notification cannot be read: {0}")]
struct Unreadable(EventError);

#[cfg(test)]
mod tests;
