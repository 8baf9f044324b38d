use serde_json::{Value, json};

use super::*;
use crate::events::StreamBatch;

fn record(dynamodb: &Value) -> Value {
    json!({"eventName": "INSERT", "dynamodb": dynamodb, "eventSource": "aws:dynamodb",
           "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/donors/stream/2026-01-01T00:00:00.000"})
}

fn read(records: &[Value]) -> StreamBatch<TableChange> {
    let batch = read_table_changes(&json!({ "Records": records }).to_string()).unwrap().unwrap();
    let bare = read_table_changes(&json!(records).to_string()).unwrap().unwrap();
    assert_eq!(bare.records.len(), batch.records.len(), "a pipe's list is a batch like another");
    batch
}

#[test]
fn a_change_needs_its_number_and_an_image_and_nothing_else() {
    let whole = json!({"SequenceNumber": "9", "Keys": {"id": {"N": "1"}}, "NewImage": {"id": {"N": "1"}},
                       "ApproximateCreationDateTime": 1_479_499_740.0});
    let batch = read(&[record(&whole)]);
    assert_eq!(batch.stream.name(), "donors");
    let change = batch.records[0].as_ref().unwrap();
    assert_eq!((change.sequence_number.as_str(), change.kind), ("9", Some(ChangeKind::Insert)));
    assert_eq!(change.changed_at.unwrap().timestamp(), 1_479_499_740);
    let lean = json!({"dynamodb": {"SequenceNumber": "9", "OldImage": {}, "NewImage": null, "Keys": [7]}});
    let batch = read(&[lean]);
    assert_eq!((batch.stream.name(), batch.ignored.names()), ("unknown", &["dynamodb.Keys".into()][..]));
    assert!(batch.records[0].as_ref().unwrap().old_image.is_some());
}

#[test]
fn a_change_without_an_image_fails_alone_and_one_without_a_number_fails_the_event() {
    let good = json!({"SequenceNumber": "1", "NewImage": {}});
    let batch = read(&[record(&good), record(&json!({"SequenceNumber": "2", "NewImage": "secret"})), record(&good)]);
    let malformed = batch.records[1].as_ref().unwrap_err();
    assert_eq!(malformed.sequence_number, "2");
    assert_eq!(malformed.problem.to_string(), "DynamoDB record has no dynamodb.NewImage");
    assert!(batch.records[0].is_ok() && batch.records[2].is_ok());
    for bad in [json!({}), json!([]), json!({"dynamodb": {"SequenceNumber": 7}}), json!({"dynamodb": [["9"]]})] {
        assert!(read_table_changes(&json!({"Records": [bad]}).to_string()).is_err(), "{bad}");
    }
}

#[test]
fn no_records_are_no_batch() {
    for event in [r#"{"Records": []}"#, r#"{"Records": null}"#, "[]"] {
        assert!(read_table_changes(event).unwrap().is_none(), "{event}");
    }
    assert!(read_table_changes("{}").is_err());
}

#[test]
fn an_image_reads_as_plain_json() {
    let image = json!({"s": {"S": "a"}, "n": {"N": "1.5"}, "digits": {"N": "12345678901234567890123456789012345678"},
        "none": {"NULL": true}, "yes": {"BOOL": true}, "b": {"B": "AAE="}, "set": {"NS": ["1", "2"]},
        "list": {"L": [{"S": "x"}, {"M": {"y": {"N": "2"}}}]}});
    let batch = read(&[record(&json!({"SequenceNumber": "1", "NewImage": image}))]);
    let plain: Value = batch.records[0].as_ref().unwrap().new_image.as_ref().unwrap().read().unwrap();
    assert_eq!(
        (&plain["s"], &plain["n"], &plain["none"], &plain["yes"]),
        (&json!("a"), &json!(1.5), &json!(null), &json!(true))
    );
    assert_eq!((&plain["set"], &plain["list"]), (&json!([1, 2]), &json!(["x", {"y": 2}])));
    let problem = Image(r#"{"s": {"S": "secret"}}"#.to_owned()).read::<Vec<u8>>().unwrap_err().to_string();
    assert!(!problem.contains("secret"), "{problem}");
}
