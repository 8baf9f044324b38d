//! `ObjectCreated`: an object came into a bucket.

use serde_json::Value;
use sluicegate::{
    delivery::RecordError,
    events::{EventError, EventKind, Record, object_events},
    idempotency,
};

use super::{Job, Work};
use crate::config::Config;

/// Takes an S3 notification in any wrapping: raw, in SNS's envelope, or from EventBridge.
pub(crate) struct ObjectCreated;

impl Job for ObjectCreated {
    fn name(&self) -> &'static str {
        "ObjectCreated"
    }

    fn fits(&self, record: &Record, _: &Value) -> bool {
        object_events(&record.body).is_ok()
    }

    fn idempotency_key(&self, record: &Record, _: &Value) -> Option<String> {
        match object_events(&record.body).ok()?.objects.as_slice() {
            [object] => Some(idempotency::for_object(object)),
            _ => None,
        }
    }

    fn run<'a>(&self, _: &'a Config, record: &'a Record, _: &'a Value) -> Work<'a> {
        Box::pin(async move {
            let events = object_events(&record.body).map_err(RecordError::reject)?;
            for test in &events.test_events {
                tracing::info!(
                    record.message_id = %record.message_id,
                    bucket.name = %test.bucket,
                    "test event acknowledged"
                );
            }
            for object in events.objects.iter().filter(|object| object.kind() == EventKind::ObjectCreated) {
                tracing::info!(
                    record.message_id = %record.message_id,
                    bucket.name = %object.bucket,
                    object.key = %object.key,
                    object.size_bytes = object.size_bytes,
                    "object processed"
                );
            }
            match events.refused.into_iter().next() {
                None => Ok(()),
                Some(refusal) => Err(RecordError::reject(Unreadable(refusal.problem))),
            }
        })
    }
}

/// One of the notification's records cannot be read; the others were processed.
#[derive(Debug, thiserror::Error)]
#[error("a record of the notification cannot be read: {0}")]
struct Unreadable(EventError);
