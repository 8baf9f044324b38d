use std::{cell::RefCell, collections::HashMap, time::Duration};

use proptest::prelude::*;

use super::*;
use crate::{
    delivery::{CallError, DeadLetter, FailedEntry, Failure, REASON, RECEIVES, SOURCE, VisibilityChange},
    events::{MessageAttribute, MessageAttributes},
};

/// A queue that writes down what it is asked.
#[derive(Debug, Default)]
struct Asked {
    deleted: RefCell<Vec<String>>,
    delays: RefCell<Vec<(String, u64)>>,
    letters: RefCell<Vec<(String, MessageAttributes)>>,
    /// Whether letters and deletes are refused.
    refuses: bool,
    /// Handles that have run out.
    expired: Vec<&'static str>,
}

impl Asked {
    fn answer(&self, entries: usize) -> Vec<FailedEntry> {
        let refusal = |index| FailedEntry { index, failure: Failure::Refused("AccessDenied: no".to_owned()) };
        if self.refuses { (0..entries).map(refusal).collect() } else { Vec::new() }
    }
}

impl SourceQueue for Asked {
    async fn delete(&self, _: &Queue, handles: &[&str]) -> Result<Vec<FailedEntry>, CallError> {
        self.deleted.borrow_mut().extend(handles.iter().map(|&handle| handle.to_owned()));
        Ok(self.answer(handles.len()))
    }

    async fn change_visibility(
        &self,
        _: &Queue,
        changes: &[VisibilityChange<'_>],
    ) -> Result<Vec<FailedEntry>, CallError> {
        let asked = changes.iter().map(|change| (change.receipt_handle.to_owned(), change.timeout.as_secs()));
        self.delays.borrow_mut().extend(asked);
        let expired = |index| FailedEntry { index, failure: Failure::HandleExpired("gone".to_owned()) };
        let failed = (0..changes.len()).filter(|&index| self.expired.contains(&changes[index].receipt_handle));
        Ok(failed.map(expired).collect())
    }
}

impl DeadLetterQueue for Asked {
    async fn send(&self, _: &str, letters: &[DeadLetter<'_>]) -> Result<Vec<FailedEntry>, CallError> {
        let sent = letters.iter().map(|letter| (letter.message_id.to_owned(), letter.attributes.clone()));
        self.letters.borrow_mut().extend(sent);
        Ok(self.answer(letters.len()))
    }
}

fn record(id: &str, body: &str) -> Record {
    Record {
        message_id: id.to_owned(),
        receipt_handle: format!("handle-{id}"),
        body: body.to_owned(),
        attributes: MessageAttributes::new(),
        receive_count: 3,
        sent_at: None,
        group_id: None,
        deduplication_id: None,
        trace_header: None,
    }
}

fn batch(door: Door, bodies: &[&str]) -> Batch {
    let records = bodies.iter().enumerate().map(|(place, body)| Ok(record(&place.to_string(), body))).collect();
    Batch { door, queue: Queue::from_url("https://sqs.us-east-1.amazonaws.com/123456789012/jobs").unwrap(), records }
}

fn engine(port: Asked) -> Engine<Asked> {
    let dead_letter_queues = DeadLetterQueues(HashMap::from([("jobs".to_owned(), "https://q/1/dead".to_owned())]));
    Engine { port, policy: Policy { dead_letter_queues, jitter: || 1.0, ..Policy::default() } }
}

async fn obey(record: &Record) -> Result<Completion, RecordError> {
    match record.body.as_str() {
        "retry" => Err(RecordError::retry("busy")),
        "retry in a minute" => Err(RecordError::retry_after(Duration::from_mins(1), "busy")),
        "reject" => Err(RecordError::reject("never\nagain")),
        "duplicate" => Ok(Completion::Duplicate),
        "hang" => std::future::pending().await,
        _ => Ok(Completion::Done),
    }
}

fn in_three_seconds() -> Deadline {
    Deadline::after(Some(Duration::from_secs(3)), Duration::from_secs(1))
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_the_mapping_names_exactly_what_was_not_done() {
    let engine = engine(Asked::default());
    let bodies = ["done", "retry", "retry in a minute", "reject", "duplicate", "hang"];
    let report = engine.run(batch(Door::Mapping, &bodies), in_three_seconds(), &obey).await;
    let response = serde_json::to_string(&report.response(true).unwrap()).unwrap();
    assert_eq!(
        response,
        r#"{"batchItemFailures":[{"itemIdentifier":"1"},{"itemIdentifier":"2"},{"itemIdentifier":"5"}]}"#
    );
    // Receive 3 of the default policy with the jitter at its most: 5 s × 2².
    let delays = [("handle-1".to_owned(), 20), ("handle-2".to_owned(), 60), ("handle-5".to_owned(), 20)];
    assert_eq!(engine.port.delays.into_inner(), delays);
    assert!(engine.port.deleted.into_inner().is_empty(), "the mapping deletes, not the function");
}

#[tokio::test(start_paused = true)]
async fn a_rejected_record_reaches_the_dead_letter_queue_with_its_reason() {
    let engine = engine(Asked::default());
    engine.run(batch(Door::Mapping, &["reject"]), in_three_seconds(), &obey).await;
    let letters = engine.port.letters.into_inner();
    let text = |name: &str| letters[0].1[name].as_text().unwrap().to_owned();
    assert_eq!((text(REASON), text(SOURCE), text(RECEIVES)), ("never again".into(), "jobs".into(), "3".into()));
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_was_not_taken_leaves_the_message_to_the_queue() {
    let engine = engine(Asked { refuses: true, ..Asked::default() });
    let report = engine.run(batch(Door::Mapping, &["reject"]), in_three_seconds(), &obey).await;
    assert_eq!(report.failed_ids(), ["0"]);
    assert_eq!(report.outcomes[0].fate.as_str(), "retry");
}

#[tokio::test(start_paused = true)]
async fn a_letter_with_ten_attributes_goes_without_the_reason_and_keeps_its_own() {
    let mut full = record("m", "reject");
    full.attributes = (0..10).map(|n| (format!("a{n}"), MessageAttribute::text("x"))).collect();
    let queue = batch(Door::Mapping, &[]).queue;
    let engine = engine(Asked::default());
    let batch = Batch { door: Door::Mapping, queue, records: vec![Ok(full.clone())] };
    let report = engine.run(batch, in_three_seconds(), &obey).await;
    assert_eq!(report.outcomes[0].fate.as_str(), "dead-lettered");
    assert_eq!(engine.port.letters.into_inner()[0].1, full.attributes);
}

#[tokio::test(start_paused = true)]
async fn at_the_dispatch_door_the_worker_deletes_what_is_done_and_nothing_else() {
    let engine = engine(Asked::default());
    let bodies = ["done", "retry", "reject", "duplicate"];
    let report = engine.run(batch(Door::Dispatch, &bodies), in_three_seconds(), &obey).await;
    assert_eq!(engine.port.deleted.into_inner(), ["handle-0", "handle-2", "handle-3"]);
    assert_eq!(report.failed_ids(), ["1"]);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_deleted_is_reported() {
    let engine = engine(Asked { refuses: true, ..Asked::default() });
    let report = engine.run(batch(Door::Dispatch, &["done"]), in_three_seconds(), &obey).await;
    assert_eq!(report.settled.not_deleted, [0]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_failed_as_a_whole_fails_the_invocation_unless_one_record_is_alone() {
    let engine = engine(Asked::default());
    let report = engine.run(batch(Door::Mapping, &["retry", "retry"]), in_three_seconds(), &obey).await;
    assert_eq!(report.response(true), Err(WholeBatchFailed { size: 2 }));
    assert_eq!(report.response(false).unwrap().batch_item_failures.len(), 2);
    let alone = engine.run(batch(Door::Mapping, &["retry"]), in_three_seconds(), &obey).await;
    assert_eq!(alone.response(true).unwrap().batch_item_failures.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn ids_in_the_answer_are_never_repeated() {
    let engine = engine(Asked::default());
    let mut twice = batch(Door::Mapping, &["retry", "done"]);
    twice.records.push(Ok(record("0", "retry")));
    let report = engine.run(twice, in_three_seconds(), &obey).await;
    assert_eq!(report.failed_ids(), ["0"]);
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_keeps_messages_invisible_while_their_work_goes_on() {
    let mut engine = engine(Asked::default());
    engine.policy.heartbeat = Some(Heartbeat { visibility: Duration::from_secs(30), max: Duration::from_hours(1) });
    let slow = async |_: &Record| {
        tokio::time::sleep(Duration::from_secs(45)).await;
        Ok::<(), RecordError>(())
    };
    let deadline = Deadline::after(Some(Duration::from_mins(5)), Duration::from_secs(1));
    let report = engine.run(batch(Door::Dispatch, &["a", "b"]), deadline, &slow).await;
    assert!(report.failed_ids().is_empty());
    // Every third of 30 s: four beats in 45 s, one call for both messages each.
    assert_eq!(engine.port.delays.into_inner().len(), 8);
}

#[tokio::test(start_paused = true)]
async fn work_on_a_message_whose_handle_ran_out_is_abandoned_and_not_deleted() {
    let mut engine = engine(Asked { expired: vec!["handle-0"], ..Asked::default() });
    engine.policy.heartbeat = Some(Heartbeat { visibility: Duration::from_secs(30), max: Duration::from_hours(1) });
    let slow = async |_: &Record| {
        tokio::time::sleep(Duration::from_secs(45)).await;
        Ok::<(), RecordError>(())
    };
    let deadline = Deadline::after(Some(Duration::from_mins(5)), Duration::from_secs(1));
    let report = engine.run(batch(Door::Dispatch, &["a", "b"]), deadline, &slow).await;
    assert_eq!(report.outcomes[0].fate.as_str(), "abandoned");
    assert_eq!(engine.port.deleted.into_inner(), ["handle-1"]);
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_ends_at_its_hard_cap() {
    let mut engine = engine(Asked::default());
    engine.policy.heartbeat = Some(Heartbeat { visibility: Duration::from_secs(30), max: Duration::from_mins(1) });
    let deadline = Deadline::after(Some(Duration::from_mins(15)), Duration::from_secs(1));
    let report = engine.run(batch(Door::Dispatch, &["hang"]), deadline, &obey).await;
    assert_eq!(report.outcomes[0].fate.as_str(), "abandoned");
    assert!(deadline.remaining() > Duration::from_mins(13), "it was stopped by the cap, not by the deadline");
}

/// What a random record asks for, and its group.
fn asked_for() -> impl Strategy<Value = (&'static str, Option<u8>)> {
    let body = prop_oneof![5 => Just("done"), 1 => Just("retry"), 1 => Just("reject"), 1 => Just("duplicate")];
    (body, proptest::option::of(0u8..3))
}

proptest! {
    #[test]
    fn what_is_reported_is_exactly_what_was_not_done(
        asked in proptest::collection::vec(asked_for(), 1..25),
        fifo: bool,
        refuses: bool,
        dispatched: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let engine = engine(Asked { refuses, ..Asked::default() });
            let done = RefCell::new(Vec::new());
            let handler = async |record: &Record| {
                let outcome = obey(record).await;
                if outcome.is_ok() {
                    done.borrow_mut().push(record.message_id.clone());
                }
                outcome
            };
            let name = if fifo { "jobs.fifo" } else { "jobs" };
            let queue = Queue::from_url(&format!("https://sqs.us-east-1.amazonaws.com/123456789012/{name}")).unwrap();
            let door = if dispatched { Door::Dispatch } else { Door::Mapping };
            let records = asked.iter().enumerate().map(|(place, (body, group))| {
                Ok(Record { group_id: group.map(|group| group.to_string()), ..record(&place.to_string(), body) })
            });
            let batch = Batch { door, queue, records: records.collect() };
            let report = engine.run(batch, in_three_seconds(), &handler).await;

            let mut settled = done.into_inner();
            let dead: Vec<String> = engine.port.letters.borrow().iter().map(|(id, _)| id.clone()).collect();
            if !refuses {
                settled.extend(dead);
            }
            let mut expected: Vec<String> = (0..asked.len()).map(|place| place.to_string()).collect();
            expected.retain(|id| !settled.contains(id));
            let mut failed: Vec<String> = report.failed_ids().into_iter().map(ToOwned::to_owned).collect();
            failed.sort_by_key(|id| id.parse::<usize>().unwrap());
            assert_eq!(failed, expected);
            // At the dispatch door: deleted is what is settled and nothing else.
            if dispatched {
                let mut deleted = engine.port.deleted.into_inner();
                deleted.sort();
                settled.sort();
                let handles: Vec<String> = settled.iter().map(|id| format!("handle-{id}")).collect();
                assert_eq!(deleted, handles);
            }
        });
    }
}
