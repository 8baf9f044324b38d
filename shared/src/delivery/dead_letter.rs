//! From a rejected record to a message in the dead-letter queue.

use super::{port::DeadLetter, record_error::RecordError};
use crate::events::{AttributeValue, MessageAttribute, MessageAttributes, Queue, Record};

/// Why the message is here.
pub const REASON: &str = "sluicegate.reason";
/// The queue it came from, by name.
pub const SOURCE: &str = "sluicegate.source";
/// Deliveries it had.
pub const RECEIVES: &str = "sluicegate.receives";

/// SQS takes ten attributes a message.
const MAX_ATTRIBUTES: usize = 10;
/// SQS takes 1 MiB a message, attributes included.
const MAX_MESSAGE_BYTES: usize = 1_048_576;
const MAX_REASON_BYTES: usize = 512;

/// The letter for a rejected record: body, attributes and group as they were, and the reason where it fits.
pub(crate) fn letter<'r>(record: &'r Record, queue: &Queue, error: &RecordError) -> DeadLetter<'r> {
    let mut attributes = record.attributes.clone();
    for (name, value) in [
        (REASON, MessageAttribute::text(reason(error))),
        (SOURCE, MessageAttribute::text(queue.name())),
        (
            RECEIVES,
            MessageAttribute {
                data_type: "Number".to_owned(),
                value: AttributeValue::Text(record.receive_count.to_string()),
            },
        ),
    ] {
        attributes.insert(name.to_owned(), value);
    }
    if attributes.len() > MAX_ATTRIBUTES || record.body.len() + attribute_bytes(&attributes) > MAX_MESSAGE_BYTES {
        tracing::warn!(
            record.message_id = %record.message_id,
            reason = %error,
            "no room for the reason in the dead letter"
        );
        attributes.clone_from(&record.attributes);
    }
    DeadLetter {
        message_id: &record.message_id,
        body: &record.body,
        attributes,
        group_id: record.group_id.as_deref(),
        trace_header: record.trace_header.as_deref(),
    }
}

/// What a letter counts against SQS's limits.
pub(crate) fn bytes(letter: &DeadLetter<'_>) -> usize {
    letter.body.len() + attribute_bytes(&letter.attributes)
}

fn attribute_bytes(attributes: &MessageAttributes) -> usize {
    let of_one = |(name, attribute): (&String, &MessageAttribute)| {
        let value = match &attribute.value {
            AttributeValue::Text(text) => text.len(),
            AttributeValue::Binary(bytes) => bytes.len(),
        };
        name.len() + attribute.data_type.len() + value
    };
    attributes.iter().map(of_one).sum()
}

/// The error as an attribute's value: SQS takes no control characters and no empty text.
fn reason(error: &RecordError) -> String {
    let mut text: String =
        error.to_string().chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    text.truncate(text.floor_char_boundary(MAX_REASON_BYTES));
    if text.is_empty() { "unknown".to_owned() } else { text }
}
