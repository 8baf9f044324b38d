use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};
use sluicegate::{
    delivery::BatchResponse,
    runtime::{Invocation, InvocationError},
    stream::{self, StreamSettings},
};

use super::*;

fn clock() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(100)
}

fn record(place: usize, data: &str) -> Value {
    json!({
        "eventID": format!("shardId-000000000000:{place:056}"),
        "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/clicks",
        "kinesis": {"partitionKey": "k", "data": data, "approximateArrivalTimestamp": 99.75},
    })
}

async fn answer(settings: &[(&str, &str)], records: Vec<Value>) -> Result<BatchResponse, InvocationError> {
    let lookup = |name: &str| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let read = |settings: &mut Settings<'_>| Some((StreamSettings::read(settings), Config::read(settings)?));
    let (settings, config) = Settings::of(&lookup, read).unwrap();
    let invocation = Invocation { request_id: "r".to_owned(), remaining: Some(Duration::from_secs(30)) };
    let log = async |record: &StreamRecord| {
        config.log(&clock, record);
        Ok(())
    };
    stream::handle(&settings, &clock, &json!({ "Records": records }).to_string(), &invocation, &log).await
}

async fn named(records: Vec<Value>) -> Vec<String> {
    let answer = answer(&[], records).await.unwrap();
    answer.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
}

#[tokio::test(start_paused = true)]
async fn data_of_every_kind_is_logged_and_none_fails_its_shard() {
    let oversized = "QUFB".repeat(350_000);
    let data = ["", "aGVsbG8=", "//4A", "84mawgoBYQ==", "G1sySg==", oversized.as_str()];
    let records = data.iter().enumerate().map(|(place, data)| record(place, data)).collect();
    assert_eq!(named(records).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_records_have_each_their_outcome() {
    let records: Vec<Value> = (0..10_000).map(|place| record(place, "aGVsbG8=")).collect();
    assert_eq!(named(records.clone()).await, [""; 0]);
    let mut one_bad = records;
    one_bad[7_000] = record(7_000, "?");
    assert_eq!(named(one_bad).await, [format!("{:056}", 7_000)]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_whose_first_record_is_bad_is_left_to_lambda_to_halve() {
    let records = vec![record(0, "?"), record(1, "")];
    let error = answer(&[], records.clone()).await.unwrap_err().to_string();
    assert!(error.starts_with("NothingDone: none of 2 records is done"), "{error}");
    let answer = answer(&[("FAIL_WHOLE_BATCH", "false")], records).await.unwrap();
    assert_eq!(answer.batch_item_failures[0].item_identifier, format!("{:056}", 0));
}

#[tokio::test(start_paused = true)]
async fn a_bad_record_that_is_alone_is_named() {
    assert_eq!(named(vec![record(0, "?")]).await, [format!("{:056}", 0)]);
}

#[test]
fn an_age_is_counted_from_the_arrival_and_never_negative() {
    let age_of = |arrived_ms| age_ms(&clock, UNIX_EPOCH + Duration::from_millis(arrived_ms));
    assert_eq!(age_of(99_750), Some(250));
    assert_eq!(age_of(100_250), Some(0));
}
