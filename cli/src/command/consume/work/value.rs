//! A message's values by name, for an environment or for headers.

use base64::{Engine, prelude::BASE64_STANDARD};
use sluicegate::{consumer::Received, events::AttributeValue};

/// Longer values do not fit an environment: Linux takes 128 KiB a variable.
const MAX_VALUE_BYTES: usize = 65_536;

/// Name and value: `QUEUE`, `MESSAGE_ID`, `ATTRIBUTE_JOBTYPE`, … Of two attributes whose names become the same, the first
/// in order stays.
pub(super) fn values(received: Received<'_>) -> Vec<(String, String)> {
    let Received { queue, record, sender_id } = received;
    let sent_at = record.sent_at.map(|sent_at| sent_at.format("%FT%T%.3fZ").to_string());
    let known = [
        ("QUEUE", Some(queue.name().to_owned())),
        ("QUEUE_URL", Some(queue.url().to_owned())),
        ("MESSAGE_ID", Some(record.message_id.clone())),
        ("RECEIVE_COUNT", record.receive_count.map(|count| count.to_string())),
        ("SENT_AT", sent_at),
        ("SENDER_ID", sender_id.map(ToOwned::to_owned)),
        ("GROUP_ID", record.group_id.clone()),
        ("DEDUPLICATION_ID", record.deduplication_id.clone()),
        ("TRACE_HEADER", record.trace_header.clone()),
    ];
    let mut values: Vec<(String, String)> =
        known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    for (name, attribute) in &record.attributes {
        let name = format!("ATTRIBUTE_{}", sanitised(name));
        let value = match &attribute.value {
            AttributeValue::Text(text) => text.replace('\0', ""),
            AttributeValue::Binary(bytes) => BASE64_STANDARD.encode(bytes),
        };
        if value.len() <= MAX_VALUE_BYTES && values.iter().all(|(known, _)| *known != name) {
            values.push((name, value));
        }
    }
    values
}

/// Capitals, digits and `_`, which every shell can read.
fn sanitised(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use sluicegate::events::{MessageAttribute, Queue, Record};

    use super::*;

    pub(in super::super) fn queue() -> Queue {
        Queue::from_url("http://127.0.0.1:4566/000000000000/jobs").unwrap()
    }

    pub(in super::super) fn record(body: &str) -> Record {
        let mut record = Record::new("m-1", body);
        record.attributes = [("JobType", "NewDonor"), ("job-type", "second"), ("x.y", "a\0b")]
            .map(|(name, value)| (name.to_owned(), MessageAttribute::text(value)))
            .into();
        record.receive_count = Some(2);
        record.group_id = Some("red".to_owned());
        record
    }

    #[test]
    fn names_are_sanitised_and_absent_values_are_left_out() {
        let (queue, mut record) = (queue(), record("{}"));
        let photo = MessageAttribute { data_type: "Binary".to_owned(), value: AttributeValue::Binary(vec![0, 1, 2]) };
        record.attributes.insert("Photo".to_owned(), photo);
        record.attributes.insert("Long".to_owned(), MessageAttribute::text("x".repeat(MAX_VALUE_BYTES + 1)));
        record.attributes.insert("JOB_TYPE".to_owned(), MessageAttribute::text("first"));
        let values = values(Received { queue: &queue, record: &record, sender_id: None });
        let shown: Vec<String> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            shown,
            [
                "QUEUE=jobs",
                "QUEUE_URL=http://127.0.0.1:4566/000000000000/jobs",
                "MESSAGE_ID=m-1",
                "RECEIVE_COUNT=2",
                "GROUP_ID=red",
                "ATTRIBUTE_JOB_TYPE=first",
                "ATTRIBUTE_JOBTYPE=NewDonor",
                "ATTRIBUTE_PHOTO=AAEC",
                "ATTRIBUTE_X_Y=ab",
            ]
        );
    }
}
