//! Large events, and stock Rust beside the functions: what reading costs.

use std::sync::Arc;

use anyhow::Result;
use serde_json::{Value, json};

use crate::{
    progress::Progress,
    start::{self, Effort, Figures},
    subject::{Kind, Places, Subject, event},
};

/// An event, and whose it is.
struct Large {
    function: &'static str,
    title: &'static str,
    event: Arc<[u8]>,
}

/// Measures each event's function and its stock peer, each beside an echo of the same event.
pub(crate) fn measure(
    places: &Places,
    subjects: &[Subject],
    rounds: usize,
    progress: &Progress,
) -> Result<Vec<Figures>> {
    let mut turns: Vec<Subject> = subjects.iter().filter(|subject| subject.kind == Kind::Bare).cloned().collect();
    for large in all(places)? {
        for subject in subjects {
            let Some(rest) = subject.name.strip_prefix(large.function) else { continue };
            if rest.is_empty() || subject.kind == Kind::Stock {
                let name = format!("{}: {}", subject.name, large.title);
                turns.push(Subject { name, kind: Kind::Function, ..subject.given(&large.event) });
            }
        }
    }
    let mut figures = start::measure(&turns, Effort { rounds, trips: 20, uncounted: 5 }, progress)?;
    // The echo's own event is none of these.
    figures.remove(0);
    Ok(figures)
}

fn all(places: &Places) -> Result<Vec<Large>> {
    let text = |kib: usize| json!({"name": "Ada", "note": "x".repeat(kib * 1_024)}).to_string();
    let fields = |kib: usize| {
        let orders: Vec<Value> = (0..kib * 1_024 / 16).map(|order| json!({"a": "b", "c": order % 10})).collect();
        json!({"name": "Ada", "orders": orders}).to_string()
    };
    let sqs = |title, body: String| Large { function: "sqs-worker", title, event: event(&of_sqs(&body)) };
    let notification = places.sample("events/sns/notification.json")?;
    Ok(vec![
        sqs("10 × 1 KiB of text", text(1)),
        sqs("10 × 1 KiB of fields", fields(1)),
        sqs("10 × 64 KiB of text", text(64)),
        sqs("10 × 64 KiB of fields", fields(64)),
        Large { function: "s3-object-logger", title: "1,000 records", event: event(&of_s3(1_000)) },
        Large { function: "sns-logger", title: "1 record", event: event(&notification) },
    ])
}

fn of_sqs(body: &str) -> Value {
    let record = |number: usize| {
        json!({
            "messageId": format!("5b78027d-b705-4dfc-873b-{number:012}"),
            "receiptHandle": "AQEB".repeat(90),
            "body": body,
            "attributes": {
                "ApproximateReceiveCount": "1", "SentTimestamp": "1784523967089", "SenderId": "AROAEXAMPLE:producer",
                "ApproximateFirstReceiveTimestamp": "1784523967189",
            },
            "messageAttributes": {
                "JobType": {
                    "stringValue": "NewDonor", "stringListValues": [], "binaryListValues": [], "dataType": "String",
                },
            },
            "md5OfBody": "00000000000000000000000000000000",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:measured",
            "awsRegion": "us-east-1",
        })
    };
    json!({"Records": (0..10).map(record).collect::<Vec<_>>()})
}

fn of_s3(records: usize) -> Value {
    let record = |number: usize| {
        json!({
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": "us-east-1",
            "eventTime": "2026-07-20T05:06:07.089Z",
            "eventName": "ObjectCreated:Put",
            "userIdentity": {"principalId": "AWS:AIDAEXAMPLE"},
            "requestParameters": {"sourceIPAddress": "192.0.2.7"},
            "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG"},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "uploads",
                "bucket": {
                    "name": "measured", "ownerIdentity": {"principalId": "A3NL1KOZZKExample"}, "arn": "arn:aws:s3:::measured",
                },
                "object": {
                    "key": format!("photos/summer+2026/{number}.jpg"), "size": 17_408,
                    "eTag": "0f343b0931126a20f133d67c2b018a3b", "sequencer": format!("0066B1C2D3E4{number:06X}"),
                },
            },
        })
    };
    json!({"Records": (0..records).map(record).collect::<Vec<_>>()})
}
