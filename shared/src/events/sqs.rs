//! Records of a queue, whichever of the worker's two doors they come through.

use std::collections::HashMap;

use aws_lambda_events::sqs::{SqsMessage, SqsMessageAttribute};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    attribute::{AttributeValue, MessageAttribute, MessageAttributes},
    dispatch,
    error::{EventError, required},
    queue::Queue,
    record::raw_records,
};

const RECORD: &str = "SQS record";

/// One delivery of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The message, stable over deliveries.
    pub message_id: String,
    /// This one receive of it: good for deleting it or changing its visibility, never a key.
    pub receipt_handle: String,
    /// The string as sent, at most 1 MiB.
    pub body: String,
    /// What the producer attached, at most ten.
    pub attributes: MessageAttributes,
    /// Deliveries so far, this one included; 1 where the sender of the event left it out.
    pub receive_count: u32,
    /// When SQS took the message.
    pub sent_at: Option<DateTime<Utc>>,
    /// FIFO's unit of order; on a standard queue only a hint for fairness.
    pub group_id: Option<String>,
    /// What FIFO queues drop duplicates by, for five minutes.
    pub deduplication_id: Option<String>,
    /// The X-Ray trace the producer was in.
    pub trace_header: Option<String>,
}

/// A record that cannot be read. It is named for redelivery, so that it ends in the dead-letter queue and not nowhere.
#[derive(Debug)]
pub struct MalformedRecord {
    /// Names the record in the answer.
    pub message_id: String,
    /// `None` when it is the part that is missing.
    pub receipt_handle: Option<String>,
    /// What is wrong with it.
    pub problem: EventError,
}

/// The door a batch came through, which decides who deletes what is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Lambda's own poller. It deletes what the answer does not name.
    Mapping,
    /// The scheduled poller. The function deletes.
    Dispatch,
}

impl Door {
    /// As logs name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mapping => "mapping",
            Self::Dispatch => "dispatch",
        }
    }
}

/// What one invocation brings: records of one queue.
#[derive(Debug)]
pub struct Batch {
    /// How it came.
    pub door: Door,
    /// Where it came from.
    pub queue: Queue,
    /// In the order of the event.
    pub records: Vec<Result<Record, MalformedRecord>>,
}

/// Reads what a queue's function is invoked with; `None` for an event without records, which names no queue.
///
/// Two shapes: the event source mapping's `{"Records": […]}`
/// ([Using Lambda with Amazon SQS](https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html)), and the poller's
/// `{"queueUrl": "…", "messages": […]}` (or `"message": {…}`), see [`dispatch`]. A record without a message id fails the
/// event: it could not be named in the answer, and what is not named is deleted.
pub fn batch(event: &str) -> Result<Option<Batch>, EventError> {
    #[derive(Deserialize)]
    #[serde(expecting = "a JSON object")]
    #[serde(rename_all = "camelCase")]
    struct Shape<'a> {
        #[serde(borrow)]
        queue_url: Option<&'a RawValue>,
    }
    let shape: Shape<'_> = serde_json::from_str(event).map_err(EventError::malformed("SQS event"))?;
    if shape.queue_url.is_some() { dispatch::batch(event).map(Some) } else { mapping_batch(event) }
}

fn mapping_batch(event: &str) -> Result<Option<Batch>, EventError> {
    let mut queue = None;
    let mut records = Vec::new();
    for raw in raw_records(event, "SQS event")? {
        let identity: Identity = serde_json::from_str(raw.get()).map_err(EventError::malformed(RECORD))?;
        let message_id = required(identity.message_id, RECORD, "messageId")?;
        if queue.is_none() {
            queue = Some(Queue::from_arn(&required(identity.event_source_arn, RECORD, "eventSourceARN")?)?);
        }
        records.push(Record::from_wire(raw).map_err(|problem| MalformedRecord {
            message_id,
            receipt_handle: identity.receipt_handle,
            problem,
        }));
    }
    Ok(queue.map(|queue| Batch { door: Door::Mapping, queue, records }))
}

/// What must be right for a bad record to fail alone.
#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
#[serde(rename_all = "camelCase")]
struct Identity {
    message_id: Option<String>,
    receipt_handle: Option<String>,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: Option<String>,
}

impl Record {
    /// Reads one element of `Records[]`.
    pub(crate) fn from_wire(record: &RawValue) -> Result<Self, EventError> {
        let wire: SqsMessage = serde_json::from_str(record.get()).map_err(EventError::malformed(RECORD))?;
        let attributes = wire
            .message_attributes
            .into_iter()
            .map(|(name, attribute)| Ok((name, strict(attribute)?)))
            .collect::<Result<_, EventError>>()?;
        Ok(Self {
            message_id: required(wire.message_id, RECORD, "messageId")?,
            receipt_handle: required(wire.receipt_handle, RECORD, "receiptHandle")?,
            body: wire.body.ok_or_else(|| EventError::missing(RECORD, "body"))?,
            attributes,
            ..Self::from_system_attributes(wire.attributes)
        })
    }

    /// The part that SQS itself adds, the same on both doors; the rest is left empty.
    pub(crate) fn from_system_attributes(mut system: HashMap<String, String>) -> Self {
        let mut take = |name: &str| system.remove(name).filter(|value| !value.is_empty());
        let milliseconds = |text: String| text.parse().ok().and_then(DateTime::from_timestamp_millis);
        Self {
            message_id: String::new(),
            receipt_handle: String::new(),
            body: String::new(),
            attributes: MessageAttributes::new(),
            receive_count: take("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1),
            sent_at: take("SentTimestamp").and_then(milliseconds),
            group_id: take("MessageGroupId"),
            deduplication_id: take("MessageDeduplicationId"),
            trace_header: take("AWSTraceHeader"),
        }
    }
}

fn strict(wire: SqsMessageAttribute) -> Result<MessageAttribute, EventError> {
    const ATTRIBUTE: &str = "message attribute";
    let value = match (wire.string_value, wire.binary_value) {
        (Some(text), _) => AttributeValue::Text(text),
        (None, Some(bytes)) => AttributeValue::Binary(bytes.0),
        (None, None) => return Err(EventError::missing(ATTRIBUTE, "stringValue or binaryValue")),
    };
    Ok(MessageAttribute { data_type: required(wire.data_type, ATTRIBUTE, "dataType")?, value })
}
