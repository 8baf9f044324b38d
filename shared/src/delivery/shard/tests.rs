use std::{cell::RefCell, time::Duration};

use proptest::prelude::*;

use super::*;
use crate::events::read_stream_records;

/// What is asked of the handler by a record's partition key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Succeed,
    Fail,
    Reject,
    Panic,
    /// Longer than the invocation.
    Hang,
    /// Not the handler's: the record cannot be read.
    BadBase64,
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    shard: u8,
    act: Act,
}

impl Asked {
    fn shard_id(self) -> String {
        format!("shardId-{:012}", self.shard)
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    let act = prop_oneof![
        12 => Just(Act::Succeed),
        1 => Just(Act::Fail),
        1 => Just(Act::Reject),
        1 => Just(Act::Panic),
        1 => Just(Act::Hang),
        1 => Just(Act::BadBase64),
    ];
    // Mostly one shard, as Lambda sends them.
    (prop_oneof![3 => Just(0_u8), 1 => 0_u8..3], act).prop_map(|(shard, act)| Asked { shard, act })
}

/// Sequence numbers as Kinesis makes them: far beyond 64 bits.
fn sequence_number(place: usize) -> String {
    format!("4959033827149025660855969253836157109592157598913658{place:04}")
}

fn batch(asked: &[Asked]) -> StreamBatch {
    let record = |(place, asked): (usize, &Asked)| {
        serde_json::json!({
            "eventID": format!("{}:{}", asked.shard_id(), sequence_number(place)),
            "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/clicks",
            "kinesis": {
                "partitionKey": format!("{:?}", asked.act),
                "data": if asked.act == Act::BadBase64 { "!" } else { "" },
            },
        })
    };
    let records: Vec<_> = asked.iter().enumerate().map(record).collect();
    read_stream_records(&serde_json::json!({ "Records": records }).to_string()).unwrap().unwrap()
}

struct Observed {
    report: StreamReport,
    /// Sequence numbers in the order the handler saw them.
    ran: Vec<String>,
}

fn run(asked: &[Asked], remaining: Duration) -> Observed {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let ran = RefCell::new(Vec::new());
        let handler = async |record: &StreamRecord| {
            ran.borrow_mut().push(record.sequence_number.clone());
            tokio::time::sleep(Duration::from_millis(10)).await;
            match record.partition_key.as_deref().unwrap() {
                "Fail" => Err(RecordError::retry("busy")),
                "Reject" => Err(RecordError::reject("never")),
                "Panic" => panic!("a bug"),
                "Hang" => std::future::pending().await,
                _ => Ok(()),
            }
        };
        let deadline = Deadline::after(Some(remaining));
        let report = process_stream(batch(asked), deadline, &handler).await;
        Observed { report, ran: ran.into_inner() }
    })
}

fn named(report: &StreamReport) -> Vec<String> {
    report.response(false).unwrap().batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
}

const ONE_SHARD: Asked = Asked { shard: 0, act: Act::Succeed };

#[test]
fn an_answer_without_failures_is_an_empty_list() {
    let observed = run(&[ONE_SHARD; 3], Duration::from_mins(1));
    assert_eq!(serde_json::to_string(&observed.report.response(true).unwrap()).unwrap(), r#"{"batchItemFailures":[]}"#);
    assert_eq!(observed.report.handed_back(), 0);
}

#[test]
fn a_record_that_cannot_be_read_stops_its_shard_in_its_place() {
    let bad = Asked { shard: 0, act: Act::BadBase64 };
    let other = Asked { shard: 1, act: Act::Succeed };
    let observed = run(&[ONE_SHARD, bad, other, ONE_SHARD], Duration::from_mins(1));
    let fates: Vec<&str> = observed.report.outcomes.iter().map(|outcome| outcome.fate.as_str()).collect();
    assert_eq!(fates, ["done", "rejected", "done", "blocked"]);
    assert_eq!(named(&observed.report), [sequence_number(1)]);
    assert_eq!(observed.report.handed_back(), 2);
    assert_eq!(observed.report.stopped()[0].shard_id(), "shardId-000000000000");
}

#[test]
fn a_shard_that_runs_out_of_time_goes_on_where_it_stopped() {
    // 10 ms a record, and none begins in the last quarter of the time.
    let observed = run(&[ONE_SHARD; 20], Duration::from_millis(150));
    assert_eq!(observed.ran.len(), 12);
    assert_eq!(named(&observed.report), [sequence_number(12)]);
    assert_eq!(observed.report.stopped()[0].outcome.fate.as_str(), "not started");
}

#[test]
fn a_batch_of_which_nothing_is_done_fails_the_invocation_unless_one_record_is_alone() {
    let fails = Asked { shard: 0, act: Act::Fail };
    let report = run(&[fails, ONE_SHARD, ONE_SHARD], Duration::from_mins(1)).report;
    assert_eq!(report.response(true), Err(NothingDone { size: 3 }));
    assert_eq!(named(&report), [sequence_number(0)]);
    let alone = run(&[fails], Duration::from_mins(1)).report;
    assert_eq!(alone.response(true).unwrap().batch_item_failures.len(), 1);
}

proptest! {
    #[test]
    fn the_answer_names_the_first_record_of_a_shard_that_is_not_done_and_nothing_ran_behind_it(
        asked in proptest::collection::vec(asked(), 1..30),
        remaining in 100_u64..600,
    ) {
        let Observed { report, ran } = run(&asked, Duration::from_millis(remaining));
        let named = named(&report);
        let is_done = |place: usize| matches!(report.outcomes[place].fate, Fate::Done | Fate::Duplicate);
        let mut expected = Vec::new();
        for shard in 0..3 {
            let places: Vec<usize> = (0..asked.len()).filter(|place| asked[*place].shard == shard).collect();
            let (done, rest) = places.split_at(places.iter().take_while(|place| is_done(**place)).count());
            // Before the record that is named, all are done, and in order.
            let ran_of_shard: Vec<&String> =
                ran.iter().filter(|number| places.iter().any(|place| sequence_number(*place) == **number)).collect();
            for (place, number) in done.iter().zip(&ran_of_shard) {
                prop_assert_eq!(&sequence_number(*place), *number);
                prop_assert_eq!(asked[*place].act, Act::Succeed);
            }
            // Behind it, nothing ran.
            prop_assert!(rest.iter().all(|place| !is_done(*place)));
            prop_assert!(ran_of_shard.len() <= done.len() + 1);
            expected.extend(rest.first().map(|place| sequence_number(*place)));
        }
        // One name for each shard that stopped, in no order that matters, and each from the event.
        let mut sorted = named.clone();
        sorted.sort();
        expected.sort();
        prop_assert_eq!(sorted, expected);
        prop_assert_eq!(report.response(true).is_err(), asked.len() > 1 && !(0..asked.len()).any(is_done));
        prop_assert_eq!(report.handed_back(), (0..asked.len()).filter(|place| !is_done(*place)).count());
    }
}
