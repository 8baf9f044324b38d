//! A received message as people and scripts see it.

use std::time::{Duration, SystemTime};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};
use sluicegate::events::{AttributeValue, MessageAttribute, Record};

use crate::{output::Output, quantity::human};

/// How long ago SQS took the message.
pub(crate) fn age(record: &Record, now: SystemTime) -> Option<Duration> {
    Some(now.duration_since(record.sent_at?.into()).unwrap_or_default())
}

/// Deliveries so far, as a person reads them.
pub(crate) fn receive(record: &Record) -> String {
    record.receive_count.map_or_else(|| "?".to_owned(), |count| count.to_string())
}

/// Several lines: id with receive count and age, attributes, body. On a terminal the body is one line.
pub(crate) fn text(record: &Record, now: SystemTime, output: Output) -> String {
    let mut facts = vec![format!("receive {}", receive(record))];
    facts.extend(age(record, now).map(|age| format!("age {}", human(age))));
    facts.extend(record.group_id.as_ref().map(|group| format!("group {}", output.shown(group))));
    let mut lines = vec![format!("{}  ({})", output.shown(&record.message_id), facts.join(", "))];
    for (name, attribute) in &record.attributes {
        lines.push(format!("  {}: {}", output.shown(name), attribute_text(attribute, output)));
    }
    lines.push(format!("  {}", output.shown(&record.body)));
    lines.join("\n")
}

fn attribute_text(attribute: &MessageAttribute, output: Output) -> String {
    let value = match &attribute.value {
        AttributeValue::Text(text) => output.shown(text).into_owned(),
        AttributeValue::Binary(bytes) => format!("{} (base64)", BASE64_STANDARD.encode(bytes)),
    };
    if attribute.data_type == "String" {
        return value;
    }
    format!("{value} [{}]", output.shown(&attribute.data_type))
}

/// One object. Binary values are base64, as in the API's own JSON.
pub(crate) fn json(record: &Record, now: SystemTime) -> Value {
    let attribute = |(name, attribute): (&String, &MessageAttribute)| {
        let mut value = Map::from_iter([("dataType".to_owned(), json!(attribute.data_type))]);
        match &attribute.value {
            AttributeValue::Text(text) => value.insert("stringValue".to_owned(), json!(text)),
            AttributeValue::Binary(bytes) => {
                value.insert("binaryValue".to_owned(), json!(BASE64_STANDARD.encode(bytes)))
            }
        };
        (name.clone(), Value::Object(value))
    };
    json!({
        "messageId": record.message_id,
        "receiptHandle": record.receipt_handle,
        "body": record.body,
        "attributes": record.attributes.iter().map(attribute).collect::<Map<_, _>>(),
        "receiveCount": record.receive_count,
        "sentAt": record.sent_at.map(|at| at.to_rfc3339()),
        "ageSeconds": age(record, now).map(|age| age.as_secs()),
        "groupId": record.group_id,
        "deduplicationId": record.deduplication_id,
    })
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use sluicegate::events::MessageAttributes;

    use super::*;

    fn record() -> Record {
        Record {
            message_id: "m-1".to_owned(),
            receipt_handle: "handle".to_owned(),
            body: "two\nlines\u{1b}[2J".to_owned(),
            attributes: MessageAttributes::from([
                ("JobType".to_owned(), MessageAttribute::text("New\u{7}Donor")),
                (
                    "Photo".to_owned(),
                    MessageAttribute {
                        data_type: "Binary.png".to_owned(),
                        value: AttributeValue::Binary(vec![0, 1, 2]),
                    },
                ),
            ]),
            receive_count: Some(2),
            sent_at: Some((UNIX_EPOCH + Duration::from_secs(1_000)).into()),
            group_id: Some("g".to_owned()),
            deduplication_id: None,
            trace_header: None,
        }
    }

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_245)
    }

    #[test]
    fn a_terminal_sees_no_control_character() {
        let expected = "\
m-1  (receive 2, age 4m 5s, group g)
  JobType: New\\u{7}Donor
  Photo: AAEC (base64) [Binary.png]
  two\\nlines\\u{1b}[2J";
        assert_eq!(text(&record(), now(), Output::to_terminal()), expected);
    }

    #[test]
    fn a_pipe_gets_text_as_it_is() {
        assert!(text(&record(), now(), Output::to_pipe()).ends_with("\n  two\nlines\u{1b}[2J"));
    }

    #[test]
    fn the_object_has_everything_and_the_body_as_it_is() {
        let json = json(&record(), now());
        assert_eq!(json["body"], "two\nlines\u{1b}[2J");
        assert_eq!(json["ageSeconds"], 245);
        assert_eq!(json["attributes"]["Photo"], json!({ "dataType": "Binary.png", "binaryValue": "AAEC" }));
        assert_eq!(json["receiveCount"], 2);
    }
}
