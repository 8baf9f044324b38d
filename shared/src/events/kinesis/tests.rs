use chrono::DateTime;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{read::time, *};
use crate::events::EventError;

const ARN: &str = "arn:aws:kinesis:us-east-1:123456789012:stream/clicks";

fn wire(sequence_number: &str, kinesis: &Value) -> Value {
    json!({"eventID": format!("shardId-000000000000:{sequence_number}"), "eventSourceARN": ARN, "kinesis": kinesis})
}

fn read(records: &[Value]) -> Result<Option<StreamBatch>, EventError> {
    read_stream_records(&json!({"Records": records}).to_string())
}

#[test]
fn a_record_is_known_by_its_event_id() {
    let good = json!({"partitionKey": "k", "data": "aGVsbG8=", "approximateArrivalTimestamp": 1_480_641_523.5});
    let batch = read(&[wire("495", &good)]).unwrap().unwrap();
    let record = batch.records[0].as_ref().unwrap();
    assert_eq!((record.shard_id.as_str(), record.sequence_number.as_str()), ("shardId-000000000000", "495"));
    assert_eq!((batch.stream.name(), batch.stream.arn()), ("clicks", ARN));
    assert_eq!(record.body, b"hello");
}

#[test]
fn a_bad_record_fails_alone_and_in_its_place() {
    let kinesis = |data: Value| json!({"partitionKey": "k", "data": data});
    let bad = [
        (kinesis(json!("!!!")), "data of the Kinesis record is not base64 at byte 0"),
        (kinesis(json!(7)), "kinesis.data of the Kinesis record is a number, not a text"),
        (kinesis(json!(null)), "Kinesis record has no kinesis.data"),
        (json!([]), "Kinesis record has no data"),
        (json!(null), "Kinesis record has no data"),
    ];
    for (bad, problem) in bad {
        let good = kinesis(json!(""));
        let batch = read(&[wire("1", &good), wire("2", &bad), wire("3", &good)]).unwrap().unwrap();
        let [Ok(_), Err(malformed), Ok(_)] = &batch.records[..] else { panic!("{:?}", batch.records) };
        assert_eq!(malformed.sequence_number, "2");
        assert_eq!(malformed.problem.to_string(), problem);
    }
}

#[test]
fn a_record_needs_its_number_and_its_data_only() {
    for lean in [
        json!({"kinesis": {"sequenceNumber": "1", "data": "", "partitionKey": 7, "approximateArrivalTimestamp": "now"}}),
        json!({"eventID": 7, "eventSourceARN": [], "kinesis": {"sequenceNumber": "1", "data": ""}}),
        json!({"sequenceNumber": "1", "data": "", "eventSourceARN": "arn:aws:sqs:us-east-1:1:q"}),
        json!({"eventID": ":1", "data": ""}),
    ] {
        let batch = read(std::slice::from_ref(&lean)).unwrap().unwrap();
        let record = batch.records[0].as_ref().unwrap();
        assert_eq!(
            (record.sequence_number.as_str(), &record.partition_key, record.arrived_at),
            ("1", &None, None),
            "{lean}"
        );
        assert_eq!(batch.stream.name(), "unknown");
        assert!(!batch.ignored.names().is_empty());
    }
}

#[test]
fn a_record_that_does_not_say_its_shard_is_of_the_others() {
    let anonymous = json!({"kinesis": {"sequenceNumber": "1", "data": ""}});
    let batch = read(&[anonymous, wire("2", &json!({"data": ""}))]).unwrap().unwrap();
    let shards: Vec<&str> = batch.records.iter().map(|record| record.as_ref().unwrap().shard_id.as_str()).collect();
    assert_eq!(shards, ["shardId-000000000000"; 2]);
}

#[test]
fn a_pipes_flat_records_are_a_batch_like_another() {
    let event = r#"[{"partitionKey": "1", "sequenceNumber": "495", "data": "aGVsbG8=", "approximateArrivalTimestamp":
        1545084650.987, "eventID": "shardId-000000000006:495", "eventSourceARN":
        "arn:aws:kinesis:us-east-2:123456789012:stream/clicks"}]"#;
    let batch = read_stream_records(event).unwrap().unwrap();
    let record = batch.records[0].as_ref().unwrap();
    assert_eq!((record.sequence_number.as_str(), record.shard_id.as_str()), ("495", "shardId-000000000006"));
    assert_eq!((record.partition_key.as_deref(), record.body.as_slice()), (Some("1"), &b"hello"[..]));
    assert_eq!(record.arrived_at.unwrap().timestamp_subsec_millis(), 987);
}

#[test]
fn a_record_that_cannot_be_named_fails_the_event() {
    for identity in [json!({}), json!({"eventID": null}), json!({"eventID": "495"}), json!({"eventID": "shard:"})] {
        let problem = read(&[identity]).unwrap_err().to_string();
        assert_eq!(problem, "Kinesis record has no kinesis.sequenceNumber");
    }
    let problem = read(&[json!(["shardId-0:1"])]).unwrap_err().to_string();
    assert_eq!(problem, "not a valid Kinesis record: a list, not an object");
}

#[test]
fn an_event_without_records_names_no_stream() {
    assert!(read(&[]).unwrap().is_none());
}

#[test]
fn the_stream_of_a_consumer_is_known_and_other_arns_are_not() {
    let consumer = "arn:aws-cn:kinesis:cn-north-1:123456789012:stream/clicks/consumer/fast:1607890123";
    assert_eq!(Stream::from_arn(consumer).unwrap().name(), "clicks");
    assert_eq!(Stream::from_arn("arn:aws:kinesis:EXAMPLE").unwrap().name(), "EXAMPLE");
    for arn in ["", "clicks", "arn:aws:sqs:us-east-1:123456789012:jobs", "arn:aws:kinesis:us-east-1:1:stream/"] {
        assert!(Stream::from_arn(arn).is_err(), "{arn}");
    }
}

#[test]
fn an_arrival_time_that_is_none_is_left_out() {
    for seconds in [-1.0, 1e300] {
        assert_eq!(time(seconds), None, "{seconds}");
    }
}

#[test]
fn data_may_have_its_slashes_escaped() {
    let event = json!({"Records": [wire("1", &json!({"partitionKey": "k", "data": "//8="}))]}).to_string();
    let event = event.replace("//8=", r"\/\/8=");
    let batch = read_stream_records(&event).unwrap().unwrap();
    assert_eq!(batch.records[0].as_ref().unwrap().body, [0xFF, 0xFF]);
}

proptest! {
    #[test]
    fn an_arrival_time_keeps_its_milliseconds(ms in 0_i64..4_102_444_800_000) {
        let seconds: f64 = format!("{}.{:03}", ms / 1_000, ms % 1_000).parse().unwrap();
        prop_assert_eq!(time(seconds), DateTime::from_timestamp_millis(ms));
    }
}
