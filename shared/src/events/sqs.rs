//! Records of a queue, whichever of the worker's two doors they come through.

use std::collections::{BTreeMap, HashMap};

use aws_lambda_events::sqs::SqsMessageAttribute;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    attribute::{AttributeValue, MessageAttribute, MessageAttributes},
    dispatch,
    error::{EventError, required},
    queue::Queue,
};

const EVENT: &str = "SQS event";
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
    struct Shape<'a> {
        #[serde(rename = "queueUrl", borrow)]
        queue_url: Option<&'a RawValue>,
        #[serde(rename = "Records", borrow)]
        records: Option<Vec<&'a RawValue>>,
    }
    let shape: Shape<'_> = serde_json::from_str(event).map_err(EventError::malformed(EVENT))?;
    if shape.queue_url.is_some() {
        return dispatch::batch(event).map(Some);
    }
    mapping_batch(&shape.records.ok_or_else(|| EventError::missing(EVENT, "Records"))?)
}

/// The elements are read one by one: a bad one must not fail its neighbours.
fn mapping_batch(records: &[&RawValue]) -> Result<Option<Batch>, EventError> {
    let Some(first) = records.first() else { return Ok(None) };
    let first = Identity::of(first)?;
    required(first.message_id, RECORD, "messageId")?;
    let queue = Queue::from_arn(&required(first.event_source_arn, RECORD, "eventSourceARN")?)?;
    let records = records.iter().map(|record| read(record)).collect::<Result<_, EventError>>()?;
    Ok(Some(Batch { door: Door::Mapping, queue, records }))
}

/// Who a record is matters only where it cannot be read: the others are scanned once.
fn read(record: &RawValue) -> Result<Result<Record, MalformedRecord>, EventError> {
    let problem = match Record::from_wire(record) {
        Ok(record) => return Ok(Ok(record)),
        Err(problem) => problem,
    };
    let Identity { message_id, receipt_handle, .. } = Identity::of(record)?;
    let message_id = required(message_id, RECORD, "messageId")?;
    Ok(Err(MalformedRecord { message_id, receipt_handle, problem }))
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

impl Identity {
    fn of(record: &RawValue) -> Result<Self, EventError> {
        serde_json::from_str(record.get()).map_err(EventError::malformed(RECORD))
    }
}

/// What a record is made of. The wire type of `aws_lambda_events` keeps more: ten strings and two maps a record, which
/// cost more than all the rest of the reading.
#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
#[serde(rename_all = "camelCase")]
struct Wire {
    message_id: Option<String>,
    receipt_handle: Option<String>,
    body: Option<String>,
    attributes: Option<SystemAttributes>,
    message_attributes: Option<BTreeMap<String, SqsMessageAttribute>>,
}

/// What SQS itself adds, the same on both doors.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SystemAttributes {
    approximate_receive_count: Option<String>,
    sent_timestamp: Option<String>,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
    #[serde(rename = "AWSTraceHeader")]
    aws_trace_header: Option<String>,
}

impl Record {
    /// Reads one element of `Records[]`.
    pub(crate) fn from_wire(record: &RawValue) -> Result<Self, EventError> {
        let wire: Wire = serde_json::from_str(record.get()).map_err(EventError::malformed(RECORD))?;
        let attributes = wire
            .message_attributes
            .unwrap_or_default()
            .into_iter()
            .map(|(name, attribute)| Ok((name, strict(attribute)?)))
            .collect::<Result<_, EventError>>()?;
        Ok(Self {
            message_id: required(wire.message_id, RECORD, "messageId")?,
            receipt_handle: required(wire.receipt_handle, RECORD, "receiptHandle")?,
            body: wire.body.ok_or_else(|| EventError::missing(RECORD, "body"))?,
            attributes,
            ..Self::from_system_attributes(wire.attributes.unwrap_or_default())
        })
    }

    /// The part that SQS itself adds; the rest is left empty.
    pub(crate) fn from_system_attributes(system: SystemAttributes) -> Self {
        let present = |value: Option<String>| value.filter(|value| !value.is_empty());
        let milliseconds = |text: String| text.parse().ok().and_then(DateTime::from_timestamp_millis);
        let receive_count = system.approximate_receive_count.and_then(|count| count.parse().ok());
        Self {
            message_id: String::new(),
            receipt_handle: String::new(),
            body: String::new(),
            attributes: MessageAttributes::new(),
            receive_count: receive_count.unwrap_or(1),
            sent_at: system.sent_timestamp.and_then(milliseconds),
            group_id: present(system.message_group_id),
            deduplication_id: present(system.message_deduplication_id),
            trace_header: present(system.aws_trace_header),
        }
    }
}

/// From the map that `ReceiveMessage` gives.
impl From<HashMap<String, String>> for SystemAttributes {
    fn from(mut attributes: HashMap<String, String>) -> Self {
        let mut take = |name: &str| attributes.remove(name);
        Self {
            approximate_receive_count: take("ApproximateReceiveCount"),
            sent_timestamp: take("SentTimestamp"),
            message_group_id: take("MessageGroupId"),
            message_deduplication_id: take("MessageDeduplicationId"),
            aws_trace_header: take("AWSTraceHeader"),
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
