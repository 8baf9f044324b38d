//! A record's life, step by step, on a paused clock. What happens over minutes is the simulation's to find.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use proptest::prelude::*;
use tokio::time::{Instant, sleep};

use super::*;
use crate::{
    delivery::{Deletion, REASON, RECEIVES, RecordError, Report, SOURCE, WholeBatchFailed},
    events::{EventSource, MalformedRecord, MessageAttribute, MessageAttributes, Record, read_batch},
    idempotency::{Attempt, Claim, ClaimAnswer, Effect, Ownership, StoreError, Tries},
};

mod asked;
mod order;
mod stores;
mod times;

use self::asked::{Asked, Call};

/// A clock that goes with tokio's.
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> SystemTime {
        now_at(self.0.elapsed())
    }
}

fn now_at(elapsed: Duration) -> SystemTime {
    UNIX_EPOCH + Duration::from_hours(24 * 365 * 50) + elapsed
}

/// The most that any jitter gives: delays are what their bounds say. Tokens differ all the same.
struct Most(AtomicU64);

impl Random for Most {
    fn bits(&self) -> u64 {
        u64::MAX - (self.0.fetch_add(1, Ordering::Relaxed) & 0x3ff)
    }
}

fn record(id: &str, body: &str) -> Record {
    Record {
        message_id: id.to_owned(),
        receipt_handle: format!("handle-{id}"),
        body: body.to_owned(),
        attributes: MessageAttributes::new(),
        receive_count: Some(3),
        sent_at: None,
        group_id: None,
        deduplication_id: None,
        trace_header: None,
    }
}

fn queue(name: &str) -> Queue {
    Queue::from_url(&format!("https://sqs.us-east-1.amazonaws.com/123456789012/{name}")).unwrap()
}

fn of(
    source: EventSource,
    queue_name: &str,
    records: impl IntoIterator<Item = Result<Record, MalformedRecord>>,
) -> Batch {
    Batch::new(source, queue(queue_name), records.into_iter().collect())
}

fn bodies(source: EventSource, bodies: &[&str]) -> Batch {
    of(source, "jobs", bodies.iter().enumerate().map(|(place, body)| Ok(record(&place.to_string(), body))))
}

/// A FIFO queue's records: group and body.
fn groups(source: EventSource, records: &[(&str, &str)]) -> Batch {
    let record = |(place, (group, body)): (usize, &(&str, &str))| {
        Ok(Record { group_id: Some((*group).to_owned()), ..record(&place.to_string(), body) })
    };
    of(source, "jobs.fifo", records.iter().enumerate().map(record))
}

fn policy() -> Policy {
    let url = |name: &str| (name.to_owned(), format!("https://q/1/dead-{name}"));
    Policy {
        dead_letter_queues: DeadLetterQueues(BTreeMap::from([url("jobs"), url("jobs.fifo")])),
        ..Policy::default()
    }
}

fn engine(port: Asked) -> Engine<Asked> {
    engine_with(port, policy())
}

fn engine_with(port: Asked, policy: Policy) -> Engine<Asked> {
    let port = Asked { began: Some(Instant::now()), ..port };
    Engine::in_world(port, policy, Arc::new(TokioClock(Instant::now())), Arc::new(Most(AtomicU64::new(0))))
}

async fn obey(record: &Record) -> Result<(), RecordError> {
    match record.body.as_str() {
        "retry" => Err(RecordError::retry("busy")),
        "retry in a minute" => Err(RecordError::retry_after(Duration::from_mins(1), "busy")),
        "reject" => Err(RecordError::reject("never\nagain")),
        "later" => Err(RecordError::later(Duration::from_secs(7), "not there yet")),
        "panic" => panic!("a drill"),
        "hang" => std::future::pending().await,
        seconds => {
            sleep(Duration::from_secs_f64(seconds.parse().unwrap_or(0.0))).await;
            Ok(())
        }
    }
}

fn seconds(seconds: u64) -> Deadline {
    Deadline::after(Some(Duration::from_secs(seconds)))
}

fn fates(report: &Report) -> Vec<&'static str> {
    report.deliveries.iter().map(|delivery| delivery.fate.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_the_mapping_names_exactly_what_was_not_done() {
    let engine = engine(Asked::default());
    let asked = ["done", "retry", "retry in a minute", "reject", "later", "hang", "panic"];
    let report = engine.run(bodies(EventSource::Mapping, &asked), seconds(30), &obey).await;
    assert_eq!(fates(&report), ["done", "retry", "retry", "rejected", "waiting", "retry", "retry"]);
    assert_eq!(report.failed_ids(), ["1", "2", "4", "5", "6"]);
    let mut delays = engine.port.delays();
    delays.sort();
    let first_back_off = 10;
    let expected = [("1", first_back_off), ("2", 60), ("4", 7), ("5", first_back_off), ("6", first_back_off)];
    assert_eq!(delays, expected.map(|(id, delay)| (format!("handle-{id}"), delay)));
    assert_eq!(engine.port.deleted(), ["handle-3"], "the mapping deletes, but for what has a dead letter");
}

#[tokio::test(start_paused = true)]
async fn a_rejected_record_reaches_the_dead_letter_queue_with_its_notes_and_is_deleted_after_that() {
    let engine = engine(Asked::default());
    engine.run(bodies(EventSource::Mapping, &["reject"]), seconds(30), &obey).await;
    let calls = engine.port.calls();
    let [Call::Send(dead_letters), Call::Delete(deleted)] = calls.as_slice() else { panic!("{calls:?}") };
    assert_eq!(deleted, &["handle-0"]);
    let text = |name: &str| dead_letters[0].1[name].as_text().unwrap().to_owned();
    let arn = "arn:aws:sqs:us-east-1:123456789012:jobs";
    assert_eq!((text(REASON), text(SOURCE), text(RECEIVES)), ("never again".into(), arn.into(), "3".into()));
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_was_not_taken_leaves_the_message_to_the_queue() {
    let engine = engine(Asked { refuses: true, ..Asked::default() });
    let report = engine.run(bodies(EventSource::Mapping, &["reject"]), seconds(30), &obey).await;
    assert_eq!((report.failed_ids(), fates(&report)), (vec!["0"], vec!["retry"]));
    assert!(engine.port.deleted().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_refused_with_its_notes_goes_without() {
    let engine = engine(Asked { refuses_notes: true, ..Asked::default() });
    let report = engine.run(bodies(EventSource::Mapping, &["reject"]), seconds(30), &obey).await;
    assert_eq!(fates(&report), ["rejected"]);
    assert!(engine.port.dead_letters().last().unwrap().1.is_empty());
}

#[tokio::test(start_paused = true)]
async fn without_a_dead_letter_queue_what_is_rejected_comes_again() {
    let engine = engine_with(Asked::default(), Policy::default());
    let report = engine.run(bodies(EventSource::Dispatch, &["reject"]), seconds(30), &obey).await;
    assert_eq!((fates(&report), engine.port.delays().len(), engine.port.deleted().len()), (vec!["retry"], 1, 0));
}

#[tokio::test(start_paused = true)]
async fn at_the_dispatch_door_the_worker_deletes_what_is_done_and_nothing_else() {
    let engine = engine(Asked::default());
    let report =
        engine.run(bodies(EventSource::Dispatch, &["done", "retry", "reject", "done"]), seconds(30), &obey).await;
    let mut deleted = engine.port.deleted();
    deleted.sort();
    assert_eq!(deleted, ["handle-0", "handle-2", "handle-3"]);
    assert_eq!(report.failed_ids(), ["1"]);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_deleted_is_reported() {
    let engine = engine(Asked { refuses: true, ..Asked::default() });
    let report = engine.run(bodies(EventSource::Dispatch, &["done"]), seconds(30), &obey).await;
    assert!(report.deliveries[0].is_not_deleted());
}

#[tokio::test(start_paused = true)]
async fn fifty_quick_records_are_five_deletes_and_a_slow_one_keeps_nobody_waiting() {
    let engine = engine(Asked::default());
    let quick: Vec<&str> = vec!["0.01"; 50];
    engine.run(bodies(EventSource::Dispatch, &quick), seconds(30), &obey).await;
    assert_eq!(engine.port.calls().len(), 5);
    let slow = super::tests::engine(Asked::default());
    slow.run(bodies(EventSource::Dispatch, &["20", "0.01", "0.01"]), seconds(60), &obey).await;
    let calls = slow.port.calls.lock().unwrap().clone();
    assert_eq!(calls[0].1, Call::Delete(vec!["handle-1".to_owned(), "handle-2".to_owned()]));
    assert_eq!(calls.len(), 2, "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn a_visibility_call_that_hangs_keeps_no_delete_from_its_message() {
    let engine = engine(Asked { changes_hang: true, ..Asked::default() });
    let report = engine.run(bodies(EventSource::Dispatch, &["retry", "done"]), seconds(30), &obey).await;
    assert_eq!(engine.port.deleted(), ["handle-1"]);
    assert_eq!(report.deliveries[1].deletion, Deletion::Deleted);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_failed_as_a_whole_fails_the_invocation_unless_one_record_is_alone() {
    let engine = engine(Asked::default());
    let report = engine.run(bodies(EventSource::Mapping, &["retry", "retry"]), seconds(30), &obey).await;
    assert_eq!(report.response(), Err(WholeBatchFailed { size: 2 }));
    let alone = engine.run(bodies(EventSource::Mapping, &["retry"]), seconds(30), &obey).await;
    assert_eq!(alone.response().unwrap().batch_item_failures.len(), 1);
    let lenient = engine_with(Asked::default(), Policy { fail_whole_batch: false, ..policy() });
    let report = lenient.run(bodies(EventSource::Mapping, &["retry", "retry"]), seconds(30), &obey).await;
    assert_eq!(report.response().unwrap().batch_item_failures.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn waiting_is_not_failing() {
    let engine = engine(Asked::default());
    let report = engine.run(bodies(EventSource::Mapping, &["later", "later"]), seconds(30), &obey).await;
    assert_eq!(report.response().unwrap().batch_item_failures.len(), 2);
    let head = engine
        .run(groups(EventSource::Mapping, &[("red", "retry"), ("red", "done"), ("red", "done")]), seconds(30), &obey)
        .await;
    assert_eq!(fates(&head), ["retry", "blocked", "blocked"]);
    assert_eq!(head.response().unwrap().batch_item_failures.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_there_twice_is_one_delivery_with_the_newest_handle() {
    let engine = engine(Asked::default());
    let newest = Record { receipt_handle: "newest".to_owned(), ..record("0", "done") };
    let report =
        engine.run(of(EventSource::Dispatch, "jobs", [Ok(record("0", "done")), Ok(newest)]), seconds(30), &obey).await;
    assert_eq!((report.size(), engine.port.deleted()), (1, vec!["newest".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn a_message_is_given_up_for_its_own_failures_and_not_for_its_receives() {
    let engine = engine(Asked::default());
    let receive = |count| {
        let mut batch = bodies(EventSource::Mapping, &["retry in a minute"]);
        batch.records[0].as_mut().unwrap().receive_count = Some(count);
        batch
    };
    for tried in 1..10 {
        let report = engine.run(receive(100), seconds(30), &obey).await;
        assert_eq!(fates(&report), ["retry"], "try {tried}");
        sleep(Duration::from_mins(3)).await;
    }
    assert_eq!(fates(&engine.run(receive(100), seconds(30), &obey).await), ["given up"]);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_its_own_dead_letter_queue_is_refused() {
    let own = "jobs=https://sqs.us-east-1.amazonaws.com/1/jobs".parse::<DeadLetterQueues>();
    assert!(own.unwrap_err().contains("its own dead-letter queue"));
}

/// What a random record asks for, and its group.
fn asked_for() -> impl Strategy<Value = (&'static str, Option<u8>)> {
    let body = prop_oneof![5 => Just("done"), 1 => Just("retry"), 1 => Just("reject"), 1 => Just("panic"), 1 => Just("later"), 1 => Just("7")];
    (body, proptest::option::of(0u8..3))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_reported_is_exactly_what_was_not_done_and_a_group_stops_where_it_is_open(
        asked in proptest::collection::vec(asked_for(), 1..25),
        fifo: bool,
        refuses: bool,
        dispatched: bool,
        stored: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let engine = engine_with(Asked { refuses, ..Asked::default() }, policy());
            let engine = engine.with_store(stored.then(MemoryStore::default), "worker");
            let done = Mutex::new(Vec::new());
            let handler = async |record: &Record| {
                let outcome = obey(record).await;
                if outcome.is_ok() {
                    done.lock().unwrap().push(record.message_id.clone());
                }
                outcome
            };
            let source = if dispatched { EventSource::Dispatch } else { EventSource::Mapping };
            let records = asked.iter().enumerate().map(|(place, (body, group))| {
                // Without a group on a FIFO queue all would be one lane: the more interesting case has groups.
                let group_id = Some(group.map_or("none".to_owned(), |group| group.to_string())).filter(|_| fifo || group.is_some());
                Ok(Record { group_id, ..record(&place.to_string(), body) })
            });
            let batch = of(source, if fifo { "jobs.fifo" } else { "jobs" }, records);
            let report = engine.run(batch, seconds(30), &handler).await;

            let done = done.into_inner().unwrap();
            let dead: Vec<String> = engine.port.dead_letters().into_iter().map(|(id, _)| id).filter(|_| !refuses).collect();
            let mut failed: Vec<String> = report.failed_ids().into_iter().map(ToOwned::to_owned).collect();
            let mut expected: Vec<String> = (0..asked.len()).map(|place| place.to_string()).collect();
            expected.retain(|id| !done.contains(id) && !dead.contains(id));
            failed.sort_by_key(|id| id.parse::<usize>().unwrap());
            assert_eq!(failed, expected);
            let mut deleted = engine.port.deleted();
            deleted.sort();
            deleted.dedup();
            let mut settled: Vec<String> = if dispatched { [done.clone(), dead.clone()].concat() } else { dead.clone() };
            settled.sort();
            let handles: Vec<String> = settled.iter().map(|id| format!("handle-{id}")).collect();
            assert_eq!(deleted, handles);
            if fifo {
                for group in 0..3_u8 {
                    let fates: Vec<bool> = asked.iter().zip(&report.deliveries)
                        .filter(|((_, of), _)| *of == Some(group))
                        .map(|(_, delivery)| delivery.fate.is_final() && !delivery.is_not_deleted())
                        .collect();
                    let open = fates.iter().position(|is_final| !is_final).unwrap_or(fates.len());
                    let begun = asked.iter().zip(&report.deliveries).filter(|((_, of), _)| *of == Some(group))
                        .map(|(_, delivery)| !matches!(delivery.fate.as_str(), "blocked" | "not started")).collect::<Vec<_>>();
                    assert!(begun.iter().skip(open + 1).all(|begun| !begun), "{fates:?} {begun:?}");
                }
            }
        });
    }
}
