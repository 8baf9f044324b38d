//! What the samples of streams and brokers promise.

use sluicegate::events::{
    BrokerMessage, MalformedMessage, read_broker_messages, read_stream_records, read_table_changes,
};

use super::read;

/// What `read_stream_records` finds: the stream, then partition key, size and milliseconds of arrival of each record, or why it
/// is refused; or why the event is.
pub(super) const STREAMS: &[(&str, &[&str])] = &[
    ("kinesis/batch", &["sluicegate-events", "clinic-seoul 32 500", "clinic-lagos 36 37", "clinic-seoul 40 250"]),
    ("kinesis/empty-data", &["sluicegate-events", "heartbeat 0 0"]),
    ("kinesis/kpl-aggregated", &["sluicegate-events", "a 118 750 aggregated"]),
    ("kinesis/long-data", &["sluicegate-events", "minutes 1320 0", "minutes 768 1"]),
    ("kinesis/missing-partition-key", &["sluicegate-events", "- 6 100"]),
    ("kinesis/missing-sequence-number", &["Kinesis record has no kinesis.sequenceNumber"]),
    ("kinesis/not-utf8", &["sluicegate-events", "sensor-1 6 125", "sensor-1 16 250"]),
    ("kinesis/pipe", &["sluicegate-events", "clinic-seoul 22 987"]),
    ("kinesis/sam-sample", &["EXAMPLE", "partitionKey-03 26 0"]),
    ("kinesis/wrong-base64-first", &["sluicegate-events", NOT_BASE64_RECORD, "clinic-seoul 6 200"]),
    (
        "kinesis/wrong-base64-in-the-middle",
        &["sluicegate-events", "clinic-seoul 6 100", NOT_BASE64_RECORD, "clinic-seoul 6 300"],
    ),
    ("kinesis/zero-records", &["nothing"]),
];

const NOT_BASE64_RECORD: &str = "refused: data of the Kinesis record is not base64 at byte 14";

/// What `read_broker_messages` finds: queue and virtual host, kind, size and priority of each, or why it is refused.
pub(super) const BROKERS: &[(&str, &[&str])] = &[
    ("mq/activemq-bytes", &["events bytes 20 4"]),
    ("mq/activemq-text", &["events text 21 9", "events text 15 4 redelivered"]),
    ("mq/activemq-zero-messages", &[]),
    ("mq/missing-destination", &["- text 5 4", "events text 14 4"]),
    ("mq/rabbitmq", &["events / bytes 43 34"]),
    ("mq/rabbitmq-null-priority", &["events / bytes 13 none redelivered", "events / bytes 13 none"]),
    (
        "mq/rabbitmq-odd-properties",
        &[
            "orders / bytes 11 none",
            "orders / bytes 11 none",
            "orders / bytes 11 none",
            "orders / bytes 11 none",
            "orders / bytes 11 none",
            "orders / bytes 11 none",
            "orders / bytes 11 none",
            "orders / bytes 11 none",
        ],
    ),
    ("mq/rabbitmq-x-death", &["orders / bytes 11 none"]),
    ("mq/rabbitmq-two-queues", &["events / bytes 11 none", "orders shop bytes 11 0", NOT_BASE64_MESSAGE]),
    ("mq/wrong-base64", &["events text 14 4", NOT_BASE64_MESSAGE, "events text 14 4"]),
];

const NOT_BASE64_MESSAGE: &str = "refused: data of the broker message is not base64 at byte 14";

/// What `read_table_changes` finds: the table, then what happened to each item and which images there are, or why it is refused.
pub(super) const TABLES: &[(&str, &[&str])] = &[
    ("dynamodb/item-changes", &["sluicegate-donors", "Some(Insert) new", "Some(Modify) new old", "Some(Remove) old"]),
    (
        "dynamodb/missing-image",
        &["sluicegate-donors", "Some(Insert)", "refused: DynamoDB record has no dynamodb.NewImage"],
    ),
    ("dynamodb/pipe", &["sluicegate-donors", "Some(Insert) new"]),
];

fn found_table(event: &str) -> Vec<String> {
    let batch = read_table_changes(event).unwrap().unwrap();
    let records = batch.records.iter().map(|record| match record {
        Ok(change) => {
            let new = if change.new_image.is_some() { " new" } else { "" };
            let old = if change.old_image.is_some() { " old" } else { "" };
            format!("{:?}{new}{old}", change.kind)
        }
        Err(malformed) => format!("refused: {}", malformed.problem),
    });
    std::iter::once(batch.stream.name().to_owned()).chain(records).collect()
}

#[test]
fn every_table_sample_reads_as_the_readme_promises() {
    for (sample, promised) in TABLES {
        assert_eq!(found_table(&read(sample)), *promised, "{sample}");
    }
}

#[test]
fn a_dead_letters_queue_and_reason_are_readable_at_any_depth() {
    let message = read_broker_messages(&read("mq/rabbitmq-x-death")).unwrap().messages.remove(0).unwrap();
    let death = &message.properties["x-death"];
    for part in [r#""reason":"rejected""#, r#""queue":"orders""#, r#""routing-keys":["orders.new"]"#] {
        assert!(death.contains(part), "{death}");
    }
    assert_eq!(
        (message.properties["list"].as_str(), message.properties["table"].as_str()),
        (r#"["a",2]"#, r#"{"inner":"é"}"#)
    );
}

fn found_stream(event: &str) -> Vec<String> {
    let batch = match read_stream_records(event) {
        Ok(Some(batch)) => batch,
        Ok(None) => return vec!["nothing".to_owned()],
        Err(problem) => return vec![problem.to_string()],
    };
    let records = batch.records.iter().map(|record| match record {
        Ok(record) => {
            let ms = record.arrived_at.unwrap().timestamp_subsec_millis();
            let aggregated = if record.is_aggregated() { " aggregated" } else { "" };
            let key = record.partition_key.as_deref().unwrap_or("-");
            format!("{key} {} {ms}{aggregated}", record.body.len())
        }
        Err(malformed) => format!("refused: {}", malformed.problem),
    });
    std::iter::once(batch.stream.name().to_owned()).chain(records).collect()
}

fn found_broker(event: &str) -> Vec<String> {
    let found = |message: Result<BrokerMessage, MalformedMessage>| match message {
        Ok(message) => {
            let host = message.virtual_host.map(|host| format!(" {host}")).unwrap_or_default();
            let priority = message.priority.map_or_else(|| "none".to_owned(), |priority| priority.to_string());
            let redelivered = if message.is_redelivered { " redelivered" } else { "" };
            let queue = message.queue.unwrap_or_else(|| "-".to_owned());
            let (kind, bytes) = (message.kind.as_str(), message.body.len());
            format!("{queue}{host} {kind} {bytes} {priority}{redelivered}")
        }
        Err(malformed) => format!("refused: {}", malformed.problem),
    };
    read_broker_messages(event).unwrap().messages.into_iter().map(found).collect()
}

#[test]
fn every_stream_sample_reads_as_the_readme_promises() {
    for (sample, promised) in STREAMS {
        assert_eq!(found_stream(&read(sample)), *promised, "{sample}");
    }
}

#[test]
fn every_broker_sample_reads_as_the_readme_promises() {
    for (sample, promised) in BROKERS {
        assert_eq!(found_broker(&read(sample)), *promised, "{sample}");
    }
}
