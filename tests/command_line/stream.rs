//! `sluice stream put`.

use aws_sdk_kinesis::types::ShardIteratorType;
use serde_json::{Value, json};

use super::sluice::{Sluice, new_name};
use crate::stack::Stack;

/// The records of the stack's stream whose text holds `mark`, with their partition keys, shard after shard.
async fn records(stack: &Stack, mark: &str) -> Vec<(String, String)> {
    let name = stack.output("StreamName");
    let shards = stack.kinesis.list_shards().stream_name(name).send().await.unwrap();
    let mut found = Vec::new();
    for shard in shards.shards() {
        let from_the_start = stack.kinesis.get_shard_iterator().stream_name(name).shard_id(shard.shard_id());
        let start = from_the_start.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.unwrap();
        let mut next = start.shard_iterator;
        while let Some(iterator) = next {
            let page = stack.kinesis.get_records().shard_iterator(iterator).send().await.unwrap();
            let texts = page.records().iter().map(|record| {
                (
                    record.partition_key().unwrap_or_default().to_owned(),
                    String::from_utf8_lossy(record.data().as_ref()).into_owned(),
                )
            });
            found.extend(texts.filter(|(_, text)| text.contains(mark)));
            next = page.next_shard_iterator.filter(|_| page.millis_behind_latest != Some(0));
        }
    }
    found
}

#[tokio::test]
async fn lines_are_records_and_those_of_a_key_keep_their_order() {
    let (sluice, stack) = (Sluice::on_the_stack(), Stack::of_make_test());
    let mark = new_name("stream");
    let line = |number: usize| json!({"mark": mark, "n": number, "user": {"id": number % 7}}).to_string();
    let input = (0..1_200).map(line).collect::<Vec<_>>().join("\n");
    let arguments =
        ["stream", "put", stack.output("StreamName"), "--partition-key-field", "user.id", "--output", "json"];
    let outcome = sluice.run_with_input(&arguments, &input);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let tally: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((&tally["records"], &tally["failed"]), (&json!(1_200), &json!(0)), "{tally}");
    assert!(tally["requests"].as_u64().unwrap() < 20, "full batches: {tally}");
    let found = records(&stack, &mark).await;
    assert_eq!(found.len(), 1_200);
    for user in 0..7_usize {
        let of_user = found.iter().filter(|(key, _)| *key == user.to_string());
        let numbers: Vec<u64> =
            of_user.map(|(_, text)| serde_json::from_str::<Value>(text).unwrap()["n"].as_u64().unwrap()).collect();
        assert!(numbers.is_sorted() && numbers.len() > 100, "{user}: {numbers:?}");
    }
}

#[tokio::test]
async fn lines_that_cannot_be_put_are_named_and_the_others_are_put() {
    let (sluice, stack) = (Sluice::on_the_stack(), Stack::of_make_test());
    let mark = new_name("stream");
    let input =
        format!("{{\"mark\":\"{mark}\"}}\n\n{mark} is no JSON\n\"{mark} {}\"\n\"{mark}\"\n", "x".repeat(1 << 20));
    let outcome = sluice.run_with_input(&["stream", "put", stack.output("StreamName")], &input);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(outcome.stdout.starts_with("put 2 records, "), "{}", outcome.stdout);
    for part in ["line 3 was not put: it is not JSON", "line 4 was not put: it has", "2 of 4 lines were not put"] {
        assert!(outcome.stderr.contains(part), "{}", outcome.stderr);
    }
    assert_eq!(records(&stack, &mark).await.len(), 2);
}

#[tokio::test]
async fn a_delivery_stream_takes_lines_too() {
    let (sluice, stack) = (Sluice::on_the_stack(), Stack::of_make_test());
    let name = stack.output("DeliveryStreamName");
    let outcome = sluice.run_with_input(&["stream", "put", name, "--delivery"], "{\"n\":1}\n{\"n\":2}\n");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), "put 2 records, 16B, in 1 request\n"), "{outcome:?}");
}

#[test]
fn a_stream_that_is_not_there_is_said_with_what_to_look_at() {
    let sluice = Sluice::on_the_stack();
    for (arguments, advice) in [
        (&["stream", "put", "no-such-stream"][..], "is it a delivery stream"),
        (&["stream", "put", "no-such-stream", "--delivery"], "is it a Kinesis data stream"),
    ] {
        let outcome = sluice.run_with_input(arguments, "{}");
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert!(
            outcome.stderr.contains("no-such-stream does not exist") && outcome.stderr.contains(advice),
            "{outcome:?}"
        );
    }
    for arguments in [
        &["stream", "put", "a b"][..],
        &["stream", "put", "clicks", "--delivery", "--partition-key", "x"],
        &["stream", "put", "arn:aws:kinesis:us-east-1:123456789012:stream/clicks", "--delivery"],
    ] {
        assert_eq!(sluice.run(arguments).code, Some(2), "{arguments:?}");
    }
}
