use serde_json::json;

use super::*;
use crate::aws::replay::{answers, sent};

fn queue() -> Queue {
    Queue::from_arn("arn:aws:sqs:us-east-1:123456789012:jobs").unwrap()
}

#[tokio::test]
async fn entries_that_the_answer_does_not_name_have_failed() {
    let answer = json!({
        "Successful": [{"Id": "0"}],
        "Failed": [{"Id": "2", "Code": "ReceiptHandleIsInvalid", "SenderFault": true, "Message": "too old"}],
    });
    let (config, _) = answers(&[(200, &answer.to_string())]);
    let failed = SqsQueue::new(&config).delete(&queue(), &["a", "b", "c"]).await.unwrap();
    assert_eq!(failed.iter().map(|entry| entry.index).collect::<Vec<_>>(), [1, 2]);
    assert!(matches!(failed[0].failure, Failure::Transient(_)), "{failed:?}");
    assert!(matches!(failed[1].failure, Failure::HandleExpired(_)), "{failed:?}");
}

fn answered(code: &str, sender_fault: bool, message: &str) -> BatchResultErrorEntry {
    let entry = BatchResultErrorEntry::builder().id("0").code(code).sender_fault(sender_fault).message(message);
    entry.build().unwrap()
}

#[test]
fn a_throttle_is_for_the_moment_whoever_is_blamed_for_it() {
    for code in ["RequestThrottled", "ThrottlingException", "KmsThrottled", "OverLimit", "InternalError"] {
        let entry = answered(code, code != "InternalError", "later");
        assert!(matches!(of_handle(&entry), Failure::Transient(_)), "{code}");
        assert!(matches!(of_dead_letter(&entry), Failure::Transient(_)), "{code}");
    }
}

#[test]
fn a_handle_is_over_when_its_message_is_deleted_or_its_time_is() {
    let handle = |reason| format!("Value AQEB for parameter ReceiptHandle is invalid. Reason: {reason}.");
    let deleted = handle("Message does not exist or is not available for visibility timeout change");
    let expired = handle("The receipt handle has expired");
    for (code, message) in [
        ("InvalidParameterValue", deleted.as_str()),
        ("InvalidParameterValue", expired.as_str()),
        ("ReceiptHandleIsInvalid", "The input receipt handle is invalid."),
        ("AWS.SimpleQueueService.MessageNotInflight", "not in flight"),
    ] {
        let failure = of_handle(&answered(code, true, message));
        assert!(matches!(failure, Failure::HandleExpired(_)), "{code}: {failure:?}");
    }
    let beyond = "Value 43200 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the \
                  message is beyond the limit [43200 seconds].";
    let failure = of_handle(&answered("InvalidParameterValue", true, beyond));
    assert!(matches!(failure, Failure::Refused(_)), "{failure:?}");
    // Of a message that is sent, the same code says that it is too large.
    let too_large = of_dead_letter(&answered("InvalidParameterValue", true, "longer than allowed"));
    assert!(matches!(too_large, Failure::Refused(_)), "{too_large:?}");
}

#[tokio::test]
async fn delays_are_whole_seconds() {
    let answer = json!({"Successful": [{"Id": "0"}], "Failed": []});
    let (config, replay) = answers(&[(200, &answer.to_string())]);
    let change = VisibilityChange { receipt_handle: "a", timeout: Duration::from_millis(5_900) };
    assert!(SqsQueue::new(&config).change_visibility(&queue(), &[change]).await.unwrap().is_empty());
    assert_eq!(sent(&replay)[0]["Entries"][0], json!({"Id": "0", "ReceiptHandle": "a", "VisibilityTimeout": 5}));
}

#[tokio::test]
async fn a_letter_keeps_group_and_trace_and_is_known_by_its_message_id_on_a_fifo_queue() {
    let answer = json!({"Successful": [{"Id": "0", "MessageId": "n", "MD5OfMessageBody": ""}], "Failed": []});
    let dead_letter = DeadLetter {
        message_id: "m-1",
        body: "{}",
        attributes: [("JobType".to_owned(), MessageAttribute::text("NewDonor"))].into(),
        group_id: Some("red"),
        trace_header: Some("Root=1-2-3"),
    };
    let (config, replay) = answers(&[(200, &answer.to_string())]);
    let url = "https://sqs.us-east-1.amazonaws.com/123456789012/dead.fifo";
    assert!(SqsQueue::new(&config).send(url, std::slice::from_ref(&dead_letter)).await.unwrap().is_empty());
    let entry = &sent(&replay)[0]["Entries"][0];
    assert_eq!(entry["MessageGroupId"], "red");
    assert_eq!(entry["MessageDeduplicationId"], "m-1");
    assert_eq!(entry["MessageAttributes"]["JobType"], json!({"DataType": "String", "StringValue": "NewDonor"}));
    let trace = json!({"DataType": "String", "StringValue": "Root=1-2-3"});
    assert_eq!(entry["MessageSystemAttributes"]["AWSTraceHeader"], trace);
}

#[tokio::test]
async fn a_received_message_keeps_all_it_came_with() {
    let answer = json!({"Messages": [{
        "MessageId": "m-1", "ReceiptHandle": "h", "Body": "{}", "MD5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
        "Attributes": {"ApproximateReceiveCount": "2", "MessageGroupId": "red"},
        "MessageAttributes": {"Photo": {"DataType": "Binary", "BinaryValue": "AAEC"}},
    }]});
    let (config, replay) = answers(&[(200, &answer.to_string())]);
    let receive = Receive { wait: Duration::from_mins(1), ..Receive::default() };
    let messages = SqsQueue::new(&config).receive(&queue(), &receive).await.unwrap();
    assert_eq!(messages[0].attributes["ApproximateReceiveCount"], "2");
    assert_eq!(messages[0].message_attributes["Photo"].binary_value.as_deref(), Some("AAEC"));
    assert_eq!(sent(&replay)[0]["WaitTimeSeconds"], 20);
}

#[tokio::test]
async fn a_consumer_settles_how_many_it_takes_and_for_how_long_within_what_sqs_takes() {
    let (config, replay) = answers(&[(200, "{}"), (200, "{}")]);
    let adapter = SqsQueue::new(&config);
    let receive = Receive { max_messages: 3, wait: Duration::from_secs(5), visibility: Some(Duration::from_secs(90)) };
    assert!(adapter.receive(&queue(), &receive).await.unwrap().is_empty());
    let beyond = Receive { max_messages: 11, visibility: Some(Duration::from_hours(13)), ..receive };
    assert!(adapter.receive(&queue(), &beyond).await.unwrap().is_empty());
    let sent = sent(&replay);
    let asked = |place: usize| {
        ["MaxNumberOfMessages", "WaitTimeSeconds", "VisibilityTimeout"].map(|name| sent[place][name].clone())
    };
    assert_eq!(asked(0), [json!(3), json!(5), json!(90)]);
    assert_eq!(asked(1), [json!(10), json!(5), json!(43_200)]);
}
