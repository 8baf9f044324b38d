//! The log is what Lambda was told it is, in every function.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::FUNCTIONS;
use crate::{
    aws::Aws,
    lambda::{Lambda, Line, event::batch},
    sample_events::sample,
};

/// The worker's log of events that make it say something at INFO, WARN and ERROR, with these settings.
async fn lines(settings: &[(&str, &str)]) -> Vec<String> {
    let aws = Aws::start([]).await;
    let url = aws.url();
    let worker = Lambda::start("sqs-worker", &[settings, &[("AWS_ENDPOINT_URL", url.as_str())]].concat()).await;
    for sample in ["sqs/batch-with-bad-records", "sqs/missing-body", "garbage/wrong-shape"] {
        worker.invoke(sample::read(sample)).await;
    }
    worker.output().await
}

/// The levels that stand in those lines.
async fn levels(settings: &[(&str, &str)]) -> BTreeSet<String> {
    let lines = lines(settings).await;
    lines.iter().map(|line| Line::read(line).text("level").to_owned()).collect()
}

fn set(levels: &[&str]) -> BTreeSet<String> {
    levels.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn every_configured_level_is_obeyed() {
    for (level, expected) in [
        ("DEBUG", set(&["INFO", "WARN", "ERROR"])),
        ("INFO", set(&["INFO", "WARN", "ERROR"])),
        ("WARN", set(&["WARN", "ERROR"])),
        ("ERROR", set(&["ERROR"])),
        ("FATAL", set(&[])),
    ] {
        assert_eq!(levels(&[("AWS_LAMBDA_LOG_LEVEL", level)]).await, expected, "{level}");
    }
}

/// At TRACE the SDK's signer would log every request with its headers, the session token among them.
#[tokio::test]
async fn at_trace_no_library_logs_what_it_sends() {
    let expected = set(&["INFO", "WARN", "ERROR"]);
    assert_eq!(levels(&[("AWS_LAMBDA_LOG_LEVEL", "TRACE")]).await, expected, "no function writes at TRACE itself");
}

#[tokio::test]
async fn rust_log_counts_only_where_no_level_is_configured() {
    assert_eq!(levels(&[("RUST_LOG", "error")]).await, set(&["ERROR"]));
    let both = [("RUST_LOG", "error"), ("AWS_LAMBDA_LOG_LEVEL", "WARN")];
    assert_eq!(levels(&both).await, set(&["WARN", "ERROR"]));
    assert_eq!(levels(&[]).await, set(&["INFO", "WARN", "ERROR"]), "INFO is the default");
}

#[tokio::test]
async fn every_line_of_every_function_is_json_that_begins_as_the_contract_says() {
    let events = [
        "firehose/malformed",
        "garbage/wrong-shape",
        "kinesis/wrong-base64-in-the-middle",
        "mq/wrong-base64",
        "s3/folder-upload",
        "schedule/scheduler",
        "sns/several-records",
        "sqs/drill-panic",
    ];
    for function in FUNCTIONS {
        let aws = Aws::start([]).await;
        let settings = [
            ("AWS_ENDPOINT_URL", aws.url()),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON".to_owned()),
            ("ENABLE_DRILLS", "true".to_owned()),
            ("QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/polled".to_owned()),
            ("WORKER_FUNCTION", "sqs-worker".to_owned()),
            ("THUMBNAIL_BUCKET", "thumbnails".to_owned()),
        ];
        let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let lambda = Lambda::start(function, &settings).await;
        for event in events {
            lambda.invoke(sample::read(event)).await;
        }
        let log = lambda.log().await;
        let first = log.first().unwrap().text("requestId").to_owned();
        for line in log {
            let names = line.names();
            assert_eq!(names[..5], ["timestamp", "level", "message", "requestId", "function"], "{line:?}");
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "no field twice: {line:?}");
            assert!(line.text("requestId").starts_with("request-"), "{line:?}");
            assert_eq!(line.text("function"), function);
            assert_eq!(names.contains(&"cold_start"), line.text("requestId") == first, "{line:?}");
            let timestamp = line.text("timestamp");
            assert!(timestamp.len() == 24 && timestamp.ends_with('Z'), "milliseconds, UTC: {line:?}");
        }
    }
}

#[tokio::test]
async fn text_is_written_where_text_is_configured() {
    let lines = lines(&[("AWS_LAMBDA_LOG_FORMAT", "Text")]).await;
    for line in &lines {
        assert!(!line.starts_with('{'), "{line}");
        assert!(line.contains(" requestId=request-"), "{line}");
    }
    let failed = lines.iter().find(|line| line.contains(" WARN  job failed")).unwrap();
    assert!(failed.contains(r#"job.type="PrintStatement""#) || failed.contains(r#"reason="not a valid job"#));
}

/// Twenty notifications in one event instead of one.
fn twenty(sample: &str) -> String {
    let mut event: Value = serde_json::from_str(&sample::read(sample)).unwrap();
    let records = event["Records"].as_array_mut().unwrap();
    *records = records.iter().cycle().take(20).cloned().collect();
    event.to_string()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_invocation_s_lines_are_one_write_however_many_they_are() {
    let (one, many) = (sample::read("sns/notification"), twenty("sns/notification"));
    let logger = Lambda::start("sns-logger", &[]).await;
    logger.invoke(one.clone()).await;
    let of_one = logger.writes_for(one).await;
    let of_many = logger.writes_for(many).await;
    assert!(of_one > 0);
    // The request for the next event may fall on either side of a count.
    assert!(of_many.abs_diff(of_one) <= 2, "{of_many} writes for twenty records, {of_one} for one");
    assert_eq!(logger.log().await.len(), 22);
}

/// A time-out is a kill. What was logged a moment before is written by then, though its invocation never ended.
#[tokio::test]
async fn what_was_logged_before_a_kill_is_not_lost() {
    let worker = Lambda::start("sqs-worker", &[("ENABLE_DRILLS", "true")]).await;
    let bodies = [json!({"drill": "succeed"}), json!({"drill": "sleep", "sleep_ms": 50_000})];
    let log = worker.killed_after(batch("Drill", &bodies), "job done").await;
    assert_eq!(log.len(), 1, "{log:?}");
    assert_eq!(log[0].text("record.message_id"), "message-0");
}
