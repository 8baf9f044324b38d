//! A queue's event, whoever sent it.

use super::{
    dispatch,
    error::EventError,
    json::{Field, records},
    sqs::{
        Batch,
        read::{MAPPING, mapping},
    },
};

const EVENT: &str = "SQS event";

/// Reads what a queue's function is invoked with; `None` for an event without records, which names no queue.
///
/// Three shapes: the event source mapping's `{"Records": […]}`, the bare list `[…]` that a pipe of EventBridge sends, and
/// the poller's `{"queueUrl": "…", "messages": […]}` (or `"message": {…}`), see [`dispatch`]. The elements are read one by
/// one. One that cannot be read but has an id is a [`MalformedRecord`](super::MalformedRecord); those without one are
/// counted in [`Batch::unnamed`].
pub fn read_batch(event: &str) -> Result<Option<Batch>, EventError> {
    let names = ["queueUrl", "messages", "message", "Records[]"];
    let ([queue_url, messages, message, _], found) = records(event, (EVENT, names), (MAPPING.of, MAPPING.names))?;
    if [queue_url, messages, message].iter().any(Field::is_there) {
        return dispatch::batch(event).map(Some);
    }
    Ok(mapping(found.ok_or(EventError::MissingField { of: EVENT, field: "Records" })?))
}
