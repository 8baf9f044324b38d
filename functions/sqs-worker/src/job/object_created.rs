//! `ObjectCreated`: an object came into a bucket.

use std::fmt;

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
        let Self(found) = &self;
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
        self.refusal().map_or(Ok(()), Err)
    }

    /// One of the notification's records cannot be read; the others are processed.
    pub(super) fn refusal(&self) -> Option<RecordError> {
        let refusal = self.0.refused.first()?;
        Some(RecordError::reject(format!("a record of the notification cannot be read: {}", refusal.problem)))
    }
}

impl fmt::Display for ObjectCreated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let new: Vec<String> = self
            .0
            .objects
            .iter()
            .filter(|object| object.may_be_new())
            .map(|object| format!("{}/{}", object.bucket, object.key))
            .collect();
        match (new.is_empty(), self.0.test_events.is_empty()) {
            (false, _) => write!(f, "processes {}", new.join("; ")),
            (true, true) => f.write_str("finds no new object"),
            (true, false) => f.write_str("acknowledges a test event"),
        }
    }
}
