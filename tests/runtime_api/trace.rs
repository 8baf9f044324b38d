//! An invocation's trace goes on with everything the invocation calls.

use serde_json::{Value, json};

use super::FUNCTIONS;
use crate::{
    aws::Aws,
    lambda::{
        Lambda,
        event::{batch, drills},
    },
    sample_events::sample,
};

const POLLED: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/sluicegate-polled";

/// Every call of a function that this event makes it do, and of the same event a second time.
async fn each_call_carries_its_invocation_s_trace(function: &'static str, settings: &[(&str, &str)], event: &str) {
    assert!(FUNCTIONS.contains(&function));
    let aws = Aws::start([]).await;
    let lambda = Lambda::start(function, &[settings, &[("AWS_ENDPOINT_URL", &aws.url())]].concat()).await;
    let mut traces = Vec::new();
    for _ in 0..2 {
        let before = aws.count();
        let trace = lambda.invoke(event.to_owned()).await.trace;
        let calls = aws.all_calls().split_off(before);
        assert!(!calls.is_empty(), "{function} called nothing");
        for call in calls {
            assert_eq!(call.trace.as_ref(), Some(&trace), "{}", call.operation);
        }
        traces.push(trace);
    }
    assert_ne!(traces[0], traces[1]);
}

#[tokio::test]
async fn a_poller_s_receives_belong_to_the_run() {
    let settings = [("QUEUE_URL", POLLED), ("WORKER_FUNCTION", "sqs-worker")];
    each_call_carries_its_invocation_s_trace("scheduled-poller", &settings, &sample::read("schedule/scheduler")).await;
}

#[tokio::test]
async fn a_worker_is_invoked_within_the_poller_s_trace_and_a_message_keeps_its_own() {
    let aws = Aws::start([json!({"name": "Ada"}).to_string()]).await;
    let url = aws.url();
    aws.invokes(Lambda::start("sqs-worker", &[("AWS_ENDPOINT_URL", &url)]).await);
    let settings = [("AWS_ENDPOINT_URL", &*url), ("QUEUE_URL", POLLED), ("WORKER_FUNCTION", "sqs-worker")];
    let trace =
        Lambda::start("scheduled-poller", &settings).await.invoke(sample::read("schedule/scheduler")).await.trace;
    let invocations = aws.calls("Invoke");
    assert_eq!(invocations.len(), 1);
    assert_eq!(invocations[0].trace.as_ref(), Some(&trace));
}

#[tokio::test]
async fn a_worker_s_visibility_changes_belong_to_its_invocation() {
    let settings = [("ENABLE_DRILLS", "true")];
    let event = drills(2, &json!({"drill": "fail"}));
    each_call_carries_its_invocation_s_trace("sqs-worker", &settings, &event).await;
}

#[tokio::test]
async fn an_alert_belongs_to_the_object_s_trace() {
    let settings = [("ALERT_TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:alerts"), ("ALERT_ROUTES", "all")];
    each_call_carries_its_invocation_s_trace("s3-object-logger", &settings, &sample::read("s3/object-created")).await;
}

#[tokio::test]
async fn a_batch_is_linked_to_the_traces_its_records_came_from() {
    let mut event: Value = serde_json::from_str(&batch("NewDonor", &vec![json!({"name": "Ada"}); 3])).unwrap();
    let roots = ["1-5759e988-bd862e3fe1be46a994272793", "1-5759e989-bd862e3fe1be46a994272793"];
    for (record, root) in event["Records"].as_array_mut().unwrap().iter_mut().zip(roots) {
        record["attributes"]["AWSTraceHeader"] = json!(format!("Root={root};Parent=53995c3f42cd8ad8;Sampled=1"));
    }
    let worker = Lambda::start("sqs-worker", &[]).await;
    worker.invoke(event.to_string()).await;
    let log = worker.log().await;
    let finished = log.iter().find(|line| line.text("message") == "batch finished").unwrap();
    assert_eq!(finished.text("trace.links"), roots.join(","));
}
