//! Reading a broker's messages.

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::DateTime;

use super::{
    property::{texts, time},
    record::{BrokerEvent, BrokerMessage, MalformedMessage, MessageKind},
};
use crate::events::{
    error::EventError,
    ignored::Ignored,
    json::{Field, Kind, elements, fields},
};

const EVENT: &str = "Amazon MQ event";
const MESSAGE: &str = "broker message";

/// Reads what an Amazon MQ mapping invokes a function with: each message by itself, so that a bad one leaves the rest
/// alone.
///
/// ActiveMQ's messages are a list, RabbitMQ's are lists by `<queue>::<virtual host>`; the shape tells them apart, as
/// `eventSource` is `aws:mq`, `aws:amq` or absent in AWS's own examples.
pub fn read_broker_messages(event: &str) -> Result<BrokerEvent, EventError> {
    let [broker_arn, messages, by_queue] =
        fields(event, EVENT, ["eventSourceArn", "messages[]", "rmqMessagesByQueue"])?;
    let mut reader = Reader::default();
    match (messages.list(EVENT)?, by_queue.kind()) {
        (Some(messages), _) => messages.iter().enumerate().for_each(|(place, json)| reader.active_mq(place + 1, json)),
        (None, Some(Kind::Object | Kind::Null)) => {
            for (queue, list) in by_queue.members(&mut Ignored::default()) {
                reader.rabbit_mq_queue(&queue, list);
            }
        }
        (None, Some(found)) => {
            let field = "rmqMessagesByQueue";
            return Err(EventError::WrongType { of: EVENT, field, expected: Kind::Object, found });
        }
        (None, None) => {
            return Err(EventError::UnknownShape {
                expected: "`messages` (ActiveMQ) or `rmqMessagesByQueue` (RabbitMQ)",
            });
        }
    }
    let Reader { messages, mut ignored } = reader;
    Ok(BrokerEvent { broker_arn: broker_arn.text(&mut ignored).map(Into::into), messages, ignored })
}

#[derive(Default)]
struct Reader {
    messages: Vec<Result<BrokerMessage, MalformedMessage>>,
    ignored: Ignored,
}

impl Reader {
    fn rabbit_mq_queue(&mut self, queue: &str, list: &str) {
        let (name, virtual_host) = queue.rsplit_once("::").unzip();
        let name = name.unwrap_or(queue);
        match Kind::of(list) {
            Some(Kind::Null) => {}
            Some(Kind::List) => {
                // What is a list is one of JSON values: it has been looked through.
                for (place, json) in elements(list, MESSAGE).unwrap_or_default().iter().enumerate() {
                    self.rabbit_mq(name, virtual_host, place + 1, json);
                }
            }
            found => {
                let found = found.unwrap_or(Kind::Null);
                let problem = EventError::WrongType { of: EVENT, field: "queue", expected: Kind::List, found };
                let (queue, body) = (Some(name.to_owned()), list.into());
                self.messages.push(Err(MalformedMessage { queue, message_id: None, place: 1, body, problem }));
            }
        }
    }

    /// One element of `messages[]`.
    fn active_mq(&mut self, place: usize, json: &str) {
        const NAMES: [&str; 11] = [
            "messageID",
            "correlationID",
            // The documentation writes both of these both ways.
            "correlationId",
            "messageType",
            "timestamp",
            "destination.physicalName",
            "destination.physicalname",
            "redelivered",
            "priority",
            "data",
            "properties",
        ];
        let found = match fields(json, MESSAGE, NAMES) {
            Ok(found) => found,
            Err(problem) => return self.refuse(None, None, place, json, problem),
        };
        let [
            message_id,
            correlation_id,
            correlation,
            kind,
            sent,
            queue,
            queue_lower,
            redelivered,
            priority,
            data,
            properties,
        ] = found;
        let ignored = &mut self.ignored;
        let queue = queue.text(ignored).or_else(|| queue_lower.text(ignored)).map(String::from);
        let message_id = message_id.text(ignored).map(String::from);
        let body = match body(&data) {
            Ok(body) => body,
            Err(problem) => return self.refuse(queue, message_id, place, data_or(&data, json), problem),
        };
        let is_text = kind.text(ignored).is_some_and(|kind| kind == "jms/text-message");
        let sent_at = sent.integer(ignored).filter(|ms| *ms > 0).and_then(DateTime::from_timestamp_millis);
        let message = BrokerMessage {
            queue,
            virtual_host: None,
            message_id,
            place,
            correlation_id: correlation_id.text(ignored).or_else(|| correlation.text(ignored)).map(Into::into),
            body,
            kind: if is_text { MessageKind::Text } else { MessageKind::Bytes },
            content_type: None,
            priority: byte(&priority, ignored),
            is_redelivered: redelivered.boolean(ignored).unwrap_or(false),
            sent_at,
            properties: texts(&properties, ignored),
        };
        self.messages.push(Ok(message));
    }

    /// One element of `rmqMessagesByQueue["<queue>::<virtual host>"]`.
    fn rabbit_mq(&mut self, queue: &str, virtual_host: Option<&str>, place: usize, json: &str) {
        const NAMES: [&str; 3] = ["basicProperties", "redelivered", "data"];
        const PROPERTIES: [&str; 6] = ["contentType", "headers", "priority", "correlationId", "messageId", "timestamp"];
        let queue = Some(queue.to_owned());
        let [properties, redelivered, data] = match fields(json, MESSAGE, NAMES) {
            Ok(found) => found,
            Err(problem) => return self.refuse(queue, None, place, json, problem),
        };
        let ignored = &mut self.ignored;
        let [content_type, headers, priority, correlation_id, message_id, sent] =
            properties.fields(ignored, PROPERTIES);
        let message_id = message_id.text(ignored).map(String::from);
        let body = match body(&data) {
            Ok(body) => body,
            Err(problem) => return self.refuse(queue, message_id, place, data_or(&data, json), problem),
        };
        let message = BrokerMessage {
            queue,
            virtual_host: virtual_host.map(ToOwned::to_owned),
            message_id,
            place,
            correlation_id: correlation_id.text(ignored).map(Into::into),
            body,
            kind: MessageKind::Bytes,
            content_type: content_type.text(ignored).map(Into::into),
            priority: byte(&priority, ignored),
            is_redelivered: redelivered.boolean(ignored).unwrap_or(false),
            sent_at: sent.text(ignored).and_then(|text| time(&text)),
            properties: texts(&headers, ignored),
        };
        self.messages.push(Ok(message));
    }

    fn refuse(
        &mut self,
        queue: Option<String>,
        message_id: Option<String>,
        place: usize,
        body: &str,
        problem: EventError,
    ) {
        self.messages.push(Err(MalformedMessage { queue, message_id, place, body: body.into(), problem }));
    }
}

fn data_or<'a>(data: &Field<'a>, json: &'a str) -> &'a str {
    data.json().unwrap_or(json)
}

fn byte(field: &Field<'_>, ignored: &mut Ignored) -> Option<u8> {
    field.integer(ignored).and_then(|number| u8::try_from(number).ok())
}

/// Null is a message without content.
fn body(data: &Field<'_>) -> Result<Vec<u8>, EventError> {
    if data.kind() == Some(Kind::Null) {
        return Ok(Vec::new());
    }
    let data = data.needed_or_empty(MESSAGE)?;
    BASE64_STANDARD.decode(data.as_bytes()).map_err(|problem| EventError::not_base64(MESSAGE, "data", &problem))
}
