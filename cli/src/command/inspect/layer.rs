//! What an event is, from the outside in.

use serde::Serialize;
use serde_json::{Value, json};
use sluicegate::events::{
    AttributeValue, MalformedRecord, MessageAttributes, Notification, ObjectEvent, Record, json::without_mark,
    read_batch, read_notifications, read_object_events,
};

use super::{letter::Letter, source};
use crate::{message, quantity::human_size};

/// More than any route in AWS makes.
const MAX_DEPTH: usize = 8;

/// One envelope, record or body, and what is inside.
#[derive(Debug, Serialize)]
pub(super) struct Layer {
    what: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    facts: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    inside: Vec<Layer>,
}

impl Layer {
    /// Looks at any text.
    pub(super) fn of(text: &str) -> Self {
        look(text, 0)
    }

    pub(super) fn lines(&self, depth: usize, lines: &mut Vec<String>) {
        let indent = "  ".repeat(depth);
        lines.push(format!("{indent}{}", self.what));
        lines.extend(self.facts.iter().map(|fact| format!("{indent}  · {fact}")));
        for layer in &self.inside {
            layer.lines(depth + 1, lines);
        }
    }

    pub(super) fn new(what: impl Into<String>, facts: Vec<String>, inside: Vec<Self>) -> Self {
        Self { what: what.into(), facts, inside }
    }

    fn bare(what: impl Into<String>) -> Self {
        Self::new(what, Vec::new(), Vec::new())
    }
}

/// The records of an event: of its member `Records`, or the event itself, as a pipe sends them.
pub(super) fn records(event: &Value) -> Option<&Vec<Value>> {
    let is_record = |first: &Value| first["eventSource"].is_string() && first.is_object();
    event["Records"].as_array().or_else(|| event.as_array().filter(|list| list.first().is_some_and(is_record)))
}

fn look(text: &str, depth: usize) -> Layer {
    let text = without_mark(text);
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => {
            let size = human_size(text.len() as u64);
            return Layer::new(format!("text of {size}, no JSON"), vec![error.to_string()], Vec::new());
        }
    };
    if depth > MAX_DEPTH {
        return Layer::bare("more envelopes than any route makes");
    }
    let records = records(&value);
    if records.is_some_and(|records| records.first().is_some_and(|first| first["eventSource"] == "aws:kinesis")) {
        return source::stream_layer(text);
    }
    if let Some(records) = records.filter(|records| depth == 0 || !records.is_empty()) {
        return records_layer(records, depth);
    }
    if value["deliveryStreamArn"].is_string() {
        return source::delivery_layer(text);
    }
    if source::is_broker(&value["eventSource"]) {
        return source::broker_layer(text);
    }
    if value["queueUrl"].is_string() {
        return dispatch_layer(text, depth);
    }
    if let Some(letter) = Letter::known(&value) {
        return letter.layer(|event| look(event, depth + 1));
    }
    if value["Event"] == "s3:TestEvent" {
        return Layer::bare(format!("S3 test event of bucket {}", plain(&value["Bucket"])));
    }
    if value["detail-type"].is_string() {
        let what = format!("EventBridge event {} of {}", plain(&value["detail-type"]), plain(&value["source"]));
        return Layer::new(what, objects(text), Vec::new());
    }
    if let Some(notification) = Notification::from_envelope(text) {
        return notification_layer("SNS envelope", &notification, depth);
    }
    other(&value)
}

fn other(value: &Value) -> Layer {
    match value {
        Value::Object(map) if map.is_empty() => Layer::bare("empty JSON object"),
        Value::Object(map) => {
            // Whatever order the map keeps.
            let mut keys: Vec<&str> = map.keys().map(String::as_str).collect();
            keys.sort_unstable();
            Layer::bare(format!("JSON object with {}", keys.join(", ")))
        }
        Value::Array(list) => Layer::bare(format!("JSON list of {}", list.len())),
        Value::Null => Layer::bare("JSON null"),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Layer::bare("a single JSON value"),
    }
}

fn records_layer(records: &[Value], depth: usize) -> Layer {
    let source = |record: &Value| {
        let source = record["eventSource"].as_str().or_else(|| record["EventSource"].as_str());
        source.unwrap_or("unknown").to_owned()
    };
    let what = match records.first().map(source).as_deref() {
        None => "Records, with none in it".to_owned(),
        Some("aws:s3") => format!("S3 notification, {}", counted(records.len())),
        Some("aws:sns") => format!("SNS invocation, {}", counted(records.len())),
        Some("aws:sqs") => format!("SQS batch, {}", counted(records.len())),
        Some(other) => format!("{} of {other}", counted(records.len())),
    };
    let inside = records.iter().map(|record| {
        let alone = json!({ "Records": [record] }).to_string();
        match source(record).as_str() {
            "aws:s3" => Layer::new("record", objects(&alone), Vec::new()),
            "aws:sns" => match read_notifications(&alone).map(|mut all| all.records.pop()) {
                Ok(Some(Ok(notification))) => notification_layer("notification", &notification, depth),
                Ok(Some(Err(malformed))) => unreadable(&malformed.problem),
                Err(problem) => unreadable(&problem),
                Ok(None) => Layer::bare("record"),
            },
            "aws:sqs" => match read_batch(&alone) {
                Ok(batch) => match batch.and_then(|mut batch| batch.records.pop()) {
                    Some(record) => record_layer(&record, depth),
                    None => Layer::bare("record"),
                },
                Err(problem) => unreadable(&problem),
            },
            source => Layer::bare(format!("record of source {source}")),
        }
    });
    Layer::new(what, Vec::new(), inside.collect())
}

fn dispatch_layer(text: &str, depth: usize) -> Layer {
    match read_batch(text) {
        Ok(Some(batch)) => {
            let what = format!("dispatch of queue {}, {}", batch.queue, counted(batch.records.len()));
            let inside = batch.records.iter().map(|record| record_layer(record, depth)).collect();
            Layer::new(what, Vec::new(), inside)
        }
        Ok(None) => Layer::bare("dispatch, with no message in it"),
        Err(problem) => Layer::new("dispatch", vec![format!("cannot be read: {problem}")], Vec::new()),
    }
}

fn record_layer(record: &Result<Record, MalformedRecord>, depth: usize) -> Layer {
    match record {
        Ok(record) => {
            let mut facts = vec![format!("receive {}", message::receive(record))];
            facts.extend(record.group_id.as_ref().map(|group| format!("group {group}")));
            facts.extend(attributes(&record.attributes));
            Layer::new(format!("message {}", record.message_id), facts, vec![look(&record.body, depth + 1)])
        }
        Err(record) => {
            let problem = format!("cannot be read: {}", record.problem);
            Layer::new(format!("message {}", record.message_id), vec![problem], Vec::new())
        }
    }
}

fn notification_layer(what: &str, notification: &Notification, depth: usize) -> Layer {
    let mut facts = vec![format!("topic {}", notification.topic_arn.as_deref().unwrap_or("-"))];
    facts.extend(notification.subject.as_ref().map(|subject| format!("subject {subject}")));
    facts.extend(attributes(&notification.attributes));
    let inside = vec![look(&notification.message, depth + 1)];
    Layer::new(format!("{what} {}", notification.message_id.as_deref().unwrap_or("-")), facts, inside)
}

fn unreadable(problem: &dyn std::fmt::Display) -> Layer {
    Layer::new("record", vec![format!("cannot be read: {problem}")], Vec::new())
}

fn attributes(attributes: &MessageAttributes) -> impl Iterator<Item = String> {
    attributes.iter().map(|(name, attribute)| match &attribute.value {
        AttributeValue::Text(text) => format!("{name} = {text}"),
        AttributeValue::Binary(bytes) => format!("{name} = binary, {}", human_size(bytes.len() as u64)),
    })
}

/// The objects in one S3 record or EventBridge event.
fn objects(event: &str) -> Vec<String> {
    match read_object_events(event) {
        Ok(found) => {
            let refused = found.refused.iter().map(|refusal| format!("cannot be read: {}", refusal.problem));
            found.objects.iter().map(object).chain(refused).collect()
        }
        Err(_) => Vec::new(),
    }
}

/// What happened to an object, with its key decoded.
pub(super) fn object(object: &ObjectEvent) -> String {
    let mut facts = vec![format!("{} {}/{}", object.name, object.bucket, object.key)];
    facts.extend(object.size_bytes.map(human_size));
    facts.extend(object.version_id.as_ref().map(|version| format!("version {version}")));
    facts.extend(object.is_folder_marker().then(|| "stands for a folder".to_owned()));
    facts.join(", ")
}

pub(super) fn counted(records: usize) -> String {
    if records == 1 { "1 record".to_owned() } else { format!("{records} records") }
}

fn plain(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}
