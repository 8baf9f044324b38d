//! What the built poller and the built worker ask of AWS, counted: requests are the bill.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use serde_json::json;
use sluicegate::clock::{Clock, SystemClock};

use crate::{
    aws::Aws,
    lambda::{Invoked, Lambda},
    sample_events::sample,
};

const QUEUE_URL: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/sluicegate-polled";

/// A poller of this AWS.
async fn poller(aws: &Aws, settings: &[(&str, &str)]) -> Lambda {
    let url = aws.url();
    let always =
        [("AWS_ENDPOINT_URL", url.as_str()), ("QUEUE_URL", QUEUE_URL), ("WORKER_FUNCTION", "sluicegate-sqs-worker")];
    Lambda::start("scheduled-poller", &[&always, settings].concat()).await
}

/// A run of a poller with a real worker behind it. What fails stays away for longer than the run, but for one delay in
/// some thousands: the jitter is the worker's own.
async fn run(aws: &Aws, settings: &[(&str, &str)]) -> Invoked {
    let (url, hours) = (aws.url(), "43200");
    let worker = [("AWS_ENDPOINT_URL", &*url), ("RETRY_INITIAL_SECONDS", hours), ("RETRY_MAX_SECONDS", hours)];
    aws.invokes(Lambda::start("sqs-worker", &worker).await);
    poller(aws, settings).await.invoke(sample::read("schedule/scheduler")).await
}

/// Bodies of good jobs.
fn donors(count: usize) -> impl Iterator<Item = String> {
    (1..=count).map(|number| json!({"name": format!("Donor {number}")}).to_string())
}

/// How many requests of each kind there were, and the bound they are held to.
#[track_caller]
fn at_most_0_3_requests_a_message(aws: &Aws, messages: usize) {
    let operations = ["ReceiveMessage", "Invoke", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"];
    let counts: HashMap<&str, usize> =
        operations.into_iter().map(|operation| (operation, aws.calls(operation).len())).collect();
    assert_eq!(counts.values().sum::<usize>(), aws.count(), "no other requests than {counts:?}");
    assert!(aws.count() * 10 <= messages * 3, "{} requests for {messages} messages: {counts:?}", aws.count());
}

#[track_caller]
fn each_deleted_once(aws: &Aws, messages: usize) {
    assert_eq!(aws.entries("DeleteMessageBatch").len(), messages, "one delete a message");
    let queue = aws.queue();
    let ids: HashSet<&String> = queue.deleted.iter().collect();
    assert_eq!((queue.deleted.len(), ids.len()), (messages, messages));
}

#[tokio::test]
async fn a_thousand_messages_as_events_cost_at_most_0_3_requests_each() {
    let aws = Aws::start(donors(1_000)).await;
    let invoked = run(&aws, &[("INVOCATION_TYPE", "Event")]).await;
    assert_eq!(invoked.response()["dispatched"], 1_000);
    assert_eq!(invoked.response()["drained"], true);
    aws.queue_becomes("empty", |queue| queue.deleted.len() == 1_000 && queue.in_flight() == 0).await;
    each_deleted_once(&aws, 1_000);
    at_most_0_3_requests_a_message(&aws, 1_000);
}

#[tokio::test]
async fn a_thousand_messages_with_answers_cost_at_most_0_3_requests_each() {
    let aws = Aws::start(donors(1_000)).await;
    let invoked = run(&aws, &[("INVOCATION_TYPE", "RequestResponse")]).await;
    assert_eq!(invoked.response()["dispatched"], 1_000);
    each_deleted_once(&aws, 1_000);
    at_most_0_3_requests_a_message(&aws, 1_000);
}

#[tokio::test]
async fn partial_failures_stay_within_0_3_requests_a_message() {
    let bodies = donors(990).chain(std::iter::repeat_n("no JSON".to_owned(), 10)).enumerate();
    // One in a hundred, spread out: as many invocations as can be have one.
    let mut bodies: Vec<(usize, String)> = bodies.collect();
    bodies.sort_by_key(|(index, _)| (index * 617) % 1_000);
    let aws = Aws::start(bodies.into_iter().map(|(_, body)| body)).await;
    run(&aws, &[("INVOCATION_TYPE", "RequestResponse")]).await.response();
    each_deleted_once(&aws, 990);
    assert!(aws.entries("ChangeMessageVisibilityBatch").len() >= 10, "each of the ten was given a delay");
    at_most_0_3_requests_a_message(&aws, 1_000);
}

#[tokio::test]
async fn large_messages_are_packed_by_bytes() {
    let large = std::iter::repeat_n(json!({"name": "x".repeat(20_000)}).to_string(), 100);
    let aws = Aws::start(large).await;
    run(&aws, &[("INVOCATION_TYPE", "RequestResponse"), ("PAYLOAD_LIMIT_BYTES", "250000"), ("RECEIVERS", "1")])
        .await
        .response();
    let invocations = aws.calls("Invoke");
    assert!(invocations.iter().all(|call| call.bytes <= 250_000), "a payload is over the limit");
    assert_eq!(invocations.len(), 9, "twelve of 20 kB fit one payload");
    each_deleted_once(&aws, 100);
}

#[tokio::test]
async fn a_failed_invoke_gives_its_messages_back_and_the_run_slows_down() {
    let aws = Aws::start(donors(30)).await;
    aws.refuses("Invoke", 404, "ResourceNotFoundException");
    let poller = poller(&aws, &[("BATCH_SIZE", "10"), ("RECEIVERS", "1")]).await;
    let deadline = SystemClock.now() + Duration::from_secs(30);
    let invoked = poller.invoke_until(sample::read("schedule/scheduler"), deadline).await;
    assert_eq!(invoked.error().0, "NothingDispatched", "the Errors metric moves");

    assert_eq!(aws.queue().backlog(), 30, "every message is back");
    let entries = aws.entries("ChangeMessageVisibilityBatch");
    assert_eq!(entries.len(), 10 * aws.calls("Invoke").len());
    assert!(entries.iter().all(|entry| entry["VisibilityTimeout"] == 0), "{entries:?}");
    assert!(SystemClock.now() < deadline, "it leaves the rest to the next run");

    let receives = aws.calls("ReceiveMessage");
    assert!(receives.len() <= 5, "{} receives", receives.len());
    let gaps: Vec<Duration> = receives.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    let [.., second, third] = gaps.as_slice() else { panic!("it was tried again: {gaps:?}") };
    assert!(*second >= Duration::from_millis(900) && *third >= Duration::from_millis(1_800), "{gaps:?}");
}

#[tokio::test]
async fn an_empty_queue_costs_one_receive_a_run() {
    let aws = Aws::start([]).await;
    let poller = poller(&aws, &[("RECEIVERS", "5")]).await;
    for runs in 1..=3 {
        let invoked = poller.invoke(sample::read("schedule/scheduler")).await;
        assert_eq!((&invoked.response()["receives"], &invoked.response()["drained"]), (&json!(1), &json!(true)));
        assert_eq!(aws.count(), runs);
    }
    let receives = aws.calls("ReceiveMessage");
    assert!(receives.iter().all(|call| call.input["WaitTimeSeconds"] == 20), "long polls: {receives:?}");
    assert!(receives.iter().all(|call| call.input["MaxNumberOfMessages"] == 10), "{receives:?}");
    let log = poller.log().await;
    assert_eq!(log.len(), 3, "a quiet run: {log:?}");
}
