//! A queue's event, through whichever door.

use super::{
    dispatch,
    error::EventError,
    json::{Field, Kind, elements, fields},
    sqs::{Batch, read::mapping},
};

const EVENT: &str = "SQS event";

/// Reads what a queue's function is invoked with; `None` for an event without records, which names no queue.
///
/// Three shapes: the event source mapping's `{"Records": […]}`, the bare list `[…]` that a pipe of EventBridge sends, and
/// the poller's `{"queueUrl": "…", "messages": […]}` (or `"message": {…}`), see [`dispatch`]. The elements are read one by
/// one. One that cannot be read but has an id is a [`MalformedRecord`](super::MalformedRecord); those without one are
/// counted in [`Batch::unnamed`].
pub fn batch(event: &str) -> Result<Option<Batch>, EventError> {
    if Kind::of(event) == Some(Kind::List) {
        return Ok(mapping(&elements(event, EVENT)?));
    }
    let [queue_url, messages, message, records] =
        fields(event, EVENT, ["queueUrl", "messages", "message", "Records[]"])?;
    if [queue_url, messages, message].iter().any(Field::is_there) {
        return dispatch::batch(event).map(Some);
    }
    let records = records.list(EVENT)?.ok_or(EventError::MissingField { of: EVENT, field: "Records" })?;
    Ok(mapping(&records))
}
