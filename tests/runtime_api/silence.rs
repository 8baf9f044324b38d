//! A function stops in time even where AWS takes its requests and says nothing.

use std::time::Duration;

use serde_json::json;
use sluicegate::clock::{Clock, SystemClock};

use crate::{
    aws::Aws,
    lambda::{Invoked, Lambda, event},
    sample_events::sample,
};

/// Sends an event with this much time, and fails when the answer comes later.
async fn in_time(lambda: &Lambda, event: String, time: Duration) -> Invoked {
    let deadline = SystemClock.now() + time;
    let invoked = lambda.invoke_until(event, deadline).await;
    let late = SystemClock.now().duration_since(deadline);
    assert!(late.is_err(), "{late:?} too late: Lambda would have killed it; {invoked:?}");
    invoked
}

async fn worker(aws: &Aws) -> Lambda {
    let settings = [("AWS_ENDPOINT_URL", aws.url()), ("ENABLE_DRILLS", "true".to_owned())];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    Lambda::start("sqs-worker", &settings).await
}

async fn poller(aws: &Aws, invocation_type: &str) -> Lambda {
    let url = aws.url();
    let settings = [
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/polled"),
        ("WORKER_FUNCTION", "sqs-worker"),
        ("INVOCATION_TYPE", invocation_type),
        ("WORKER_TIMEOUT_SECONDS", "1"),
    ];
    Lambda::start("scheduled-poller", &settings).await
}

#[tokio::test]
async fn the_worker_answers_in_time_when_delays_are_not_answered() {
    let aws = Aws::start([]).await;
    aws.leaves_unanswered("ChangeMessageVisibilityBatch");
    let bodies = [json!({"drill": "fail"}), json!({"drill": "succeed"})];
    let invoked = in_time(&worker(&aws).await, event::batch("Drill", &bodies), Duration::from_secs(8)).await;
    assert_eq!(event::handed_back(invoked.response()), ["message-0"]);
}

#[tokio::test]
async fn the_worker_answers_in_time_when_deletes_are_not_answered() {
    let aws = Aws::start([]).await;
    aws.leaves_unanswered("DeleteMessageBatch");
    let worker = worker(&aws).await;
    let invoked = in_time(&worker, sample::read("dispatch/single-message"), Duration::from_secs(8)).await;
    assert_eq!(invoked.response()["not_deleted"].as_array().map(Vec::len), Some(1), "nothing is claimed");
}

#[tokio::test]
async fn the_poller_answers_in_time_when_receives_are_not_answered() {
    let aws = Aws::start([]).await;
    aws.leaves_unanswered("ReceiveMessage");
    in_time(&poller(&aws, "Event").await, sample::read("schedule/scheduler"), Duration::from_secs(10)).await;
}

#[tokio::test]
async fn the_poller_answers_in_time_when_the_worker_does_not() {
    for invocation_type in ["Event", "RequestResponse"] {
        let aws = Aws::start([json!({"name": "Ada"}).to_string()]).await;
        aws.leaves_unanswered("Invoke");
        let poller = poller(&aws, invocation_type).await;
        in_time(&poller, sample::read("schedule/scheduler"), Duration::from_secs(10)).await;
        assert_eq!(aws.calls("Invoke").len(), 1, "the same messages are not sent to a second worker");
    }
}
