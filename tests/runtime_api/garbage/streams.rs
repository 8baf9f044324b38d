//! The functions on streams, brokers and images.

use serde_json::{Value, json};

use super::{
    Expected::{Fails, Refuses, Takes},
    MIB, changed, garbage, sample, survives,
};

/// The sample with as many records as this: copies of its first.
fn many(sample: &str, list: &str, id: &str, records: usize) -> String {
    let mut event: Value = serde_json::from_str(&sample::read(sample)).unwrap();
    let first = event.pointer(list).unwrap()[0].clone();
    let copies = (0..records).map(|number| {
        let mut copy = first.clone();
        let old = copy[id].as_str().unwrap();
        copy[id] = Value::from(format!("{old}{number}"));
        copy
    });
    *event.pointer_mut(list).unwrap() = copies.collect();
    event.to_string()
}

/// Base64 of so many bytes.
fn data(bytes: usize) -> String {
    "AAAA".repeat(bytes / 3)
}

#[tokio::test]
async fn the_kinesis_logger_survives_garbage_and_ten_thousand_records() {
    let events = vec![
        garbage("a list", sample::read("garbage/not-an-object"), Takes),
        garbage("null", sample::read("garbage/null"), Fails("null, not an object")),
        garbage("another shape", sample::read("garbage/wrong-shape"), Fails("no Records")),
        garbage("no list", sample::read("garbage/records-not-a-list"), Fails("is a number, not a list")),
        garbage("no objects", sample::read("garbage/record-not-an-object"), Fails("a number, not an object")),
        garbage(
            "no sequence number",
            sample::read("kinesis/missing-sequence-number"),
            Fails("no kinesis.sequenceNumber"),
        ),
        garbage("no base64", sample::read("kinesis/wrong-base64-in-the-middle"), Refuses("not base64")),
        garbage("no base64 first", sample::read("kinesis/wrong-base64-first"), Fails("none of")),
        garbage("no text", sample::read("kinesis/not-utf8"), Takes),
        garbage("no data", sample::read("kinesis/empty-data"), Takes),
        garbage("1 MiB", changed("kinesis/batch", "/Records/0/kinesis/data", &data(MIB)), Takes),
        garbage("10,000 records", many("kinesis/batch", "/Records", "eventID", 10_000), Takes),
        garbage("no records", sample::read("kinesis/zero-records"), Takes),
    ];
    survives("kinesis-logger", &[], events, "kinesis/batch").await;
}

#[tokio::test]
async fn the_firehose_transformer_survives_garbage_and_ten_thousand_records() {
    let events = vec![
        garbage("a list", sample::read("garbage/not-an-object"), Fails("a list, not an object")),
        garbage("null", sample::read("garbage/null"), Fails("null, not an object")),
        garbage("another shape", sample::read("garbage/wrong-shape"), Fails("no records")),
        garbage("no record id", sample::read("firehose/missing-record-id"), Fails("no recordId")),
        garbage("an id twice", sample::read("firehose/repeated-record-id"), Fails("recordId of its own")),
        garbage("no base64", sample::read("firehose/wrong-base64"), Refuses("not base64")),
        garbage("no text", sample::read("firehose/not-utf8"), Refuses("not UTF-8")),
        garbage("no JSON", sample::read("firehose/malformed"), Refuses("not JSON")),
        garbage("no data", sample::read("firehose/empty-data"), Takes),
        garbage("1 MiB", changed("firehose/direct-put", "/records/0/data", &data(MIB)), Refuses("not JSON")),
        garbage("10,000 records", many("firehose/direct-put", "/records", "recordId", 10_000), Takes),
        garbage("no records", sample::read("firehose/zero-records"), Takes),
    ];
    survives("firehose-transformer", &[], events, "firehose/direct-put").await;
}

#[tokio::test]
async fn the_mq_logger_survives_garbage_and_ten_thousand_messages() {
    let events = vec![
        garbage("a list", sample::read("garbage/not-an-object"), Fails("a list, not an object")),
        garbage("null", sample::read("garbage/null"), Fails("null, not an object")),
        garbage("another shape", sample::read("garbage/wrong-shape"), Fails("`messages`")),
        garbage("no base64", sample::read("mq/wrong-base64"), Refuses("not base64")),
        garbage("no destination", sample::read("mq/missing-destination"), Takes),
        garbage("no priority", sample::read("mq/rabbitmq-null-priority"), Takes),
        garbage("1 MiB", changed("mq/activemq-text", "/messages/0/data", &data(MIB)), Takes),
        garbage("10,000 messages", many("mq/activemq-text", "/messages", "messageID", 10_000), Takes),
        garbage("no messages", sample::read("mq/activemq-zero-messages"), Takes),
    ];
    survives("mq-logger", &[], events, "mq/activemq-text").await;
}

#[tokio::test]
async fn the_thumbnailer_survives_garbage() {
    let no_notification = json!({"Records": 7}).to_string();
    let events = vec![
        garbage("a list", sample::read("garbage/not-an-object"), Takes),
        garbage("null", sample::read("garbage/null"), Fails("null, not an object")),
        garbage("another shape", sample::read("garbage/wrong-shape"), Fails("no Records")),
        garbage("no message id", sample::read("sqs/missing-message-id"), Fails("cannot be named")),
        garbage("no body", sample::read("sqs/missing-body"), Refuses("no body")),
        garbage(
            "no notification",
            changed("sqs/s3-sns-raw", "/Records/0/body", &no_notification),
            Refuses("is a number, not a list"),
        ),
        garbage("1 MiB", changed("sqs/s3-sns-raw", "/Records/0/body", &"x".repeat(MIB)), Refuses("expected value")),
        garbage("a test event", sample::read("sqs/s3-test-event"), Takes),
        garbage("no records", sample::read("sqs/zero-records"), Takes),
    ];
    survives("thumbnailer", &[("THUMBNAIL_BUCKET", "thumbnails")], events, "sqs/s3-test-event").await;
}
