//! Events made for a test, where no sample has the numbers it needs.

use serde_json::{Value, json};

/// The queue that [`batch`] comes from.
pub(crate) const QUEUE_NAME: &str = "sluicegate-jobs";

/// What an event source mapping sends: these bodies, each with the `JobType` that is given. Message ids are `message-0`,
/// `message-1`, …; receipt handles `handle-0`, ….
pub(crate) fn batch(job_type: &str, bodies: &[Value]) -> String {
    let record = |(index, body): (usize, &Value)| {
        json!({
            "messageId": format!("message-{index}"),
            "receiptHandle": format!("handle-{index}"),
            "body": body.as_str().map_or_else(|| body.to_string(), ToOwned::to_owned),
            "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1741944462589"},
            "messageAttributes": {"JobType": {"stringValue": job_type, "dataType": "String"}},
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:us-east-1:123456789012:{QUEUE_NAME}"),
            "awsRegion": "us-east-1",
        })
    };
    json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()}).to_string()
}

/// A batch of drills that all do the same.
pub(crate) fn drills(count: usize, order: &Value) -> String {
    batch("Drill", &vec![order.clone(); count])
}

/// The message ids that an answer hands back, in its order.
pub(crate) fn handed_back(answer: &Value) -> Vec<&str> {
    let failures = answer["batchItemFailures"].as_array().unwrap();
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap()).collect()
}
