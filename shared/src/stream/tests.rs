use std::cell::RefCell;

use serde_json::json;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_tables_changes_stop_at_the_first_that_is_not_done_and_name_it() {
    let change = |number: &str, key: &str| {
        json!({"eventName": "INSERT", "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/donors/stream/2026",
               "dynamodb": {"SequenceNumber": number, "Keys": {"id": {"S": key}}}})
    };
    let event = json!({"Records": [change("1", "a"), change("2", "bad"), change("3", "c")]}).to_string();
    let ran = RefCell::new(Vec::new());
    let follow = async |change: &TableChange| {
        ran.borrow_mut().push(change.sequence_number.clone());
        let is_bad = change.keys.as_ref().is_some_and(|keys| keys.as_json().contains("bad"));
        if is_bad { Err(RecordError::retry("busy")) } else { Ok(()) }
    };
    let settings = StreamSettings::read(&mut Settings::new(&|_| None));
    let invocation = Invocation { request_id: "r".to_owned(), remaining: Some(Duration::from_secs(30)) };
    let answer = handle(&settings, &SystemClock, &event, &invocation, &follow).await.unwrap();
    assert_eq!(serde_json::to_value(answer).unwrap(), json!({"batchItemFailures": [{"itemIdentifier": "2"}]}));
    assert_eq!(ran.into_inner(), ["1", "2"]);
}
