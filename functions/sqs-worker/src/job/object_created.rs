//! `ObjectCreated`: an object came into a bucket.

use sluicegate::{
    delivery::RecordError,
    events::{EventError, ObjectEvents, Record, json::Field, read_object_events},
    idempotency::Effect,
};

/// An S3 notification in any wrapping: raw, in SNS's envelope, or from EventBridge.
#[derive(Debug)]
pub struct ObjectCreated(ObjectEvents);

/// Whether a body with these members, `Records`, `Event`, `source`, `detail-type` and `detail`, is S3's.
pub(super) fn fits([records, event, source, detail_type, detail]: &[Field<'_>; 5]) -> bool {
    records.is_there()
        || event.quiet_text().as_deref() == Some("s3:TestEvent")
        || detail.is_there() && (source.quiet_text().as_deref() == Some("aws.s3") || detail_type.is_there())
}

impl ObjectCreated {
    pub(super) fn read(body: &str) -> Result<Self, EventError> {
        read_object_events(body).map(Self)
    }

    /// Of a notification of one object: S3 may send it more than once.
    pub(super) fn effect(&self, job: &str) -> Option<Effect> {
        match (self.0.objects.as_slice(), self.0.refused.as_slice()) {
            ([object], []) if object.may_be_new() => Effect::of_object(job, object),
            _ => None,
        }
    }

    pub(super) fn run(self, record: &Record) -> Result<(), RecordError> {
        let Self(found) = self;
        let message_id = &record.message_id;
        found.ignored.warn_of(message_id);
        if found.is_empty() {
            tracing::warn!(record.message_id = %message_id, reason = "no records in it", "notification ignored");
        }
        for test in &found.test_events {
            tracing::info!(record.message_id = %message_id, bucket.name = %test.bucket, "test event acknowledged");
        }
        for object in &found.objects {
            let (bucket, key) = (&object.bucket, &object.key);
            if object.may_be_new() {
                tracing::info!(
                    record.message_id = %message_id,
                    bucket.name = %bucket,
                    object.key = %key,
                    object.size_bytes = object.size_bytes,
                    "object processed"
                );
            } else {
                tracing::info!(
                    record.message_id = %message_id,
                    bucket.name = %bucket,
                    object.key = %key,
                    event.name = %object.name,
                    reason = "not created",
                    "object ignored"
                );
            }
        }
        match found.refused.into_iter().next() {
            None => Ok(()),
            Some(refusal) => Err(RecordError::reject(Unreadable(refusal.problem))),
        }
    }
}

/// One of the notification's records cannot be read; the others were processed.
#[derive(Debug, thiserror::Error)]
#[error("a record of the notification cannot be read: {0}")]
struct Unreadable(EventError);
