//! From a rejected record to a message in the dead-letter queue.

use super::port::DeadLetter;
use crate::{
    events::{AttributeValue, MessageAttribute, MessageAttributes, Queue, Record},
    record_error::RecordError,
};

/// Why the message is here.
pub const REASON: &str = "sluicegate.reason";
/// The queue it came from, by ARN.
pub const SOURCE: &str = "sluicegate.source";
/// Deliveries it had.
pub const RECEIVES: &str = "sluicegate.receives";

/// The notes of a dead letter, the most wanted first: it cannot go home without its source.
pub(crate) const NOTES: [&str; 3] = [SOURCE, REASON, RECEIVES];

/// SQS takes ten attributes a message.
const MAX_ATTRIBUTES: usize = 10;
/// SQS takes 1 MiB a message, attributes included.
const MAX_MESSAGE_BYTES: usize = 1_048_576;
const MAX_REASON_BYTES: usize = 512;

/// The dead letter for a record: body, attributes and group as they were, and of the notes as many as fit beside them.
#[must_use]
pub fn dead_letter<'r>(record: &'r Record, queue: &Queue, region: Option<&str>, error: &RecordError) -> DeadLetter<'r> {
    let mut attributes = record.attributes.clone();
    for note in NOTES {
        attributes.remove(note);
    }
    let room = MAX_ATTRIBUTES.saturating_sub(attributes.len());
    let mut bytes_left = MAX_MESSAGE_BYTES.saturating_sub(record.body.len() + attribute_bytes(&attributes));
    for note in NOTES.into_iter().take(room) {
        let value = match note {
            SOURCE => MessageAttribute::text(source(queue, region)),
            REASON => MessageAttribute::text(reason(error)),
            _ => match record.receive_count {
                Some(count) => number(count),
                None => continue,
            },
        };
        let bytes = bytes_of(note, &value);
        if bytes <= bytes_left {
            bytes_left -= bytes;
            attributes.insert(note.to_owned(), value);
        }
    }
    DeadLetter {
        message_id: &record.message_id,
        body: &record.body,
        attributes,
        group_id: record.group_id.as_deref(),
        trace_header: record.trace_header.as_deref(),
    }
}

/// The same dead letter as the producer made it; `None` where it has none of the notes.
pub(crate) fn without_notes<'r>(dead_letter: &DeadLetter<'r>, notes: &[&str]) -> Option<DeadLetter<'r>> {
    let mut bare = dead_letter.clone();
    let had_notes = notes.iter().filter(|note| bare.attributes.remove(**note).is_some()).count() > 0;
    had_notes.then_some(bare)
}

/// What a dead letter counts against SQS's limits.
pub(crate) fn bytes(dead_letter: &DeadLetter<'_>) -> usize {
    dead_letter.body.len() + attribute_bytes(&dead_letter.attributes)
}

fn attribute_bytes(attributes: &MessageAttributes) -> usize {
    attributes.iter().map(|(name, attribute)| bytes_of(name, attribute)).sum()
}

fn bytes_of(name: &str, attribute: &MessageAttribute) -> usize {
    let value = match &attribute.value {
        AttributeValue::Text(text) => text.len(),
        AttributeValue::Binary(bytes) => bytes.len(),
    };
    name.len() + attribute.data_type.len() + value
}

fn number(value: u32) -> MessageAttribute {
    MessageAttribute { data_type: "Number".to_owned(), value: AttributeValue::Text(value.to_string()) }
}

/// The queue's ARN. A queue that is known only by the URL of another host than AWS's is in the function's own region.
fn source(queue: &Queue, region: Option<&str>) -> String {
    let arn_here = || {
        let mut path = queue.url().rsplit('/');
        let (name, account) = (path.next()?, path.next()?);
        Some(format!("arn:aws:sqs:{}:{account}:{name}", region?))
    };
    queue.arn().map(ToOwned::to_owned).or_else(arn_here).unwrap_or_else(|| queue.url().to_owned())
}

/// The error as an attribute's value: cut, never empty, and of the characters that SQS takes.
/// See [SendMessage](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html).
fn reason(error: &RecordError) -> String {
    let taken = |character: char| match character {
        character if character.is_control() => ' ',
        '\u{fffe}' | '\u{ffff}' => char::REPLACEMENT_CHARACTER,
        character => character,
    };
    let mut text: String = error.to_string().chars().map(taken).collect();
    text.truncate(text.floor_char_boundary(MAX_REASON_BYTES));
    if text.trim().is_empty() { "unknown".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(body: String, attributes: usize) -> Record {
        Record {
            message_id: "m-1".to_owned(),
            receipt_handle: "h".to_owned(),
            body,
            attributes: (0..attributes).map(|n| (format!("a{n}"), MessageAttribute::text("x"))).collect(),
            receive_count: Some(3),
            sent_at: None,
            group_id: None,
            deduplication_id: None,
            trace_header: None,
        }
    }

    fn queue() -> Queue {
        Queue::from_url("https://sqs.us-east-1.amazonaws.com/123456789012/jobs").unwrap()
    }

    fn notes_of(record: &Record, error: &RecordError) -> Vec<(&'static str, String)> {
        let dead_letter = dead_letter(record, &queue(), None, error);
        assert!(bytes(&dead_letter) <= MAX_MESSAGE_BYTES && dead_letter.attributes.len() <= MAX_ATTRIBUTES);
        let text = |note: &'static str| Some((note, dead_letter.attributes.get(note)?.as_text()?.to_owned()));
        NOTES.into_iter().filter_map(text).collect()
    }

    #[test]
    fn as_many_notes_as_fit_beside_the_producer_s_attributes_the_source_first() {
        let error = RecordError::reject("never\nagain");
        let source = (SOURCE, "arn:aws:sqs:us-east-1:123456789012:jobs".to_owned());
        let reason = (REASON, "never again".to_owned());
        let receives = (RECEIVES, "3".to_owned());
        let all = [source, reason, receives];
        for (attributes, notes) in [(0, 3), (7, 3), (8, 2), (9, 1), (10, 0)] {
            assert_eq!(notes_of(&record("{}".to_owned(), attributes), &error), all[..notes], "{attributes}");
        }
    }

    #[test]
    fn a_letter_is_never_larger_than_sqs_takes() {
        let error = RecordError::reject("too large");
        let full = record("x".repeat(MAX_MESSAGE_BYTES - 80), 0);
        assert_eq!(notes_of(&full, &error).iter().map(|(note, _)| *note).collect::<Vec<_>>(), [SOURCE]);
        assert_eq!(notes_of(&record("x".repeat(MAX_MESSAGE_BYTES), 0), &error), []);
    }

    #[test]
    fn notes_of_an_earlier_dead_letter_are_replaced() {
        let mut earlier = record("{}".to_owned(), 7);
        earlier.attributes.insert(SOURCE.to_owned(), MessageAttribute::text("arn:aws:sqs:us-east-1:1:another"));
        let notes = notes_of(&earlier, &RecordError::reject("no"));
        assert_eq!(notes[0].1, "arn:aws:sqs:us-east-1:123456789012:jobs");
    }

    #[test]
    fn a_reason_has_only_characters_that_sqs_takes_and_an_end() {
        let reason = |text: &str| reason(&RecordError::reject(text.to_owned()));
        assert_eq!(reason("a\u{0}b\u{ffff}c\u{fffe}"), "a b\u{fffd}c\u{fffd}");
        assert_eq!(reason(" "), "unknown");
        assert!(reason(&"é".repeat(1_000)).len() <= MAX_REASON_BYTES);
    }

    #[test]
    fn a_queue_of_another_host_than_aws_s_is_in_the_function_s_region() {
        let local = Queue::from_url("http://127.0.0.1:4566/000000000000/jobs").unwrap();
        assert_eq!(source(&local, Some("eu-west-1")), "arn:aws:sqs:eu-west-1:000000000000:jobs");
        assert_eq!(source(&local, None), "http://127.0.0.1:4566/000000000000/jobs");
    }
}
