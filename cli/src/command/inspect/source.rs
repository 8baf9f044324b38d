//! Records of streams and messages of brokers: what is in the event, and what becomes of it.

use serde_json::Value;
use sluicegate::events::{EventError, read_broker_messages, read_firehose_batch, read_stream_records};

use super::{
    function::Judged,
    layer::{Layer, counted},
};
use crate::quantity::human_size;

/// Whether this `eventSource` is a broker's.
pub(super) fn is_broker(source: &Value) -> bool {
    matches!(source.as_str(), Some("aws:mq" | "aws:rmq"))
}

/// What `kinesis-logger` makes of an event.
pub(super) fn stream(event: &str) -> Judged {
    let Some(batch) = read_stream_records(event)? else {
        return Ok((vec!["has nothing to do".to_owned()], Vec::new()));
    };
    let (mut does, mut problems) = (Vec::new(), Vec::new());
    for record in batch.records {
        match record {
            Ok(record) => does.push(format!("logs record {} of {}", record.sequence_number, record.shard_id)),
            Err(record) => problems.push(format!("record {}: {}", record.sequence_number, record.problem)),
        }
    }
    Ok((does, problems))
}

/// What `firehose-transformer` makes of an event.
pub(super) fn delivery(event: &str) -> Judged {
    let (mut does, mut problems) = (Vec::new(), Vec::new());
    for record in read_firehose_batch(event)?.records {
        match record {
            Ok(record) => {
                let id = record.record_id;
                does.push(format!("cleans up the lines of record {id}, or fails it if one is no JSON object"));
            }
            Err(record) => problems.push(format!("record {}: {}", record.record_id, record.problem)),
        }
    }
    Ok((does, problems))
}

/// What `mq-logger` makes of an event.
pub(super) fn broker(event: &str) -> Judged {
    let (mut does, mut problems) = (Vec::new(), Vec::new());
    for message in read_broker_messages(event)?.messages {
        match message {
            Ok(message) => {
                let queue = or_dash(message.queue.as_ref());
                does.push(format!("logs message {} of queue {queue}", or_dash(message.message_id.as_ref())));
            }
            Err(message) => {
                problems.push(format!("message {}: {}", or_dash(message.message_id.as_ref()), message.problem));
            }
        }
    }
    Ok((does, problems))
}

/// The records of a data stream.
pub(super) fn stream_layer(event: &str) -> Layer {
    let batch = match read_stream_records(event) {
        Ok(Some(batch)) => batch,
        Ok(None) => return Layer::new("Kinesis batch, with no record in it", Vec::new(), Vec::new()),
        Err(problem) => return unreadable("Kinesis batch", &problem),
    };
    let inside = batch.records.iter().map(|record| match record {
        Ok(record) => {
            let facts = vec![format!("{}, partition key {}", record.shard_id, or_dash(record.partition_key.as_ref()))];
            Layer::new(format!("record {}", record.sequence_number), facts, vec![body(&record.body)])
        }
        Err(record) => unreadable(&format!("record {}", record.sequence_number), &record.problem),
    });
    let what = format!("Kinesis batch of stream {}, {}", batch.stream.name(), counted(batch.records.len()));
    Layer::new(what, Vec::new(), inside.collect())
}

/// The records of a delivery stream.
pub(super) fn delivery_layer(event: &str) -> Layer {
    let batch = match read_firehose_batch(event) {
        Ok(batch) => batch,
        Err(problem) => return unreadable("Firehose batch", &problem),
    };
    let inside = batch.records.iter().map(|record| match record {
        Ok(record) => {
            let facts = record.partition_key.iter().map(|key| format!("partition key {key}")).collect();
            Layer::new(format!("record {}", record.record_id), facts, vec![body(&record.body)])
        }
        Err(record) => unreadable(&format!("record {}", record.record_id), &record.problem),
    });
    let what = format!("Firehose batch of stream {}, {}", batch.stream_name(), counted(batch.records.len()));
    let facts = batch.source_stream_arn.iter().map(|arn| format!("read from {arn}")).collect();
    Layer::new(what, facts, inside.collect())
}

/// The messages of a broker.
pub(super) fn broker_layer(event: &str) -> Layer {
    let found = match read_broker_messages(event) {
        Ok(found) => found,
        Err(problem) => return unreadable("broker's batch", &problem),
    };
    let inside = found.messages.iter().map(|message| match message {
        Ok(message) => {
            let facts = vec![format!("queue {}", or_dash(message.queue.as_ref()))];
            Layer::new(format!("message {}", or_dash(message.message_id.as_ref())), facts, vec![body(&message.body)])
        }
        Err(message) => unreadable(&format!("message {}", or_dash(message.message_id.as_ref())), &message.problem),
    });
    let inside: Vec<Layer> = inside.collect();
    let plural = if inside.len() == 1 { "" } else { "s" };
    Layer::new(format!("broker's batch, {} message{plural}", inside.len()), Vec::new(), inside)
}

/// What producers put is their own: several lines, a protocol, an image.
fn body(bytes: &[u8]) -> Layer {
    match std::str::from_utf8(bytes) {
        Ok(text) if serde_json::from_str::<Value>(text).is_ok() => Layer::of(text),
        Ok(_) => Layer::new(format!("text of {}", human_size(bytes.len() as u64)), Vec::new(), Vec::new()),
        Err(_) => Layer::new(format!("{}, not text", human_size(bytes.len() as u64)), Vec::new(), Vec::new()),
    }
}

fn unreadable(what: &str, problem: &EventError) -> Layer {
    Layer::new(what, vec![format!("cannot be read: {problem}")], Vec::new())
}

fn or_dash(text: Option<&String>) -> &str {
    text.map_or("-", String::as_str)
}
