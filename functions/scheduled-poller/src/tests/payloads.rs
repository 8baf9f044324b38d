//! Messages of all sizes.

use std::time::Duration;

use sluicegate::delivery::{CallError, Invoke, InvokeError, REASON, RECEIVES, SOURCE};

use super::world::{Call, World};
use crate::batch::MAX_EVENT_BYTES;

const RUN: u64 = 90;
const QUICK: Duration = Duration::from_millis(100);
const DEAD: (&str, &str) = ("DEAD_LETTER_QUEUE", "https://sqs.us-east-1.amazonaws.com/1/dead");

/// A worker whose Lambda takes payloads of so many bytes.
fn takes(event: usize, request: usize) -> impl Fn(&Call) -> (Duration, Result<(), InvokeError>) + Send + Sync {
    move |call| {
        let limit = if call.invoke == Invoke::Event { event } else { request };
        let too_large = || InvokeError::PayloadRefused("RequestTooLargeException".to_owned());
        (QUICK, if call.bytes > limit { Err(too_large()) } else { Ok(()) })
    }
}

/// Bodies of nine small messages and a giant among them.
fn one_giant(bytes: usize) -> impl Iterator<Item = String> {
    (0..10).map(move |n| "x".repeat(if n == 4 { bytes } else { 10 }))
}

#[tokio::test(start_paused = true)]
async fn large_messages_are_packed_by_bytes_and_sent_one_batch_after_the_other() {
    let world = World::new((0..10).map(|_| "x".repeat(60_000)));
    let summary = world.run(&[], RUN).await.unwrap();
    assert_eq!((summary.dispatched, summary.invocations), (10, 3));
    let state = world.state();
    assert!(state.calls.iter().all(|call| call.bytes <= 250_000));
    assert_eq!(state.most_in_flight, 1);
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_is_refused_is_sent_again_one_by_one() {
    let world = World::new(one_giant(3_000)).worker(takes(2_000, 4_000));
    let summary = world.run(&[], RUN).await.unwrap();
    assert_eq!((summary.dispatched, summary.invocations, summary.failed_calls), (10, 10, 0));
    assert_eq!(world.state().calls.len(), 11);
}

#[tokio::test(start_paused = true)]
async fn a_giant_that_nothing_carries_goes_to_the_dead_letter_queue_whole_with_the_reason() {
    let world = World::new(one_giant(500_000)).worker(takes(2_000, 400_000));
    let summary = world.run(&[DEAD], RUN).await.unwrap();
    assert_eq!((summary.received, summary.dispatched, summary.dead_lettered), (10, 9, 1));
    let state = world.state();
    assert_eq!(state.deleted.len(), 10);
    let (message_id, attributes) = &state.dead_letters[0];
    assert_eq!((message_id.as_str(), attributes["Photo"].as_str()), ("m-4", "binary"));
    assert_eq!(attributes[SOURCE], "arn:aws:sqs:us-east-1:1:polled");
    assert_eq!(attributes[REASON], "no invocation carries it: RequestTooLargeException");
    assert_eq!(attributes[RECEIVES], "1");
}

#[tokio::test(start_paused = true)]
async fn a_message_too_large_for_an_event_goes_synchronously() {
    let settings = [("INVOCATION_TYPE", "Event"), ("WORKER_INSTANCES", "20"), ("PAYLOAD_LIMIT_BYTES", "1000000")];
    // Larger than any event, and larger than this account's events.
    for (bytes, tried) in [(MAX_EVENT_BYTES, 1), (300_000, 3)] {
        let world = World::new(one_giant(bytes)).worker(takes(262_144, 6_291_456));
        let summary = world.run(&settings, RUN).await.unwrap();
        assert_eq!((summary.received, summary.dispatched), (10, 10), "{bytes} bytes");
        let state = world.state();
        let giant: Vec<Invoke> =
            state.calls.iter().filter(|call| call.bytes >= 300_000).map(|call| call.invoke).collect();
        assert_eq!(giant.last(), Some(&Invoke::RequestResponse));
        assert!(giant.len() <= tried, "{giant:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_giant_without_a_dead_letter_queue_stays_with_a_delay_and_hurts_nobody() {
    let world = World::new(one_giant(500_000)).worker(takes(2_000, 400_000));
    // It comes again in the run, each time later.
    let summary = world.run(&[], RUN).await.unwrap();
    assert_eq!((summary.dispatched, summary.dead_lettered, world.state().messages.len()), (9, 0, 1));
    let state = world.state();
    assert!(state.changes.iter().all(|(id, _, seconds)| *id == 4 && *seconds >= 5), "{:?}", state.changes);
}

#[tokio::test(start_paused = true)]
async fn a_small_payload_that_is_refused_is_no_giant_and_never_dead_lettered() {
    // Something between us and Lambda refuses all.
    let world = World::of(10).worker(takes(1, 1));
    world.run(&[DEAD, ("RECEIVERS", "1")], RUN).await.unwrap_err();
    let state = world.state();
    assert!(state.dead_letters.is_empty() && state.deleted.is_empty());
    assert_eq!((state.calls.len(), state.changes.len()), (4, 10), "and it is not asked for each of them");
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_not_taken_leaves_its_message_where_it_was() {
    let refuses = || CallError { message: "AccessDenied".to_owned(), is_transient: false };
    let world = World::new(one_giant(500_000))
        .worker(takes(2_000, 400_000))
        .taking_dead_letters(move |_| (QUICK, Err(refuses())));
    let summary = world.run(&[DEAD], RUN).await.unwrap();
    assert_eq!((summary.dispatched, summary.dead_lettered), (9, 0));
    assert!(summary.failed_calls > 0);
    assert!(world.state().messages.contains_key(&4));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_fails_is_not_given_each_message_of_a_refused_batch() {
    let world = World::of(10).worker(|call| match call.handles.len() {
        1 => (QUICK, Err(InvokeError::Failed("panic".to_owned()))),
        _ => (QUICK, Err(InvokeError::PayloadRefused("RequestTooLargeException".to_owned()))),
    });
    world.run(&[("RECEIVERS", "1")], RUN).await.unwrap_err();
    let state = world.state();
    assert_eq!((state.calls.len(), state.changes.len()), (4, 7), "three in a row are enough");
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_one_by_one_ends_where_the_worker_could_not_finish() {
    let world = World::of(10).worker(|call| match call.handles.len() {
        1 => (Duration::from_secs(20), Ok(())),
        _ => (QUICK, Err(InvokeError::PayloadRefused("RequestTooLargeException".to_owned()))),
    });
    let summary = world.run(&[("RECEIVERS", "1")], RUN).await.unwrap();
    // At 0, 20 and 40 s of 90: at 60 s there are 26 for work, and the worker may take 30.
    assert_eq!((summary.received, summary.dispatched, summary.returned), (10, 3, 7));
}

#[tokio::test(start_paused = true)]
async fn messages_in_hand_are_not_dispatched_when_they_may_be_another_consumer_s() {
    // Batches of four, four and two, each at work for 25 s.
    let world = World::new((0..10).map(|_| "x".repeat(60_000))).worker(|_| (Duration::from_secs(25), Ok(())));
    let summary = world.run(&[("VISIBILITY_SECONDS", "40"), ("RECEIVERS", "1")], 100).await.unwrap();
    let calls = world.state().calls.iter().map(|call| call.handles.len()).collect::<Vec<_>>();
    assert_eq!((&calls[..2], summary.left), (&[4, 4][..], 2), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn no_more_is_received_than_one_payload_takes() {
    let world = World::new((0..100).map(|_| "x".repeat(30_000)));
    world.run(&[("LONGEST_JOB_SECONDS", "1"), ("RECEIVERS", "1")], RUN).await.unwrap();
    let state = world.state();
    assert!(state.receives[1].at > state.calls[1].at, "the first ten are two payloads, and go first");
}

#[tokio::test(start_paused = true)]
async fn events_are_counted_by_payload() {
    let world = World::new((0..10).map(|_| "x".repeat(60_000)));
    // Two a run, and three are needed.
    let settings = [("INVOCATION_TYPE", "Event"), ("WORKER_INSTANCES", "1"), ("RECEIVERS", "1")];
    let summary = world.run(&settings, RUN).await.unwrap();
    assert_eq!((summary.invocations, summary.dispatched, summary.returned), (2, 8, 2));
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_refused_with_its_notes_goes_without() {
    let refuses = || CallError { message: "InvalidParameterValue".to_owned(), is_transient: false };
    let world = World::new(one_giant(500_000)).worker(takes(2_000, 400_000)).taking_dead_letters(move |attributes| {
        // The producer's own is one.
        (QUICK, if attributes > 1 { Err(refuses()) } else { Ok(()) })
    });
    let summary = world.run(&[DEAD], RUN).await.unwrap();
    assert_eq!((summary.dead_lettered, summary.failed_calls), (1, 0));
    assert_eq!(world.state().dead_letters[0].1.keys().collect::<Vec<_>>(), ["Photo"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_in_both_queues_is_said() {
    let forbidden = || CallError { message: "AccessDenied".to_owned(), is_transient: false };
    let world =
        World::new(one_giant(500_000)).worker(takes(2_000, 400_000)).deleting(move || (QUICK, Err(forbidden())));
    let summary = world.run(&[DEAD], RUN).await.unwrap();
    assert_eq!((summary.dead_lettered, summary.failed_calls), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_giant_whose_handle_s_time_is_over_may_be_another_consumer_s_and_is_left() {
    let refused = || InvokeError::PayloadRefused("RequestTooLargeException".to_owned());
    let world = World::new(["x".repeat(500_000)]).worker(move |_| (Duration::from_secs(12), Err(refused())));
    let summary = world.run(&[DEAD, ("VISIBILITY_SECONDS", "10"), ("RECEIVERS", "1")], 60).await.unwrap();
    assert_eq!((summary.received, summary.left, summary.dead_lettered), (summary.left, summary.received, 0));
    assert!(world.state().dead_letters.is_empty());
}
