//! Records through Kinesis, and through Firehose into a bucket.

use aws_sdk_firehose::types::Record;
use aws_sdk_kinesis::{primitives::Blob, types::PutRecordsRequestEntry};
use serde_json::{Value, json};

use super::{
    Stack,
    job::run_mark,
    log::{Line, Log},
    turn::beside_others,
    wait::eventually,
};

#[tokio::test]
async fn every_record_of_a_stream_is_logged_and_those_of_a_partition_key_in_their_order() {
    let (stack, _turn) = (Stack::of_make_test(), beside_others().await);
    let mut log = Log::from_now(&stack, "KinesisLoggerFunctionName");
    let mark = run_mark("stream");
    let wanted = |key: &str| -> Vec<String> { (0..40).map(|number| format!("{mark} {key} {number}")).collect() };
    let keys = ["red", "green", "blue"];
    let rows = (0..40).flat_map(|number| keys.map(|key| (key, format!("{mark} {key} {number}"))));
    let entries = rows
        .map(|(key, text)| PutRecordsRequestEntry::builder().partition_key(key).data(Blob::new(text)).build().unwrap());
    let put = stack.kinesis.put_records().stream_name(stack.output("StreamName"));
    let answer = put.set_records(Some(entries.collect())).send().await.unwrap();
    assert_eq!(answer.failed_record_count, Some(0));

    let received = |line: &&Line| line.says("stream record received") && line.text("body").starts_with(&mark);
    eventually("120 records in the log", async || match log.read().await.iter().filter(received).count() {
        120 => Ok(()),
        other => Err(format!("{other} records")),
    })
    .await;
    let lines: Vec<&Line> = log.read().await.iter().filter(received).collect();
    for key in keys {
        let of_key = lines.iter().filter(|line| line.text("record.partition_key") == key);
        assert_eq!(of_key.clone().map(|line| line.text("body")).collect::<Vec<_>>(), wanted(key));
        let shards: std::collections::HashSet<&str> = of_key.map(|line| line.text("shard.id")).collect();
        assert_eq!(shards.len(), 1, "a partition key lives in one shard: {shards:?}");
    }
}

#[tokio::test]
async fn firehose_delivers_clean_lines_without_what_is_dropped_or_broken() {
    let (stack, _turn) = (Stack::of_make_test(), beside_others().await);
    let mut log = Log::from_now(&stack, "FirehoseTransformerFunctionName");
    let mark = run_mark("delivery");
    let rows = [
        json!({"run": mark, "n": 1, "level": "INFO"}).to_string(),
        json!({"run": mark, "n": 2, "level": "DEBUG"}).to_string(),
        format!("{{\"run\": \"{mark}\", no JSON"),
        // Two lines in one record, and a number that no f64 holds.
        format!("{{\"run\": \"{mark}\", \"n\": 3}}\n\n {{ \"run\" : \"{mark}\", \"n\": 12345678901234567890.125 }}"),
    ];
    let record = |row: &String| Record::builder().data(aws_sdk_firehose::primitives::Blob::new(row.as_bytes())).build();
    let records: Vec<Record> = rows.iter().map(|row| record(row).unwrap()).collect();
    let put = stack.firehose.put_record_batch().delivery_stream_name(stack.output("DeliveryStreamName"));
    let answer = put.set_records(Some(records)).send().await.unwrap();
    assert_eq!(answer.failed_put_count, 0);

    let lines = eventually("three lines in the bucket", async || {
        let found = delivered(&stack, &mark).await;
        if found.len() >= 3 { Ok(found) } else { Err(format!("{found:?}")) }
    })
    .await;
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("12345678901234567890.125")), "{lines:?}");
    for line in &lines {
        let row: Value = serde_json::from_str(line).unwrap();
        assert!(row["ingested_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{row}");
        assert!(row["source"].as_str().is_some_and(|source| source.contains("delivery")), "{row}");
        assert_ne!(row["level"], "DEBUG");
    }
    log.line("record failed", |line| line.text("reason").contains("not JSON")).await;
}

/// The delivered lines that hold `mark`, in no order: here each record is an object of its own.
async fn delivered(stack: &Stack, mark: &str) -> Vec<String> {
    let bucket = stack.output("DeliveryBucketName");
    let listed = stack.s3.list_objects_v2().bucket(bucket).prefix("records/").send().await.unwrap();
    let mut lines = Vec::new();
    for object in listed.contents() {
        let object = stack.s3.get_object().bucket(bucket).key(object.key().unwrap()).send().await.unwrap();
        let body = object.body.collect().await.unwrap().into_bytes();
        let text = std::str::from_utf8(&body).unwrap();
        lines.extend(text.lines().filter(|line| line.contains(mark)).map(ToOwned::to_owned));
    }
    lines
}
