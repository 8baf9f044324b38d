//! Metrics of built functions: a line an invocation, at every level, and none unless asked for.

use serde_json::Value;

use super::FUNCTIONS;
use crate::{aws::Aws, lambda::Lambda, sample_events::sample};

/// One for each source: what is not a function's own fails its invocation, and nothing is measured.
const EVENTS: [&str; 7] = [
    "firehose/direct-put",
    "kinesis/batch",
    "mq/rabbitmq",
    "s3/folder-upload",
    "schedule/scheduler",
    "sns/several-records",
    "sqs/batch-with-bad-records",
];

/// What the function writes of these events, each line read.
async fn lines(function: &'static str, settings: &[(&str, &str)]) -> Vec<Value> {
    let aws = Aws::start([]).await;
    let url = aws.url();
    let always = [
        ("AWS_ENDPOINT_URL", &*url),
        ("QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/sluicegate-polled"),
        ("WORKER_FUNCTION", "sqs-worker"),
        ("THUMBNAIL_BUCKET", "thumbnails"),
    ];
    let lambda = Lambda::start(function, &[&always, settings].concat()).await;
    for event in EVENTS {
        lambda.invoke(sample::read(event)).await;
    }
    lambda.output().await.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn is_metrics(line: &Value) -> bool {
    line.get("_aws").is_some()
}

#[tokio::test]
async fn each_function_measures_what_it_takes_and_says_it_at_every_level() {
    for function in FUNCTIONS {
        for level in ["INFO", "WARN", "FATAL"] {
            let settings = [("METRICS_NAMESPACE", "Sluicegate"), ("AWS_LAMBDA_LOG_LEVEL", level)];
            let lines = lines(function, &settings).await;
            let metrics: Vec<&Value> = lines.iter().filter(|line| is_metrics(line)).collect();
            assert!(!metrics.is_empty(), "{function} at {level}: {lines:?}");
            for line in metrics {
                assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Namespace"], "Sluicegate");
                assert_eq!((&line["level"], &line["message"]), (&level.into(), &"metrics".into()));
                assert_eq!(line["function"], function, "the dimension is the name: {line}");
                let of_one = lines.iter().filter(|other| is_metrics(other) && other["requestId"] == line["requestId"]);
                assert_eq!(of_one.count(), 1, "one line an invocation: {line}");
            }
        }
    }
}

#[tokio::test]
async fn no_function_measures_without_a_namespace() {
    for function in FUNCTIONS {
        let lines = lines(function, &[]).await;
        assert!(!lines.is_empty());
        assert!(!lines.iter().any(is_metrics), "{function}");
    }
}

#[tokio::test]
async fn a_batch_with_bad_records_is_counted_by_fate() {
    let lines = lines("sqs-worker", &[("METRICS_NAMESPACE", "Sluicegate")]).await;
    let of_queue = lines.iter().find(|line| is_metrics(line) && line["queue"] == "sluicegate-jobs").unwrap();
    let is_it = |line: &&Value| line["message"] == "batch finished" && line["requestId"] == of_queue["requestId"];
    let finished = lines.iter().find(is_it).unwrap();
    assert_eq!(of_queue["Records"], finished["batch.size"]);
    let failures = ["RecordsRetried", "RecordsRejected", "RecordsGivenUp"];
    let failed: u64 = failures.iter().filter_map(|name| of_queue[name].as_u64()).sum();
    assert_eq!(Some(failed), finished["batch.failures"].as_u64(), "{of_queue}");
}
