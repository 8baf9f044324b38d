use std::time::Duration;

use chrono::DateTime;
use proptest::prelude::*;

use super::*;
use crate::events::EventError;

/// What the handler is to do with a record.
#[derive(Debug, Clone)]
enum Act {
    Deliver(Vec<u8>),
    Drop,
    Retry,
    Reject,
    Panic,
    /// The record cannot be read in the first place.
    BeMalformed,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => proptest::collection::vec(any::<u8>(), 0..200).prop_map(Act::Deliver),
        1 => Just(Act::Drop),
        1 => Just(Act::Retry),
        1 => Just(Act::Reject),
        1 => Just(Act::Panic),
        1 => Just(Act::BeMalformed),
    ]
}

const ORIGINAL: &[u8] = b"as it was put";

fn record(place: usize, act: &Act) -> Result<FirehoseRecord<'static>, MalformedFirehoseRecord<'static>> {
    let record_id = format!("id-{place}");
    if matches!(act, Act::BeMalformed) {
        let problem = EventError::MissingField { of: "Firehose record", field: "data" };
        return Err(MalformedFirehoseRecord { record_id, encoded: "\"not base64\"".into(), problem });
    }
    Ok(FirehoseRecord {
        record_id,
        body: ORIGINAL.to_vec(),
        encoded: BASE64_STANDARD.encode(ORIGINAL).into(),
        arrived_at: Some(DateTime::UNIX_EPOCH),
        partition_key: None,
    })
}

fn transform_all(acts: &[Act], remaining: Duration) -> Transformation<'static> {
    let batch = acts.iter().enumerate().map(|(place, act)| record(place, act)).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let handler = async |record: &FirehoseRecord<'_>| {
            let place: usize = record.record_id.trim_start_matches("id-").parse().unwrap();
            match &acts[place] {
                Act::Deliver(body) => Ok(Transformed::Body(body.clone())),
                Act::Drop => Ok(Transformed::Dropped),
                Act::Retry => Err(RecordError::retry("busy")),
                Act::Reject => Err(RecordError::reject("never")),
                Act::Panic => panic!("a bug"),
                Act::BeMalformed => unreachable!("the handler sees only what can be read"),
            }
        };
        transform(batch, Deadline::after(Some(remaining)), &handler).await
    })
}

fn ended(place: usize, original: usize, transformed: Option<usize>) -> Ended<'static> {
    let outcome = match transformed {
        Some(0) => Ok(None),
        Some(bytes) => Ok(Some("t".repeat(bytes))),
        None => Err(RecordError::reject("never")),
    };
    Ended { record_id: format!("id-{place}"), original: "o".repeat(original).into(), outcome }
}

fn ids<'t>(transformation: &'t Transformation<'_>) -> Vec<&'t str> {
    transformation.response.records.iter().map(|record| record.record_id.as_str()).collect()
}

proptest! {
    #[test]
    fn every_record_is_answered_once_in_order_with_what_the_handler_made_of_it(
        acts in proptest::collection::vec(act(), 0..40),
    ) {
        let transformation = transform_all(&acts, Duration::from_secs(5));
        let expected_ids: Vec<String> = (0..acts.len()).map(|place| format!("id-{place}")).collect();
        prop_assert_eq!(ids(&transformation), expected_ids);
        let mut failed = Vec::new();
        for (place, (answer, act)) in transformation.response.records.iter().zip(&acts).enumerate() {
            let (result, data) = match act {
                Act::Deliver(body) => (TransformationResult::Ok, BASE64_STANDARD.encode(body)),
                Act::Drop => (TransformationResult::Dropped, String::new()),
                Act::BeMalformed => (TransformationResult::ProcessingFailed, "\"not base64\"".to_owned()),
                Act::Retry | Act::Reject | Act::Panic => {
                    (TransformationResult::ProcessingFailed, BASE64_STANDARD.encode(ORIGINAL))
                }
            };
            prop_assert_eq!((answer.result, &*answer.data), (result, data.as_str()));
            if result == TransformationResult::ProcessingFailed {
                failed.push(place);
            }
        }
        let named: Vec<usize> = transformation.failures.iter().map(|(place, _)| *place).collect();
        prop_assert_eq!(named, failed);
    }

    #[test]
    fn an_answer_never_outgrows_its_limit_and_no_original_takes_the_room_of_what_is_delivered(
        sizes in proptest::collection::vec((1_usize..300, proptest::option::of(0_usize..600)), 0..40),
        slack in 0_usize..4_000,
    ) {
        let all = || sizes.iter().enumerate().map(|(place, (original, new))| ended(place, *original, *new));
        let bare = all().map(|ended| Ended { original: "".into(), outcome: Err(RecordError::reject("never")), ..ended });
        let limit = bytes_of(&answer(bare.collect(), usize::MAX).response) + 1 + slack;
        let transformation = answer(all().collect(), limit);
        prop_assert!(serde_json::to_string(&transformation.response).unwrap().len() <= limit);
        // What is delivered is what would be if nothing else had an original.
        let without = answer(all().map(|ended| Ended { original: "".into(), ..ended }).collect(), limit);
        let mut without_data = 0;
        for (place, (answer, (original, new))) in transformation.response.records.iter().zip(&sizes).enumerate() {
            let is_named = transformation.failures.iter().any(|(failed, _)| *failed == place);
            prop_assert_eq!(answer.result, without.response.records[place].result);
            match answer.result {
                TransformationResult::Ok => prop_assert_eq!(Some(answer.data.len()), *new),
                TransformationResult::Dropped => prop_assert_eq!(Some(0), *new),
                TransformationResult::ProcessingFailed if answer.data.is_empty() => without_data += 1,
                TransformationResult::ProcessingFailed => prop_assert_eq!(&*answer.data, "o".repeat(*original)),
            }
            prop_assert_eq!(is_named, answer.result == TransformationResult::ProcessingFailed);
        }
        prop_assert_eq!(transformation.without_data, without_data);
    }

    #[test]
    fn the_size_of_an_answer_is_known_to_the_byte(
        records in proptest::collection::vec((".{1,8}", ".{0,20}", any::<bool>()), 1..20),
    ) {
        let mut made = Answer::within(usize::MAX);
        for (place, (record_id, data, is_replaced)) in records.iter().enumerate() {
            made.push(record_id.clone(), TransformationResult::ProcessingFailed);
            if *is_replaced {
                prop_assert!(made.replace(place, TransformationResult::Ok, data.into()));
            }
        }
        let expected = made.bytes;
        let answer = serde_json::to_string(&TransformationResponse { records: made.records }).unwrap();
        // One comma more is counted than there are.
        prop_assert_eq!(answer.len() + 1, expected);
    }
}

#[test]
fn the_answer_is_spelt_as_firehose_reads_it() {
    let acts = [Act::Deliver(b"hi\n".to_vec()), Act::Drop, Act::Reject];
    let answer = serde_json::to_string(&transform_all(&acts, Duration::from_secs(5)).response).unwrap();
    assert_eq!(
        answer,
        r#"{"records":[{"recordId":"id-0","result":"Ok","data":"aGkK"},{"recordId":"id-1","result":"Dropped","data":""},{"recordId":"id-2","result":"ProcessingFailed","data":"YXMgaXQgd2FzIHB1dA=="}]}"#
    );
}

#[test]
fn a_failure_says_why() {
    let acts = [Act::Retry, Act::Panic, Act::BeMalformed];
    let transformation = transform_all(&acts, Duration::from_secs(5));
    let reasons: Vec<String> = transformation.failures.iter().map(|(_, error)| error.to_string()).collect();
    assert_eq!(reasons, ["busy", "panicked: a bug", "Firehose record has no data"]);
}

#[test]
fn records_that_time_does_not_reach_are_answered_with_their_originals() {
    let acts = vec![Act::Drop; 3];
    let transformation = transform_all(&acts, Duration::ZERO);
    assert_eq!(transformation.response.count(TransformationResult::ProcessingFailed), 3);
    assert!(transformation.failures[2].1.to_string().contains("time was over"));
    assert_eq!(transformation.response.records[2].data, BASE64_STANDARD.encode(ORIGINAL));
}

#[test]
fn ten_thousand_records_are_answered_below_the_limit() {
    let acts = vec![Act::Deliver(vec![b'x'; 900]); 10_000];
    let transformation = transform_all(&acts, Duration::from_mins(1));
    let answer = serde_json::to_string(&transformation.response).unwrap();
    assert_eq!(transformation.response.records.len(), 10_000);
    assert!(answer.len() <= MAX_RESPONSE_BYTES, "{}", answer.len());
    let ok = transformation.response.count(TransformationResult::Ok);
    assert!(ok > 4_500 && ok + transformation.failures.len() == 10_000, "{ok}");
    assert!(transformation.failures[0].1.to_string().contains("larger than 6000000 bytes"));
}

#[test]
fn where_not_even_the_originals_fit_records_are_answered_without_them() {
    let transformation = answer(vec![ended(0, 100, None), ended(1, 100, Some(100))], 250);
    assert!(serde_json::to_string(&transformation.response).unwrap().len() <= 250);
    assert_eq!(transformation.response.records[1].result, TransformationResult::Ok, "what is delivered comes first");
    assert_eq!((&*transformation.response.records[0].data, transformation.without_data), ("", 1));
}
