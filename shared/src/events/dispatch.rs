//! The poller's contract with the worker: `{"queueUrl": "…", "messages": [<ReceiveMessage's Message>, …]}`.
//!
//! A message looks as [ReceiveMessage](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Message.html)
//! returns it, so that anything that receives from a queue can call the worker. The older form carries one
//! `"message": {…}`.

use std::collections::{BTreeMap, HashMap};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    attribute::{AttributeValue, MessageAttribute},
    error::{EventError, required},
    queue::Queue,
    sqs::{Batch, Door, MalformedRecord, Record},
};

const MESSAGE: &str = "dispatched message";

/// What the poller sends. The messages are [`Message`]s, or their JSON where it is made already.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dispatch<'a, M = Message> {
    /// Where the messages were received, and where the worker deletes them.
    pub queue_url: &'a str,
    /// At least one.
    pub messages: &'a [M],
}

/// One received message, in the JSON of `ReceiveMessage`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Message {
    /// The message, stable over deliveries.
    pub message_id: Option<String>,
    /// This one receive of it.
    pub receipt_handle: Option<String>,
    /// The string as sent.
    pub body: Option<String>,
    /// What SQS adds: `ApproximateReceiveCount`, `SentTimestamp`, `MessageGroupId`, …
    #[serde(default, skip_serializing_if = "HashMap::is_empty")]
    pub attributes: HashMap<String, String>,
    /// What the producer attached.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub message_attributes: BTreeMap<String, MessageAttributeValue>,
}

/// A message attribute in the API's JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessageAttributeValue {
    /// `String`, `Number` or `Binary`, perhaps with a label of the producer's own.
    pub data_type: String,
    /// The value of a `String` or `Number`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    /// The value of a `Binary`, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary_value: Option<String>,
}

pub(crate) fn batch(event: &str) -> Result<Batch, EventError> {
    #[derive(Deserialize)]
    #[serde(expecting = "a JSON object")]
    #[serde(rename_all = "camelCase")]
    struct Event<'a> {
        queue_url: String,
        #[serde(borrow)]
        messages: Option<Vec<&'a RawValue>>,
        #[serde(borrow)]
        message: Option<&'a RawValue>,
    }
    let event: Event<'_> = serde_json::from_str(event).map_err(EventError::malformed("dispatch"))?;
    let queue = Queue::from_url(&event.queue_url)?;
    let raw_messages = match (event.messages, event.message) {
        (Some(messages), None) => messages,
        (None, Some(message)) => vec![message],
        (None, None) | (Some(_), Some(_)) => {
            return Err(EventError::UnknownShape { expected: "either messages or message beside queueUrl" });
        }
    };
    let records = raw_messages.into_iter().map(read).collect::<Result<Vec<_>, EventError>>()?;
    Ok(Batch { door: Door::Dispatch, queue, records })
}

/// Who a message is matters only where it cannot be read: the others are scanned once.
fn read(raw: &RawValue) -> Result<Result<Record, MalformedRecord>, EventError> {
    #[derive(Deserialize)]
    #[serde(expecting = "a JSON object")]
    #[serde(rename_all = "PascalCase")]
    struct Identity {
        message_id: Option<String>,
        receipt_handle: Option<String>,
    }
    let message = serde_json::from_str::<Message>(raw.get()).map_err(EventError::malformed(MESSAGE));
    let problem = match message.and_then(Record::try_from) {
        Ok(record) => return Ok(Ok(record)),
        Err(problem) => problem,
    };
    let Identity { message_id, receipt_handle } =
        serde_json::from_str(raw.get()).map_err(EventError::malformed(MESSAGE))?;
    let message_id = required(message_id, MESSAGE, "MessageId")?;
    Ok(Err(MalformedRecord { message_id, receipt_handle, problem }))
}

impl TryFrom<Message> for Record {
    type Error = EventError;

    fn try_from(message: Message) -> Result<Self, EventError> {
        let attributes = message
            .message_attributes
            .into_iter()
            .map(|(name, value)| Ok((name, value.try_into()?)))
            .collect::<Result<_, EventError>>()?;
        Ok(Self {
            message_id: required(message.message_id, MESSAGE, "MessageId")?,
            receipt_handle: required(message.receipt_handle, MESSAGE, "ReceiptHandle")?,
            body: message.body.ok_or_else(|| EventError::missing(MESSAGE, "Body"))?,
            attributes,
            ..Self::from_system_attributes(message.attributes.into())
        })
    }
}

impl TryFrom<MessageAttributeValue> for MessageAttribute {
    type Error = EventError;

    fn try_from(wire: MessageAttributeValue) -> Result<Self, EventError> {
        const ATTRIBUTE: &str = "message attribute";
        let value = match (wire.string_value, wire.binary_value) {
            (Some(text), _) => AttributeValue::Text(text),
            (None, Some(base64)) => AttributeValue::Binary(
                BASE64_STANDARD
                    .decode(base64)
                    .map_err(|_| EventError::UnknownShape { expected: "base64 in BinaryValue" })?,
            ),
            (None, None) => return Err(EventError::missing(ATTRIBUTE, "StringValue or BinaryValue")),
        };
        Ok(Self { data_type: wire.data_type, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_poller_writes_the_worker_reads() {
        let message = Message {
            message_id: Some("m-1".to_owned()),
            receipt_handle: Some("handle".to_owned()),
            body: Some("{}".to_owned()),
            attributes: HashMap::from([("ApproximateReceiveCount".to_owned(), "3".to_owned())]),
            message_attributes: BTreeMap::from([(
                "Photo".to_owned(),
                MessageAttributeValue {
                    data_type: "Binary.png".to_owned(),
                    binary_value: Some("AAEC".to_owned()),
                    string_value: None,
                },
            )]),
        };
        let dispatch = Dispatch { queue_url: "https://sqs.us-east-1.amazonaws.com/1/jobs", messages: &[message] };
        let batch = batch(&serde_json::to_string(&dispatch).unwrap()).unwrap();
        assert_eq!((batch.door, batch.queue.name()), (Door::Dispatch, "jobs"));
        let record = batch.records[0].as_ref().unwrap();
        assert_eq!((record.receive_count, record.body.as_str()), (3, "{}"));
        assert_eq!(record.attributes["Photo"].value, AttributeValue::Binary(vec![0, 1, 2]));
    }

    #[test]
    fn a_message_without_an_id_fails_the_event_because_it_could_not_be_named() {
        let error =
            batch(r#"{"queueUrl":"https://q/1/jobs","messages":[{"ReceiptHandle":"h","Body":"{}"}]}"#).unwrap_err();
        assert_eq!(error.to_string(), "dispatched message has no MessageId");
    }
}
