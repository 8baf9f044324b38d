//! A message as people see it, and as programs read and write it.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use sluicegate::events::{AttributeValue, MessageAttribute, Record};

use crate::{outgoing::Outgoing, output::Output, quantity::human};

/// A message in JSON, the same both ways: what `receive`, `consume` and `redrive` print, `send --messages` takes. Binary
/// values are base64, as in the API's own JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Written {
    message_id: Option<String>,
    /// Good for this one receive.
    receipt_handle: Option<String>,
    pub(crate) body: String,
    #[serde(default)]
    attributes: BTreeMap<String, WrittenAttribute>,
    receive_count: Option<u32>,
    sent_at: Option<String>,
    age_seconds: Option<u64>,
    group_id: Option<String>,
    deduplication_id: Option<String>,
    trace_header: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenAttribute {
    data_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    string_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_value: Option<String>,
}

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

/// One object, with all that is known.
pub(crate) fn json(record: &Record, now: SystemTime) -> Written {
    let attribute = |(name, attribute): (&String, &MessageAttribute)| {
        let (string_value, binary_value) = match &attribute.value {
            AttributeValue::Text(text) => (Some(text.clone()), None),
            AttributeValue::Binary(bytes) => (None, Some(BASE64_STANDARD.encode(bytes))),
        };
        (name.clone(), WrittenAttribute { data_type: attribute.data_type.clone(), string_value, binary_value })
    };
    Written {
        message_id: Some(record.message_id.clone()),
        receipt_handle: Some(record.receipt_handle.clone()),
        body: record.body.clone(),
        attributes: record.attributes.iter().map(attribute).collect(),
        receive_count: record.receive_count,
        sent_at: record.sent_at.map(|at| at.to_rfc3339()),
        age_seconds: age(record, now).map(|age| age.as_secs()),
        group_id: record.group_id.clone(),
        deduplication_id: record.deduplication_id.clone(),
        trace_header: record.trace_header.clone(),
    }
}

impl Written {
    /// The same message to send again: to a FIFO queue with its own deduplication id, or its id, so that a second import
    /// within five minutes adds nothing.
    pub(crate) fn outgoing(self, to_fifo: bool) -> Result<Outgoing, String> {
        let attribute = |(name, written): (String, WrittenAttribute)| {
            let value = match (written.string_value, written.binary_value) {
                (Some(text), None) => AttributeValue::Text(text),
                (None, Some(base64)) => {
                    let bytes = BASE64_STANDARD.decode(base64);
                    AttributeValue::Binary(
                        bytes.map_err(|problem| format!("attribute {name} is not base64: {problem}"))?,
                    )
                }
                _ => return Err(format!("attribute {name} needs one of stringValue and binaryValue")),
            };
            Ok((name, MessageAttribute { data_type: written.data_type, value }))
        };
        let attributes: BTreeMap<_, _> = self.attributes.into_iter().map(attribute).collect::<Result<_, String>>()?;
        Ok(Outgoing {
            body: self.body.into(),
            attributes: Arc::new(attributes),
            group_id: self.group_id.or_else(|| self.message_id.clone().filter(|_| to_fifo)),
            deduplication_id: self.deduplication_id.or(self.message_id).filter(|_| to_fifo),
            delay: None,
            trace_header: self.trace_header,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use serde_json::{Value, json};
    use sluicegate::events::MessageAttributes;

    use super::*;

    fn record() -> Record {
        let mut record = Record::new("m-1", "two\nlines\u{1b}[2J");
        record.attributes = MessageAttributes::from([
            ("JobType".to_owned(), MessageAttribute::text("New\u{7}Donor")),
            (
                "Photo".to_owned(),
                MessageAttribute { data_type: "Binary.png".to_owned(), value: AttributeValue::Binary(vec![0, 1, 2]) },
            ),
        ]);
        record.receive_count = Some(2);
        record.sent_at = Some((UNIX_EPOCH + Duration::from_secs(1_000)).into());
        record.group_id = Some("g".to_owned());
        record.trace_header = Some("Root=1-2".to_owned());
        record
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

    fn written() -> Value {
        serde_json::to_value(super::json(&record(), now())).unwrap()
    }

    #[test]
    fn the_object_has_everything_and_the_body_as_it_is() {
        let json = written();
        assert_eq!(json["body"], "two\nlines\u{1b}[2J");
        assert_eq!(json["ageSeconds"], 245);
        assert_eq!(json["attributes"]["Photo"], json!({ "dataType": "Binary.png", "binaryValue": "AAEC" }));
        assert_eq!(json["receiveCount"], 2);
    }

    #[test]
    fn what_is_written_is_the_same_message_when_it_is_read() {
        let read = |to_fifo| serde_json::from_value::<Written>(written()).unwrap().outgoing(to_fifo).unwrap();
        let sent = read(true);
        assert_eq!((&*sent.body, &*sent.attributes), (record().body.as_str(), &record().attributes));
        assert_eq!((sent.group_id.as_deref(), sent.deduplication_id.as_deref()), (Some("g"), Some("m-1")));
        assert_eq!(sent.trace_header.as_deref(), Some("Root=1-2"));
        assert_eq!((read(false).group_id.as_deref(), read(false).deduplication_id), (Some("g"), None));
        let least: Written = serde_json::from_str(r#"{"body": "x"}"#).unwrap();
        assert_eq!(&*least.outgoing(false).unwrap().body, "x");
        let broken = json!({"body": "x", "attributes": {"A": {"dataType": "Binary", "binaryValue": "%"}}});
        assert!(serde_json::from_value::<Written>(broken).unwrap().outgoing(false).unwrap_err().contains("base64"));
    }
}
