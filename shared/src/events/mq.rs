//! Messages of an Amazon MQ broker, ActiveMQ or RabbitMQ.

use std::{borrow::Cow, collections::BTreeMap};

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::error::{EventError, required};
use crate::preview::hex;

const EVENT: &str = "Amazon MQ event";
const MESSAGE: &str = "broker message";

/// One message of one queue, whichever broker held it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerMessage {
    /// The queue it was read from.
    pub queue: String,
    /// RabbitMQ's virtual host, `/` unless the mapping says otherwise; `None` from ActiveMQ.
    pub virtual_host: Option<String>,
    /// ActiveMQ always sets one, RabbitMQ only where the producer did.
    pub message_id: Option<String>,
    /// What it answers or belongs to, where the producer says so.
    pub correlation_id: Option<String>,
    /// The bytes as sent, which need not be text. May be none.
    pub body: Vec<u8>,
    /// Whether the producer sent text or bytes.
    pub kind: MessageKind,
    /// As the producer declared it; `None` from ActiveMQ.
    pub content_type: Option<String>,
    /// 0 to 9 from ActiveMQ, 0 to 255 from RabbitMQ, where null is common.
    pub priority: Option<u8>,
    /// Whether the broker has delivered it before: the invocation then failed, or ran out of time.
    pub is_redelivered: bool,
    /// When it was sent. `None` where the producer did not say; RabbitMQ itself never does.
    pub sent_at: Option<DateTime<Utc>>,
    /// ActiveMQ's properties, RabbitMQ's headers: text as it is, other values as JSON, bytes that are no text as hex.
    pub properties: BTreeMap<String, String>,
}

/// What a message was sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// A JMS `TextMessage`.
    Text,
    /// A JMS `BytesMessage`, and everything from RabbitMQ: AMQP knows bytes only.
    Bytes,
}

impl MessageKind {
    /// As logs name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Bytes => "bytes",
        }
    }
}

/// A message that cannot be read. There is no answer it could be named in.
#[derive(Debug)]
pub struct MalformedMessage {
    /// Where it was read from, if that can be told.
    pub queue: Option<String>,
    /// Its id, if that can be told.
    pub message_id: Option<String>,
    /// What is wrong with it.
    pub problem: EventError,
}

/// What one invocation brings: messages of one broker.
#[derive(Debug)]
pub struct BrokerEvent {
    /// The broker; `None` only where somebody wrote the event by hand.
    pub broker_arn: Option<String>,
    /// Queue by queue, each in the broker's order.
    pub messages: Vec<Result<BrokerMessage, MalformedMessage>>,
}

/// Reads what an Amazon MQ mapping invokes a function with: each message by itself, so that a bad one leaves the rest
/// alone.
///
/// ActiveMQ's messages are a list, RabbitMQ's are lists by `<queue>::<virtual host>`; the shape tells them apart, as
/// `eventSource` is `aws:mq`, `aws:amq` or absent in AWS's own examples.
/// See [Using Lambda with Amazon MQ](https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html).
///
/// The wire types of `aws_lambda_events` refuse the whole event for one message whose priority is null, as nearly all of
/// RabbitMQ's are.
pub fn broker_messages(event: &str) -> Result<BrokerEvent, EventError> {
    let wire: Wire<'_> = serde_json::from_str(event).map_err(EventError::malformed(EVENT))?;
    let messages = match (wire.messages, wire.messages_by_queue) {
        (Some(messages), _) => messages.into_iter().map(active_mq).collect(),
        (None, Some(queues)) => queues
            .into_iter()
            .flat_map(|(queue, messages)| messages.into_iter().map(move |message| rabbit_mq(&queue, message)))
            .collect(),
        (None, None) => {
            return Err(EventError::UnknownShape {
                expected: "`messages` (ActiveMQ) or `rmqMessagesByQueue` (RabbitMQ)",
            });
        }
    };
    Ok(BrokerEvent { broker_arn: wire.event_source_arn, messages })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a JSON object")]
struct Wire<'a> {
    event_source_arn: Option<String>,
    #[serde(borrow)]
    messages: Option<Vec<&'a RawValue>>,
    #[serde(rename = "rmqMessagesByQueue", borrow)]
    messages_by_queue: Option<BTreeMap<String, Vec<&'a RawValue>>>,
}

fn active_mq(message: &RawValue) -> Result<BrokerMessage, MalformedMessage> {
    BrokerMessage::from_active_mq(message).map_err(|problem| {
        // Whatever of its names can still be told.
        let names: Option<Value> = serde_json::from_str(message.get()).ok();
        let name = |pointer| Some(names.as_ref()?.pointer(pointer)?.as_str()?.to_owned());
        MalformedMessage { queue: name("/destination/physicalName"), message_id: name("/messageID"), problem }
    })
}

fn rabbit_mq(queue: &str, message: &RawValue) -> Result<BrokerMessage, MalformedMessage> {
    let (name, virtual_host) = queue.rsplit_once("::").unzip();
    let name = name.unwrap_or(queue);
    BrokerMessage::from_rabbit_mq(name, virtual_host, message).map_err(|problem| {
        let names: Option<Value> = serde_json::from_str(message.get()).ok();
        let message_id = names.and_then(|names| Some(names["basicProperties"]["messageId"].as_str()?.to_owned()));
        MalformedMessage { queue: Some(name.to_owned()), message_id, problem }
    })
}

impl BrokerMessage {
    /// Reads one element of `messages[]`.
    fn from_active_mq(message: &RawValue) -> Result<Self, EventError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", expecting = "a JSON object")]
        struct Jms<'a> {
            #[serde(rename = "messageID")]
            message_id: Option<String>,
            // The documentation writes it both ways.
            #[serde(rename = "correlationID", alias = "correlationId")]
            correlation_id: Option<String>,
            message_type: Option<String>,
            timestamp: Option<i64>,
            destination: Option<Destination>,
            redelivered: Option<bool>,
            priority: Option<u8>,
            #[serde(borrow)]
            data: Option<Text<'a>>,
            properties: Option<BTreeMap<String, Value>>,
        }
        #[derive(Deserialize)]
        struct Destination {
            #[serde(rename = "physicalName", alias = "physicalname")]
            physical_name: Option<String>,
        }
        let wire: Jms<'_> = serde_json::from_str(message.get()).map_err(EventError::malformed(MESSAGE))?;
        let queue = wire.destination.and_then(|destination| destination.physical_name);
        let is_text = wire.message_type.is_some_and(|kind| kind == "jms/text-message");
        Ok(Self {
            queue: required(queue, MESSAGE, "destination.physicalName")?,
            virtual_host: None,
            message_id: Some(required(wire.message_id, MESSAGE, "messageID")?),
            correlation_id: said(wire.correlation_id),
            body: decoded(wire.data)?,
            kind: if is_text { MessageKind::Text } else { MessageKind::Bytes },
            content_type: None,
            priority: wire.priority,
            is_redelivered: wire.redelivered.unwrap_or(false),
            sent_at: wire.timestamp.filter(|ms| *ms > 0).and_then(DateTime::from_timestamp_millis),
            properties: texts(wire.properties),
        })
    }

    /// Reads one element of `rmqMessagesByQueue["<queue>::<virtual host>"]`.
    fn from_rabbit_mq(queue: &str, virtual_host: Option<&str>, message: &RawValue) -> Result<Self, EventError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", expecting = "a JSON object")]
        struct Amqp<'a> {
            basic_properties: Option<BasicProperties>,
            redelivered: Option<bool>,
            #[serde(borrow)]
            data: Option<Text<'a>>,
        }
        #[derive(Deserialize, Default)]
        #[serde(rename_all = "camelCase", expecting = "a JSON object")]
        struct BasicProperties {
            content_type: Option<String>,
            headers: Option<BTreeMap<String, Value>>,
            priority: Option<u8>,
            correlation_id: Option<String>,
            message_id: Option<String>,
            timestamp: Option<String>,
        }
        let wire: Amqp<'_> = serde_json::from_str(message.get()).map_err(EventError::malformed(MESSAGE))?;
        let properties = wire.basic_properties.unwrap_or_default();
        Ok(Self {
            queue: queue.to_owned(),
            virtual_host: virtual_host.map(ToOwned::to_owned),
            message_id: said(properties.message_id),
            correlation_id: said(properties.correlation_id),
            body: decoded(wire.data)?,
            kind: MessageKind::Bytes,
            content_type: said(properties.content_type),
            priority: properties.priority,
            is_redelivered: wire.redelivered.unwrap_or(false),
            sent_at: properties.timestamp.as_deref().and_then(time),
            properties: texts(properties.headers),
        })
    }
}

/// Text that is copied only where JSON escapes it.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

fn decoded(data: Option<Text<'_>>) -> Result<Vec<u8>, EventError> {
    let data = data.ok_or_else(|| EventError::missing(MESSAGE, "data"))?;
    let body = BASE64_STANDARD.decode(data.0.as_ref());
    body.map_err(|problem| EventError::NotBase64 { of: MESSAGE, field: "data", problem })
}

/// ActiveMQ says nothing with an empty text, RabbitMQ with null.
fn said(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// `Jan 1, 1970, 12:33:41 AM`: Java's words for a time, to the second. The zone is not said; Lambda's is UTC.
fn time(text: &str) -> Option<DateTime<Utc>> {
    NaiveDateTime::parse_from_str(text, "%b %d, %Y, %I:%M:%S %p").ok().map(|time| time.and_utc())
}

fn texts(values: Option<BTreeMap<String, Value>>) -> BTreeMap<String, String> {
    values.unwrap_or_default().into_iter().map(|(name, value)| (name, text(value))).collect()
}

/// A property's value as text. RabbitMQ's texts come as `{"bytes": [118, 97, …]}`.
fn text(value: Value) -> String {
    if let Some(bytes) = value.get("bytes").and_then(bytes) {
        return String::from_utf8(bytes).unwrap_or_else(|error| hex(error.as_bytes()));
    }
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Java's bytes go from -128 to 127, everybody else's from 0 to 255.
fn bytes(list: &Value) -> Option<Vec<u8>> {
    let byte = |number: &Value| {
        let number = number.as_i64()?;
        u8::try_from(number).or_else(|_| i8::try_from(number).map(i8::cast_unsigned)).ok()
    };
    list.as_array()?.iter().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn only(event: &Value) -> Result<BrokerMessage, MalformedMessage> {
        let mut messages = broker_messages(&event.to_string()).unwrap().messages;
        assert_eq!(messages.len(), 1);
        messages.remove(0)
    }

    fn active(message: &Value) -> Value {
        json!({"eventSource": "aws:mq", "messages": [message]})
    }

    fn rabbit(queue: &str, message: &Value) -> Value {
        json!({"eventSource": "aws:rmq", "rmqMessagesByQueue": {queue: [message]}})
    }

    #[test]
    fn a_message_of_activemq_needs_a_name_a_queue_and_data() {
        let whole = json!({"messageID": "ID:1", "destination": {"physicalName": "jobs"}, "data": "aGk="});
        let message = only(&active(&whole)).unwrap();
        assert_eq!((message.queue.as_str(), message.body.as_slice()), ("jobs", &b"hi"[..]));
        assert_eq!((message.priority, message.is_redelivered, message.sent_at), (None, false, None));
        for (absent, problem) in [
            ("messageID", "broker message has no messageID"),
            ("destination", "broker message has no destination.physicalName"),
            ("data", "broker message has no data"),
        ] {
            let mut message = whole.clone();
            message.as_object_mut().unwrap().remove(absent);
            assert_eq!(only(&active(&message)).unwrap_err().problem.to_string(), problem);
        }
    }

    #[test]
    fn a_message_of_rabbitmq_needs_data_only() {
        let message = only(&rabbit("jobs::/", &json!({"data": "", "basicProperties": null}))).unwrap();
        assert_eq!((message.queue.as_str(), message.virtual_host.as_deref()), ("jobs", Some("/")));
        assert_eq!((message.message_id, message.priority, message.body.len()), (None, None, 0));
    }

    #[test]
    fn a_queues_name_may_have_colons_of_its_own() {
        let queue = |key: &str| {
            let message = only(&rabbit(key, &json!({"data": ""}))).unwrap();
            (message.queue, message.virtual_host)
        };
        assert_eq!(queue("a::b::/"), ("a::b".to_owned(), Some("/".to_owned())));
        assert_eq!(queue("a"), ("a".to_owned(), None));
    }

    #[test]
    fn a_bad_message_fails_alone_and_keeps_the_names_it_has() {
        let good = json!({"messageID": "ID:2", "destination": {"physicalName": "jobs"}, "data": ""});
        let bad = json!({"messageID": "ID:1", "destination": {"physicalName": "jobs"}, "data": "!", "priority": 4});
        let event = json!({"messages": [bad, 7, good]}).to_string();
        let messages = broker_messages(&event).unwrap().messages;
        let [Err(named), Err(unnamed), Ok(_)] = &messages[..] else { panic!("{messages:?}") };
        assert_eq!((named.queue.as_deref(), named.message_id.as_deref()), (Some("jobs"), Some("ID:1")));
        assert!(named.problem.to_string().starts_with("data of the broker message is not base64"), "{}", named.problem);
        assert_eq!((&unnamed.queue, &unnamed.message_id), (&None, &None));
        let bad = json!({"basicProperties": {"messageId": "m", "priority": 256}, "data": ""});
        let malformed = only(&rabbit("jobs::/", &bad)).unwrap_err();
        assert_eq!((malformed.queue.as_deref(), malformed.message_id.as_deref()), (Some("jobs"), Some("m")));
    }

    #[test]
    fn headers_are_text_whatever_java_makes_of_them() {
        for (value, expected) in [
            (json!({"bytes": [118, 97, 108]}), "val"),
            (json!({"bytes": [-19, -107, -100]}), "한"),
            (json!({"bytes": [237, 149, 156]}), "한"),
            (json!({"bytes": [255, 254]}), "fffe"),
            (json!({"bytes": [1000]}), r#"{"bytes":[1000]}"#),
            (json!(10), "10"),
            (json!("as it is"), "as it is"),
            (json!(null), "null"),
            (json!([{"count": 2}]), r#"[{"count":2}]"#),
        ] {
            assert_eq!(text(value), expected);
        }
    }

    #[test]
    fn a_time_is_read_as_java_writes_it() {
        let expected = DateTime::from_timestamp(2_021, 0);
        assert_eq!(time("Jan 1, 1970, 12:33:41 AM"), expected);
        assert_eq!(time("Jan 1, 1970, 12:33:41\u{202f}AM"), expected);
        assert_eq!(time("1970-01-01T00:33:41Z"), None);
    }

    #[test]
    fn another_shape_is_no_brokers_event() {
        for event in ["{}", r#"{"Records": []}"#, r#"{"messages": null}"#] {
            assert!(matches!(broker_messages(event), Err(EventError::UnknownShape { .. })), "{event}");
        }
        assert!(broker_messages(r#"{"messages": []}"#).unwrap().messages.is_empty());
    }
}
