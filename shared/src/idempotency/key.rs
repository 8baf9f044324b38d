//! Names for effects.

use crate::events::{EventKind, ObjectEvent, Record};

/// What `DynamoDB` takes for a partition key.
pub const MAX_KEY_BYTES: usize = 2_048;

/// A key that no store could hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the idempotency key has {bytes} bytes, more than {MAX_KEY_BYTES}")]
pub struct KeyTooLong {
    /// How long it is.
    pub bytes: usize,
}

/// The key for an effect that the business names: `NewDonor#d-17`.
#[must_use]
pub fn for_effect(effect: &str, id: &str) -> String {
    format!("{effect}#{id}")
}

/// The key for what happened to one version of an object. S3 may notify of it more than once.
#[must_use]
pub fn for_object(object: &ObjectEvent) -> String {
    let kind = match object.kind() {
        EventKind::ObjectCreated => "created",
        EventKind::ObjectRemoved => "removed",
        _ => object.name.as_str(),
    };
    let version = object.version_id.as_deref().or(object.sequencer.as_deref()).unwrap_or("-");
    format!("{kind}#{}/{}#{version}", object.bucket, object.key)
}

/// The key for a message whose effect has no name of its own: what FIFO queues know duplicates by, else the message id,
/// which is the same in every delivery of a message but not in a message that was sent twice.
#[must_use]
pub fn for_record(queue_name: &str, record: &Record) -> String {
    format!("{queue_name}#{}", record.deduplication_id.as_deref().unwrap_or(&record.message_id))
}
