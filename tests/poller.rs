//! What the built poller and the built worker ask of AWS, counted: requests are the bill.

use std::collections::{HashMap, HashSet};

use serde_json::json;

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

/// Receivers of a run: each may end with a poll that finds nothing.
const RECEIVERS: usize = 5;

/// How many requests of each kind there were, and the bound they are held to.
#[track_caller]
fn at_most_0_3_requests_a_message(aws: &Aws, messages: usize) {
    let operations = ["ReceiveMessage", "Invoke", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"];
    let counts: HashMap<&str, usize> =
        operations.into_iter().map(|operation| (operation, aws.calls(operation).len())).collect();
    assert_eq!(counts.values().sum::<usize>(), aws.count(), "no other requests than {counts:?}");
    // Delays for what failed and polls that found nothing are counted beside it.
    let empty = aws.calls("ReceiveMessage").len().saturating_sub(messages.div_ceil(10)).min(RECEIVERS);
    let counted = aws.count() - counts["ChangeMessageVisibilityBatch"] - empty;
    assert!(counted * 10 <= messages * 3, "{counted} requests for {messages} messages: {counts:?}");
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
    let invoked = run(&aws, &[("INVOCATION_TYPE", "Event"), ("WORKER_INSTANCES", "60")]).await;
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
    // A batch of twenty, by what the worker can do in its time.
    let settings = [("PAYLOAD_LIMIT_BYTES", "250000"), ("RECEIVERS", "1"), ("LONGEST_JOB_SECONDS", "12")];
    run(&aws, &settings).await.response();
    let invocations = aws.calls("Invoke");
    assert!(invocations.iter().all(|call| call.bytes <= 250_000), "a payload is over the limit");
    assert_eq!(invocations.len(), 10, "ten of 20 kB fit one payload, twenty do not");
    each_deleted_once(&aws, 100);
}

#[tokio::test]
async fn a_worker_that_cannot_be_invoked_ends_the_run_and_its_messages_stay_away_for_a_while() {
    let aws = Aws::start(donors(30)).await;
    aws.refuses("Invoke", 404, "ResourceNotFoundException");
    let invoked = poller(&aws, &[("RECEIVERS", "1")]).await.invoke(sample::read("schedule/scheduler")).await;
    assert_eq!(invoked.error().0, "NothingDispatched", "the Errors metric moves");

    assert_eq!((aws.calls("ReceiveMessage").len(), aws.calls("Invoke").len()), (1, 1), "the rest is the next run's");
    assert_eq!(aws.queue().backlog(), 20);
    let entries = aws.entries("ChangeMessageVisibilityBatch");
    assert_eq!(entries.len(), 10, "what was received is given back");
    let mut delays = entries.iter().map(|entry| entry["VisibilityTimeout"].as_u64().unwrap());
    assert!(delays.all(|seconds| (5..=10).contains(&seconds)), "{entries:?}");
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
