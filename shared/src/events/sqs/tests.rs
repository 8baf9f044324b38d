use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::events::read_batch;

fn record(id: &str) -> Value {
    json!({"messageId": id, "receiptHandle": "h", "body": "{}", "attributes": {"MessageGroupId": "g"},
           "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:jobs"})
}

fn read(records: &[Value]) -> Batch {
    read_batch(&json!({ "Records": records }).to_string()).unwrap().unwrap()
}

fn with(name: &str, value: Value) -> Value {
    let mut record = record("m");
    record[name] = value;
    record
}

#[test]
fn what_nobody_needs_refuses_nothing() {
    for (name, value) in [
        ("receiptHandle", json!(7)),
        ("attributes", json!([1])),
        ("attributes", json!({"ApproximateReceiveCount": [], "SentTimestamp": "late", "MessageGroupId": 7})),
        ("messageAttributes", json!("Bearer token")),
        ("messageAttributes", json!({"a": "Bearer token", "b": {"stringValue": null, "stringListValues": null}})),
        ("eventSourceARN", json!("arn:aws:sqs:EXAMPLE")),
    ] {
        let batch = read(&[with(name, value.clone())]);
        assert!(batch.records[0].is_ok(), "{name}: {value}");
        assert!(!batch.ignored.names().is_empty(), "{name}: {value}");
        assert!(!format!("{:?}", batch.ignored).contains("token"));
    }
}

#[test]
fn a_body_that_is_no_text_refuses_its_record_with_all_its_names() {
    for body in [json!(7), json!(null), json!({}), json!([])] {
        let batch = read(&[with("body", body), record("good")]);
        let malformed = batch.records[0].as_ref().unwrap_err();
        assert_eq!((malformed.message_id.as_str(), malformed.receipt_handle.as_deref()), ("m", Some("h")));
        assert_eq!(malformed.group_id.as_deref(), Some("g"));
        assert!(batch.records[1].is_ok());
    }
}

#[test]
fn records_without_an_id_are_counted() {
    let list = json!(["m", "h", "{}", {}, {}]);
    for bad in [json!(7), json!(null), json!({}), list, with("messageId", json!(7)), with("messageId", json!(""))] {
        let batch = read(&[bad.clone(), record("good")]);
        assert_eq!((batch.unnamed, batch.records.len()), (1, 1), "{bad}");
    }
}

#[test]
fn behind_a_record_without_an_id_a_fifo_queue_stands_still() {
    let fifo = |id: &str| {
        let mut record = record(id);
        record["eventSourceARN"] = json!("arn:aws:sqs:us-east-1:123456789012:jobs.fifo");
        record
    };
    let batch = read(&[fifo("1"), json!({}), fifo("2"), fifo("3")]);
    assert_eq!((batch.records.len(), batch.unnamed), (1, 3));
}

#[test]
fn a_queue_that_is_not_said_is_unknown_and_fifo_where_only_fifo_can_be() {
    let mut anonymous = record("m");
    anonymous.as_object_mut().unwrap().remove("eventSourceARN");
    let batch = read(&[anonymous.clone()]);
    assert_eq!((batch.queue.name(), batch.queue.is_fifo()), ("unknown", false));
    anonymous["attributes"]["MessageDeduplicationId"] = json!("d");
    assert!(read(&[anonymous.clone()]).queue.is_fifo());
    assert_eq!(read(&[anonymous, record("m-2")]).queue.name(), "jobs", "another record says it");
}

#[test]
fn a_pipes_bare_list_is_a_batch_like_another() {
    let batch = read_batch(&json!([record("1"), record("2")]).to_string()).unwrap().unwrap();
    assert_eq!((batch.source, batch.queue.name(), batch.records.len()), (EventSource::Mapping, "jobs", 2));
}

#[test]
fn no_records_are_no_batch() {
    for event in ["[]", r#"{"Records": []}"#, r#"{"Records": null}"#] {
        assert!(read_batch(event).unwrap().is_none(), "{event}");
    }
    for (event, problem) in [
        ("{}", "SQS event has no Records"),
        (r#"{"Records": 7}"#, "Records of the SQS event is a number, not a list"),
        ("null", "not a valid SQS event: null, not an object"),
    ] {
        assert_eq!(read_batch(event).unwrap_err().to_string(), problem);
    }
}

#[test]
fn a_queue_says_its_url_in_every_partition_and_its_arn_in_every_form_of_url() {
    for (arn, url) in [
        ("arn:aws:sqs:eu-west-1:1:q", "https://sqs.eu-west-1.amazonaws.com/1/q"),
        ("arn:aws-cn:sqs:cn-north-1:1:q", "https://sqs.cn-north-1.amazonaws.com.cn/1/q"),
        ("arn:aws-us-gov:sqs:us-gov-west-1:1:q", "https://sqs.us-gov-west-1.amazonaws.com/1/q"),
        ("arn:aws-eusc:sqs:eusc-de-east-1:1:q", "https://sqs.eusc-de-east-1.amazonaws.eu/1/q"),
        ("arn:aws-iso:sqs:us-iso-east-1:1:q", "https://sqs.us-iso-east-1.c2s.ic.gov/1/q"),
        ("arn:aws-iso-b:sqs:us-isob-east-1:1:q", "https://sqs.us-isob-east-1.sc2s.sgov.gov/1/q"),
        ("arn:aws-iso-e:sqs:eu-isoe-west-1:1:q", "https://sqs.eu-isoe-west-1.cloud.adc-e.uk/1/q"),
        ("arn:aws-iso-f:sqs:us-isof-south-1:1:q", "https://sqs.us-isof-south-1.csp.hci.ic.gov/1/q"),
    ] {
        let queue = Queue::from_arn(arn).unwrap();
        assert_eq!(queue.url(), url);
        assert_eq!(Queue::from_url(url).unwrap().arn(), Some(arn));
    }
    for (url, arn) in [
        ("https://queue.amazonaws.com/1/q", "arn:aws:sqs:us-east-1:1:q"),
        ("https://eu-west-1.queue.amazonaws.com/1/q", "arn:aws:sqs:eu-west-1:1:q"),
        ("https://sqs-fips.us-west-2.amazonaws.com/1/q", "arn:aws:sqs:us-west-2:1:q"),
        ("https://sqs.us-west-2.api.aws/1/q", "arn:aws:sqs:us-west-2:1:q"),
        ("https://sqs-fips.us-gov-west-1.api.aws/1/q", "arn:aws-us-gov:sqs:us-gov-west-1:1:q"),
        ("https://sqs.cn-north-1.api.amazonwebservices.com.cn/1/q", "arn:aws-cn:sqs:cn-north-1:1:q"),
        ("https://vpce-0a-1b.sqs.eu-west-1.vpce.amazonaws.com/1/q", "arn:aws:sqs:eu-west-1:1:q"),
    ] {
        let queue = Queue::from_url(url).unwrap();
        assert_eq!((queue.arn(), queue.region()), (Some(arn), arn.split(':').nth(3)), "{url}");
    }
    for url in ["http://127.0.0.1:4566/000000000000/q", "https://sqs.amazonaws.com.evil.example/1/q", "https://q/1/q"] {
        assert_eq!(Queue::from_url(url).unwrap().arn(), None, "{url}");
    }
    for arn in ["arn:aws:sqs:EXAMPLE", "arn:aws:sqs:us-east-1:1:", "arn:aws:sns:us-east-1:1:q", "q"] {
        assert!(Queue::from_arn(arn).is_err(), "{arn}");
    }
}

proptest! {
    #[test]
    fn any_url_and_any_arn_is_read_or_refused(text in any::<String>(), host in "[a-z.-]{0,30}") {
        let _ = (Queue::from_arn(&text), Queue::from_url(&text), Queue::from_url(&format!("https://{host}/1/q")));
    }
}

#[test]
fn of_two_lists_of_records_the_last_counts() {
    let record = |id: &str| format!(r#"{{"messageId":"{id}","body":""}}"#);
    let event = |second: &str| format!(r#"{{"Records":[{}],"Records":{second}}}"#, record("first"));
    let last = read_batch(&event(&format!("[{}]", record("last")))).unwrap().unwrap();
    assert_eq!(last.records.iter().flatten().map(|record| record.message_id.as_str()).collect::<Vec<_>>(), ["last"]);
    for nothing in ["null", "[]"] {
        assert!(read_batch(&event(nothing)).unwrap().is_none(), "{nothing}");
    }
    assert_eq!(read_batch(&event("7")).unwrap_err().to_string(), "Records of the SQS event is a number, not a list");
}
