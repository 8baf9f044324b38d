use std::cell::Cell;

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_handler_that_fails_fails_the_invocation_once_all_had_their_turn() {
    let record = |key: &str| json!({"s3": {"bucket": {"name": "b"}, "object": {"key": key}}});
    let event = json!({"Records": [record("bad"), record("b")]}).to_string();
    let turns = Cell::new(0);
    let handler = async |object: &ObjectEvent| {
        turns.set(turns.get() + 1);
        if object.key == "bad" { Err(RecordError::retry("busy")) } else { Ok(()) }
    };
    let error = handle(&event, &handler).await.unwrap_err().to_string();
    assert_eq!((error.as_str(), turns.get()), ("RecordsFailed: 1 failed, the first: busy", 2));
}

#[tokio::test]
async fn what_a_queue_brings_and_cannot_be_read_is_named_and_the_rest_is_done() {
    let message = |id: &str, body: &str| json!({"messageId": id, "body": body, "eventSource": "aws:sqs"});
    let good = json!({"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}}]}).to_string();
    let event = json!({"Records": [message("m-0", "?"), message("m-1", &good)]}).to_string();
    let summary = handle(&event, &async |_: &ObjectEvent| Ok(())).await.unwrap();
    assert_eq!(
        serde_json::to_value(summary).unwrap(),
        json!({"done": 1, "batchItemFailures": [{"itemIdentifier": "m-0"}]})
    );
}
