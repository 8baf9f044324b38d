use std::borrow::Cow;

use super::*;

fn event(records: &str) -> String {
    format!(
        r#"{{"invocationId":"i","deliveryStreamArn":"arn:aws:firehose:us-east-1:123456789012:deliverystream/clicks",
            "region":"us-east-1","records":[{records}]}}"#
    )
}

const GOOD: &str = r#"{"recordId":"1","approximateArrivalTimestamp":1767323045678,"data":"aGVsbG8="}"#;

#[test]
fn a_record_keeps_its_bytes_and_what_they_came_as() {
    let event = event(GOOD);
    let batch = read_firehose_batch(&event).unwrap();
    let record = batch.records[0].as_ref().unwrap();
    assert_eq!((record.record_id.as_str(), &*record.encoded, record.body.as_slice()), ("1", "aGVsbG8=", &b"hello"[..]));
    assert_eq!(record.arrived_at.unwrap().to_rfc3339(), "2026-01-02T03:04:05.678+00:00");
    assert!(matches!(record.encoded, Cow::Borrowed(_)), "it is not copied");
    assert_eq!((batch.stream_name(), batch.source_name()), ("clicks", Some("clicks")));
}

#[test]
fn a_record_that_cannot_be_read_leaves_its_neighbour_alone_and_keeps_its_data() {
    for (bad, data, part) in [
        (r#"{"recordId":"2","approximateArrivalTimestamp":1,"data":"?\/"}"#, "Py8=", "is not base64"),
        (r#"{"recordId":"2","approximateArrivalTimestamp":1,"data":"aGVsbG8"}"#, "YUdWc2JHOA==", "is not base64"),
        (r#"{"recordId":"2","approximateArrivalTimestamp":1,"data":7}"#, "", "data of the Firehose record is a number"),
        (r#"{"recordId":"2","approximateArrivalTimestamp":1}"#, "", "has no data"),
    ] {
        let event = event(&format!("{bad},{GOOD}"));
        let batch = read_firehose_batch(&event).unwrap();
        let malformed = batch.records[0].as_ref().unwrap_err();
        assert_eq!((malformed.record_id.as_str(), &*malformed.encoded), ("2", data), "{bad}");
        assert!(malformed.problem.to_string().contains(part), "{bad}: {}", malformed.problem);
        assert!(batch.records[1].is_ok(), "{bad}");
    }
}

#[test]
fn an_event_that_could_not_be_answered_is_refused() {
    for (records, part) in [
        (r#"{"approximateArrivalTimestamp":1,"data":""}"#.to_owned(), "has no recordId"),
        (r#"{"recordId":"","approximateArrivalTimestamp":1,"data":""}"#.to_owned(), "has no recordId"),
        (format!("{GOOD},{GOOD}"), "a recordId of its own"),
        ("7".to_owned(), "not a valid Firehose record"),
    ] {
        let problem = read_firehose_batch(&event(&records)).unwrap_err().to_string();
        assert!(problem.contains(part), "{records}: {problem}");
    }
    assert_eq!(read_firehose_batch("{}").unwrap_err().to_string(), "Firehose event has no records");
}

#[test]
fn a_record_needs_its_id_and_its_data_only() {
    for lean in [
        r#"{"recordId":"1","data":"aGVsbG8="}"#,
        r#"{"recordId":"1","data":"aGVsbG8=","approximateArrivalTimestamp":"2012-04-23T18:25:43.511Z"}"#,
        r#"{"recordId":"1","data":"aGVsbG8=","approximateArrivalTimestamp":null,"kinesisRecordMetadata":{"partitionKey":7}}"#,
        r#"{"recordId":"1","data":"aGVsbG8=","kinesisRecordMetadata":["k"]}"#,
    ] {
        let event = format!(r#"{{"records":[{lean}]}}"#);
        let batch = read_firehose_batch(&event).unwrap();
        let record = batch.records[0].as_ref().unwrap();
        assert_eq!(
            (record.body.as_slice(), record.arrived_at, &record.partition_key),
            (&b"hello"[..], None, &None),
            "{lean}"
        );
        assert_eq!((batch.stream_name(), batch.source_name()), ("unknown", None));
    }
    let batch = r#"{"records":[{"recordId":"1","data":"","approximateArrivalTimestamp":1784523967089.0}]}"#;
    let batch = read_firehose_batch(batch).unwrap();
    assert!(batch.records[0].as_ref().unwrap().arrived_at.is_some());
}
