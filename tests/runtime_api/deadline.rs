//! A function stops in time, whatever it is told of the time.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;
use sluicegate::clock::{Clock, SystemClock};

use super::FUNCTIONS;
use crate::{
    aws::Aws,
    lambda::{Lambda, event},
    sample_events::sample,
};

/// A quarter of it is in reserve: time enough to answer on a machine that is busy with other things.
const LIMIT: Duration = Duration::from_secs(12);

/// What `cargo lambda watch` says, always.
const OF_1970: Duration = Duration::from_mins(10);

#[tokio::test]
async fn slow_jobs_end_before_the_deadline_and_the_rest_is_handed_back() {
    let aws = Aws::start([]).await;
    let worker = Lambda::start(
        "sqs-worker",
        &[("AWS_ENDPOINT_URL", &aws.url()), ("ENABLE_DRILLS", "true"), ("BATCH_CONCURRENCY", "1")],
    )
    .await;
    let deadline = SystemClock.now() + LIMIT;
    let invoked = worker.invoke_until(event::drills(10, &json!({"drill": "sleep", "sleep_ms": 2_100})), deadline).await;
    assert!(SystemClock.now() < deadline, "it answered in time");

    let handed_back = event::handed_back(invoked.response());
    let done = 10 - handed_back.len();
    assert!((1..=5).contains(&done), "{done} jobs of 2.1 s within 9 s");
    let expected: Vec<String> = (done..10).map(|index| format!("message-{index}")).collect();
    assert_eq!(handed_back, expected, "the last ones, each once");

    let entries = aws.entries("ChangeMessageVisibilityBatch");
    let at_once = entries.iter().filter(|entry| entry["VisibilityTimeout"] == 0).count();
    assert_eq!(entries.len(), 10 - done);
    assert!(at_once >= 10 - done - 1, "what was not started comes back at once: {entries:?}");
    let log = worker.log().await;
    assert_eq!(log.iter().filter(|line| line.text("message") == "job done").count(), done);
}

#[tokio::test]
async fn a_job_that_outlasts_the_deadline_is_stopped_and_handed_back() {
    let aws = Aws::start([]).await;
    let worker = Lambda::start("sqs-worker", &[("AWS_ENDPOINT_URL", &aws.url()), ("ENABLE_DRILLS", "true")]).await;
    let bodies = [json!({"drill": "sleep", "sleep_ms": 50_000}), json!({"drill": "succeed"})];
    let deadline = SystemClock.now() + LIMIT;
    let invoked = worker.invoke_until(event::batch("Drill", &bodies), deadline).await;
    assert!(SystemClock.now() < deadline, "it answered in time");
    assert_eq!(event::handed_back(invoked.response()), ["message-0"]);
}

#[tokio::test]
async fn a_deadline_of_1970_is_taken_for_unknown() {
    let aws = Aws::start([]).await;
    let worker = Lambda::start("sqs-worker", &[("AWS_ENDPOINT_URL", &aws.url()), ("ENABLE_DRILLS", "true")]).await;
    let invoked = worker.invoke_until(event::drills(3, &json!({"drill": "succeed"})), UNIX_EPOCH + OF_1970).await;
    assert_eq!(event::handed_back(invoked.response()), [""; 0], "the jobs were done");
    assert_eq!(aws.count(), 0);
}

#[tokio::test]
async fn every_function_works_with_a_deadline_of_1970() {
    for function in FUNCTIONS {
        let (event, settings): (_, &[(&str, &str)]) = match function {
            "firehose-transformer" => ("firehose/direct-put", &[]),
            "kinesis-logger" => ("kinesis/batch", &[]),
            "mq-logger" => ("mq/rabbitmq", &[]),
            "s3-object-logger" => ("s3/object-created", &[]),
            "scheduled-poller" => (
                "schedule/scheduler",
                &[
                    ("QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/polled"),
                    ("WORKER_FUNCTION", "sqs-worker"),
                ],
            ),
            "sns-logger" => ("sns/notification", &[]),
            "thumbnailer" => ("sqs/s3-test-event", &[("THUMBNAIL_BUCKET", "thumbnails")]),
            _ => ("sqs/new-donor", &[]),
        };
        let aws = Aws::start([]).await;
        let url = aws.url();
        let lambda = Lambda::start(function, &[settings, &[("AWS_ENDPOINT_URL", url.as_str())]].concat()).await;
        lambda.invoke_until(sample::read(event), UNIX_EPOCH + OF_1970).await.response();
    }
}
