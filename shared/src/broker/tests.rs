use serde_json::{Value, json};

use super::*;

async fn handled(event: &Value) -> Result<Summary, InvocationError> {
    handle(&event.to_string(), &async |_: &BrokerMessage, _: Option<&str>| Ok(())).await
}

fn active(messages: &[Value]) -> Value {
    json!({"eventSource": "aws:mq", "eventSourceArn": "arn:aws:mq:us-east-1:123456789012:broker:b", "messages": messages})
}

fn message(data: &str) -> Value {
    json!({"messageID": "ID:1", "destination": {"physicalName": "jobs"}, "data": data})
}

#[tokio::test]
async fn data_of_every_kind_is_handled() {
    let oversized = "QUFB".repeat(350_000);
    let messages = ["", "aGVsbG8=", "//4A", "G1sySg==", oversized.as_str()].map(message);
    assert_eq!(handled(&active(&messages)).await.unwrap(), Summary { done: 5, refused: 0 });
}

#[tokio::test]
async fn a_bad_message_does_not_fail_the_batch_it_came_in() {
    let messages = [message("aGk="), message("?"), json!(7), json!(null), message("aGk=")];
    assert_eq!(handled(&active(&messages)).await.unwrap(), Summary { done: 2, refused: 3 });
    let only_bad = json!({"rmqMessagesByQueue": {"jobs::/": [{"basicProperties": {}, "data": "?"}]}});
    assert_eq!(handled(&only_bad).await.unwrap(), Summary { done: 0, refused: 1 });
}

#[tokio::test]
async fn ten_thousand_messages_have_each_their_outcome() {
    let messages: Vec<Value> = (0..10_000).map(|place| message(if place % 2 == 0 { "aGk=" } else { "?" })).collect();
    assert_eq!(handled(&active(&messages)).await.unwrap(), Summary { done: 5_000, refused: 5_000 });
}

#[tokio::test]
async fn an_event_of_something_else_fails() {
    let error = handled(&json!({"Records": []})).await.unwrap_err().to_string();
    assert!(error.contains("`messages` (ActiveMQ) or `rmqMessagesByQueue` (RabbitMQ)"), "{error}");
}

#[test]
fn a_refused_body_is_cut_so_that_its_line_fits() {
    assert_eq!(cut_escaped("abc", 3), "abc");
    assert_eq!(cut_escaped("a\"bc", 4), "a\"b");
    assert_eq!(cut_escaped("한글", 7), "한");
    let rubbish = "\u{1}\"\\x".repeat(1_000_000);
    assert!(serde_json::to_string(cut_escaped(&rubbish, MAX_REFUSED_BYTES)).unwrap().len() <= MAX_REFUSED_BYTES + 2);
}

#[tokio::test]
async fn a_handler_that_fails_fails_the_invocation_once_all_had_their_turn() {
    let turns = std::cell::Cell::new(0);
    let handler = async |message: &BrokerMessage, _: Option<&str>| {
        turns.set(turns.get() + 1);
        if message.body == b"!" { Err(RecordError::retry("busy")) } else { Ok(()) }
    };
    let event = active(&["aGk=", "IQ==", "aGk="].map(message)).to_string();
    let error = handle(&event, &handler).await.unwrap_err().to_string();
    assert_eq!((error.as_str(), turns.get()), ("RecordsFailed: 1 failed, the first: busy", 3));
}
