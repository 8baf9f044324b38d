use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use sluicegate::{delivery::TransformationResult, firehose};

use super::*;

fn event(bodies: &[&[u8]]) -> String {
    let records: Vec<String> = bodies
        .iter()
        .enumerate()
        .map(|(place, body)| {
            let data = BASE64_STANDARD.encode(body);
            format!(r#"{{"recordId":"id-{place}","approximateArrivalTimestamp":1767323045678,"data":"{data}"}}"#)
        })
        .collect();
    format!(
        r#"{{"invocationId":"i","deliveryStreamArn":"arn:aws:firehose:us-east-1:123456789012:deliverystream/clicks","region":"us-east-1","records":[{}]}}"#,
        records.join(",")
    )
}

async fn answered(drop_when: &str, event: &str) -> Vec<(TransformationResult, String)> {
    let drop_rule = if drop_when.is_empty() { DropRule::default() } else { drop_when.parse().unwrap() };
    let work = async |record: &FirehoseRecord<'_>, source: Option<&str>| cleaned(&drop_rule, source, record);
    let response = firehose::handle(event, Duration::from_mins(1), &work).await.unwrap();
    let text = |data: &str| BASE64_STANDARD.decode(data).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    response.records.iter().map(|record| (record.result, text(&record.data).unwrap())).collect()
}

#[tokio::test(start_paused = true)]
async fn lines_are_cleaned_and_enriched_with_the_time_of_their_arrival() {
    let body = b"\xef\xbb\xbf{\"a\": 1}\r\n\r\n{\"source\": \"web\"}";
    let expected = "{\"a\":1,\"ingested_at\":\"2026-01-02T03:04:05.678Z\",\"source\":\"clicks\"}\n\
                    {\"source\":\"web\",\"ingested_at\":\"2026-01-02T03:04:05.678Z\"}\n";
    assert_eq!(answered("", &event(&[body])).await, [(TransformationResult::Ok, expected.to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_dropped_leaves_the_others_and_a_record_without_lines_is_dropped() {
    let bodies: [&[u8]; 3] =
        [b"{\"level\":\"debug\"}{\"source\":1,\"ingested_at\":2}", b"{\"level\":\"debug\"}", b" \n"];
    let answers = answered("level=debug", &event(&bodies)).await;
    assert_eq!(answers[0], (TransformationResult::Ok, "{\"source\":1,\"ingested_at\":2}\n".to_owned()));
    assert_eq!(answers[1], (TransformationResult::Dropped, String::new()));
    assert_eq!(answers[2], (TransformationResult::Dropped, String::new()));
}

#[tokio::test(start_paused = true)]
async fn one_bad_line_gives_its_whole_record_back_and_no_other() {
    let bodies: [&[u8]; 3] = [b"{\"a\":1}\nnot JSON\n", b"{\"a\":1}", b"[1]"];
    let answers = answered("", &event(&bodies)).await;
    assert_eq!(answers[0], (TransformationResult::ProcessingFailed, "{\"a\":1}\nnot JSON\n".to_owned()));
    assert_eq!(answers[1].0, TransformationResult::Ok);
    assert_eq!(answers[2], (TransformationResult::ProcessingFailed, "[1]".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_records_are_answered_whatever_they_hold() {
    let bodies: Vec<&[u8]> = [&b"{\"a\":1}"[..], b"", b"\xff", b"{"].into_iter().cycle().take(10_000).collect();
    let answers = answered("", &event(&bodies)).await;
    let count = |result| answers.iter().filter(|(other, _)| *other == result).count();
    assert_eq!(answers.len(), 10_000);
    assert_eq!(count(TransformationResult::Ok), 2_500);
    assert_eq!(count(TransformationResult::Dropped), 2_500);
    assert_eq!(count(TransformationResult::ProcessingFailed), 5_000);
}
