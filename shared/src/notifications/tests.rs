use std::cell::Cell;

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_handler_that_fails_fails_the_invocation_once_all_had_their_turn() {
    let record = |message: &str| json!({"Sns": {"MessageId": "m", "TopicArn": "t", "Message": message}});
    let event = json!({"Records": [record("a"), record("bad"), record("c")]}).to_string();
    let turns = Cell::new(0);
    let handler = async |notification: &Notification| {
        turns.set(turns.get() + 1);
        if notification.message == "bad" { Err(RecordError::retry("busy")) } else { Ok(()) }
    };
    let error = handle(&event, &handler).await.unwrap_err().to_string();
    assert_eq!((error.as_str(), turns.get()), ("RecordsFailed: 1 failed, the first: busy", 3));
}
