//! Makes a thumbnail of each image uploaded.
//!
//! A queue brings S3's notifications, in any wrapping; each object created with an image's suffix is read, made small and
//! written to another bucket under the same key. What can never become a thumbnail goes to the dead-letter queue with
//! its reason; what may work later comes again. A duplicate notification makes no second thumbnail.

mod config;
mod easel;
mod jpeg;
mod object;
mod scale;
mod thumbnail;

use sluicegate::{
    aws::s3::ObjectStore,
    delivery::{RecordError, Work},
    events::{EventError, ObjectEvents, Record, read_object_events},
    idempotency::Effect,
};

pub use self::{config::Config, thumbnail::Bounds};
use self::{easel::Easel, object::Verdict};

/// As log lines and idempotency keys name the work.
const JOB_TYPE: &str = "Thumbnail";

/// The work: a thumbnail of every image that a record tells of, one image at a time.
pub struct Thumbnails<O> {
    config: Config,
    objects: O,
    easel: Easel,
}

impl<O: ObjectStore> Thumbnails<O> {
    /// Reads and writes `objects`.
    pub fn new(config: Config, objects: O) -> Self {
        Self { config, objects, easel: Easel::default() }
    }
}

impl<O: ObjectStore> Work for Thumbnails<O> {
    type Job<'r> = ObjectEvents;

    fn read(&self, record: &Record) -> Result<ObjectEvents, RecordError> {
        read_object_events(&record.body).map_err(RecordError::reject)
    }

    /// S3 tells of one object a message, perhaps more than once. What tells of several is known by the message.
    fn effect(&self, _: &Record, events: &ObjectEvents) -> Option<Effect> {
        match events.objects.as_slice() {
            [object] => Effect::of_object(JOB_TYPE, object),
            _ => None,
        }
    }

    fn name<'r>(&self, _: &'r Record) -> Option<&'r str> {
        Some(JOB_TYPE)
    }

    fn max_concurrency(&self) -> usize {
        1
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
