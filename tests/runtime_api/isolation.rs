//! One record's failure is its own, and costs few requests.

use serde_json::{Value, json};

use crate::{
    aws::Aws,
    lambda::{Lambda, event},
    sample_events::sample,
};

/// The worker with drills on, calling this AWS.
async fn worker(aws: &Aws, settings: &[(&str, &str)]) -> Lambda {
    let url = aws.url();
    let always = [("AWS_ENDPOINT_URL", url.as_str()), ("ENABLE_DRILLS", "true")];
    Lambda::start("sqs-worker", &[&always, settings].concat()).await
}

#[tokio::test]
async fn a_panic_in_the_release_binary_costs_only_its_own_record() {
    let aws = Aws::start([]).await;
    let worker = worker(&aws, &[]).await;
    let invoked = worker.invoke(sample::read("sqs/drill-panic")).await;
    assert_eq!(event::handed_back(invoked.response()), ["a82364e3-1875-4b16-a902-b556c2422235"]);

    let again = worker.invoke(sample::read("sqs/new-donor")).await;
    assert_eq!(event::handed_back(again.response()), [""; 0], "the process goes on");

    let log = worker.log().await;
    let failed = log.iter().find(|line| line.text("message") == "job failed").unwrap();
    assert_eq!(failed.text("reason"), "panicked: a drill");
    assert_eq!(failed.text("requestId"), invoked.request_id);
    assert_eq!(log.iter().filter(|line| line.text("message") == "job done").count(), 3, "{log:?}");
    let panicked = log.iter().find(|line| line.text("message") == "panicked").unwrap();
    assert_eq!(panicked.text("requestId"), invoked.request_id, "the panic's own line belongs to the invocation");

    assert_eq!(aws.calls("ChangeMessageVisibilityBatch").len(), 1);
    assert_eq!(aws.count(), 1, "nothing else was asked of AWS");
}

#[tokio::test]
async fn ten_failed_records_are_delayed_with_one_request() {
    let aws = Aws::start([]).await;
    let worker = worker(&aws, &[("FAIL_WHOLE_BATCH", "false")]).await;
    let invoked = worker.invoke(event::drills(10, &json!({"drill": "fail"}))).await;
    assert_eq!(event::handed_back(invoked.response()).len(), 10);

    let calls = aws.calls("ChangeMessageVisibilityBatch");
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].input["QueueUrl"], "https://sqs.us-east-1.amazonaws.com/123456789012/sluicegate-jobs");
    let entries = aws.entries("ChangeMessageVisibilityBatch");
    assert_eq!(entries.len(), 10);
    assert!(
        entries
            .iter()
            .all(|entry| entry["VisibilityTimeout"].as_u64().is_some_and(|seconds| (5..=10).contains(&seconds)))
    );
}

#[tokio::test]
async fn twenty_one_failed_records_are_delayed_with_three_requests() {
    let aws = Aws::start([]).await;
    let worker = worker(&aws, &[("FAIL_WHOLE_BATCH", "false")]).await;
    worker.invoke(event::drills(21, &json!({"drill": "fail"}))).await;
    let sizes: Vec<usize> = aws
        .calls("ChangeMessageVisibilityBatch")
        .iter()
        .map(|call| call.input["Entries"].as_array().map_or(0, Vec::len))
        .collect();
    assert_eq!((sizes.len(), sizes.iter().sum::<usize>()), (3, 21), "{sizes:?}");
    assert!(sizes.iter().all(|size| *size <= 10), "{sizes:?}");
}

#[tokio::test]
async fn a_batch_that_failed_as_a_whole_fails_the_invocation_and_is_still_delayed() {
    let aws = Aws::start([]).await;
    let worker = worker(&aws, &[]).await;
    let invoked = worker.invoke(event::drills(3, &json!({"drill": "fail"}))).await;
    assert_eq!(invoked.error().0, "WholeBatchFailed");
    assert_eq!(aws.entries("ChangeMessageVisibilityBatch").len(), 3);

    let one = worker.invoke(event::drills(1, &json!({"drill": "fail"}))).await;
    assert_eq!(event::handed_back(one.response()), ["message-0"], "a batch of one is answered");
}

#[tokio::test]
async fn rejected_records_go_to_the_dead_letter_queue_with_one_request_and_are_not_handed_back() {
    let aws = Aws::start([]).await;
    let queue = "https://sqs.us-east-1.amazonaws.com/123456789012/dead-letters";
    let worker = worker(&aws, &[("DEAD_LETTER_QUEUES", &format!("sluicegate-jobs={queue}"))]).await;
    let invoked = worker.invoke(sample::read("sqs/batch-with-bad-records")).await;
    assert_eq!(event::handed_back(invoked.response()), [""; 0]);

    let calls = aws.calls("SendMessageBatch");
    assert_eq!((calls.len(), aws.calls("DeleteMessageBatch").len(), aws.count()), (1, 1, 2), "sent, then deleted");
    assert_eq!(calls[0].input["QueueUrl"], queue);
    let letters = aws.entries("SendMessageBatch");
    let bodies: Vec<&str> = letters.iter().filter_map(|letter| letter["MessageBody"].as_str()).collect();
    assert_eq!(
        bodies,
        [
            "name=Not JSON at all",
            r#"{"statement":"April"}"#,
            r#"{"id":"donor-0004","name":"","amount_cents":700,"city":"Lyon"}"#,
        ]
    );
    for letter in &letters {
        let attributes = &letter["MessageAttributes"];
        let text = |name: &str| attributes[name]["StringValue"].as_str().unwrap_or_default();
        assert_ne!(text("sluicegate.reason"), "", "{letter}");
        assert_eq!(
            (text("sluicegate.source"), text("sluicegate.receives")),
            ("arn:aws:sqs:us-east-1:123456789012:sluicegate-jobs", "1"),
            "{letter}"
        );
        assert_ne!(text("JobType"), "", "the producer's own attribute is kept: {letter}");
    }
}

#[tokio::test]
async fn a_rejected_record_that_the_dead_letter_queue_does_not_take_is_handed_back() {
    let aws = Aws::start([]).await;
    aws.refuses("SendMessageBatch", 400, "AWS.SimpleQueueService.NonExistentQueue");
    let queues = "sluicegate-jobs=https://sqs.us-east-1.amazonaws.com/123456789012/dead-letters";
    let worker = worker(&aws, &[("DEAD_LETTER_QUEUES", queues)]).await;
    let bodies = [json!({"drill": "reject"}), json!({"drill": "succeed"})];
    let invoked = worker.invoke(event::batch("Drill", &bodies)).await;
    assert_eq!(event::handed_back(invoked.response()), ["message-0"]);
    assert_eq!(aws.calls("SendMessageBatch").len(), 2, "once with its notes, once without, and not again");
    let log = worker.log().await;
    let line = log.iter().find(|line| line.text("message") == "dead letter not sent").unwrap();
    assert_eq!((line.text("level"), line.text("record.message_id")), ("ERROR", "message-0"));
}

#[tokio::test]
async fn a_dispatch_deletes_what_is_done_with_one_request() {
    let aws = Aws::start([]).await;
    let worker = worker(&aws, &[]).await;
    let invoked = worker.invoke(sample::read("dispatch/messages")).await;
    let failed = "566f799d-ef88-44cf-b005-f27d1fe3cc67";
    assert_eq!(invoked.response(), &json!({"done": 2, "failed": [failed], "not_deleted": Value::Array(vec![])}));
    assert_eq!((aws.calls("DeleteMessageBatch").len(), aws.entries("DeleteMessageBatch").len()), (1, 2));
    assert_eq!(aws.count(), 2, "one delete, one delay");
}
