//! The poller's contract with the worker: `{"queueUrl": "…", "messages": [<ReceiveMessage's Message>, …]}`.
//!
//! A message looks as [ReceiveMessage](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Message.html)
//! returns it, so that anything that receives from a queue can call the worker. The older form carries one
//! `"message": {…}`.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, Serialize};

use super::{
    attribute::{AttributeValue, MessageAttribute},
    error::EventError,
    json::{Field, fields},
    sqs::{
        Batch, Queue, Record,
        read::{System, dispatched},
    },
};

const DISPATCH: &str = "dispatch";
const MESSAGE: &str = "dispatched message";

/// What the poller sends. The messages are [`Message`]s, or their JSON where it is made already.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dispatch<'a, M = Message> {
    /// Where the messages were received, and where the worker deletes them.
    pub queue_url: &'a str,
    /// At least one.
    pub messages: &'a [M],
    /// When they were received: milliseconds since 1970, by the poller's clock before it asked for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received_at: Option<u64>,
    /// How long they are invisible from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility_seconds: Option<u64>,
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
    #[serde(default, deserialize_with = "or_null", skip_serializing_if = "HashMap::is_empty")]
    pub attributes: HashMap<String, String>,
    /// What the producer attached.
    #[serde(default, deserialize_with = "or_null", skip_serializing_if = "BTreeMap::is_empty")]
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

/// Go writes an empty map as null.
fn or_null<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a dispatch: an object that has a `queueUrl`.
pub(crate) fn batch(event: &str) -> Result<Batch, EventError> {
    const NAMES: [&str; 5] = ["queueUrl", "messages[]", "message", "receivedAt", "visibilitySeconds"];
    let [queue_url, messages, message, received_at, visibility] = fields(event, DISPATCH, NAMES)?;
    let queue = Queue::from_url(&queue_url.needed(DISPATCH)?)?;
    let messages = match (messages.list(DISPATCH)?, message.json()) {
        (Some(messages), None) => messages,
        (None, Some(message)) => vec![message],
        (None, None) | (Some(_), Some(_)) => {
            return Err(EventError::UnknownShape { expected: "either messages or message beside queueUrl" });
        }
    };
    let mut batch = dispatched(queue, &messages);
    let mut positive =
        |field: &Field<'_>| field.integer(&mut batch.ignored).and_then(|number| u64::try_from(number).ok());
    let received_at = positive(&received_at);
    batch.visibility = positive(&visibility).map(Duration::from_secs);
    batch.received_at = received_at.and_then(|ms| UNIX_EPOCH.checked_add(Duration::from_millis(ms)));
    Ok(batch)
}

impl TryFrom<Message> for Record {
    type Error = EventError;

    /// An attribute that cannot be read is left out.
    fn try_from(message: Message) -> Result<Self, EventError> {
        let required = |value: Option<String>, field: &'static str| {
            value.filter(|text| !text.is_empty()).ok_or(EventError::MissingField { of: MESSAGE, field })
        };
        let attributes = message.message_attributes.into_iter();
        let attributes = attributes.filter_map(|(name, value)| Some((name, value.read()?))).collect();
        Ok(System::of_map(message.attributes).record(
            required(message.message_id, "MessageId")?,
            required(message.receipt_handle, "ReceiptHandle")?,
            message.body.ok_or(EventError::MissingField { of: MESSAGE, field: "Body" })?,
            attributes,
        ))
    }
}

impl MessageAttributeValue {
    fn read(self) -> Option<MessageAttribute> {
        let value = match (self.string_value, self.binary_value) {
            (Some(text), _) => AttributeValue::Text(text),
            (None, Some(base64)) => AttributeValue::Binary(BASE64_STANDARD.decode(base64).ok()?),
            (None, None) => return None,
        };
        Some(MessageAttribute { data_type: self.data_type, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::EventSource;

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
        let dispatch = Dispatch {
            queue_url: "https://sqs.us-east-1.amazonaws.com/1/jobs",
            messages: &[message],
            received_at: Some(1),
            visibility_seconds: Some(300),
        };
        let batch = batch(&serde_json::to_string(&dispatch).unwrap()).unwrap();
        assert_eq!((batch.source, batch.queue.name()), (EventSource::Dispatch, "jobs"));
        let record = batch.records[0].as_ref().unwrap();
        assert_eq!(
            (batch.received_at, batch.visibility),
            (Some(UNIX_EPOCH + Duration::from_millis(1)), Some(Duration::from_mins(5)))
        );
        assert_eq!((record.receive_count, record.body.as_str()), (Some(3), "{}"));
        assert_eq!(record.attributes["Photo"].value, AttributeValue::Binary(vec![0, 1, 2]));
    }

    #[test]
    fn a_message_without_an_id_is_counted_and_its_neighbour_read() {
        let event = r#"{"queueUrl":"https://q/1/jobs","messages":[{"ReceiptHandle":"h","Body":"{}"},
            {"MessageId":"m-2","ReceiptHandle":"h","Body":"{}","Attributes":null,"MessageAttributes":null}]}"#;
        let batch = batch(event).unwrap();
        assert_eq!((batch.unnamed, batch.records.len()), (1, 1));
        assert_eq!(batch.records[0].as_ref().unwrap().message_id, "m-2");
    }

    #[test]
    fn no_messages_are_none_and_two_forms_at_once_are_refused() {
        let read = |members: &str| batch(&format!(r#"{{"queueUrl":"https://q/1/jobs"{members}}}"#));
        assert!(read(r#","messages":null"#).unwrap().records.is_empty());
        for members in ["", r#","messages":7"#, r#","messages":[],"message":{}"#, r#","messages":{}"#] {
            assert!(read(members).is_err(), "{members}");
        }
    }

    #[test]
    fn a_message_of_the_api_may_have_null_maps() {
        let json = r#"{"MessageId":"m","ReceiptHandle":"h","Body":"","Attributes":null,"MessageAttributes":null}"#;
        let message: Message = serde_json::from_str(json).unwrap();
        assert_eq!(Record::try_from(message).unwrap().message_id, "m");
    }
}
