//! Queues and workers in all their states.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use sluicegate::{
    delivery::{CallError, Invoke, InvokeError},
    events::dispatch::Message,
};
use tokio::time::{Instant, sleep};

use super::world::World;
use crate::Summary;

/// A period and the worker's time-out.
const RUN: u64 = 90;
const SECOND: Duration = Duration::from_secs(1);

fn refused() -> InvokeError {
    InvokeError::Refused("AccessDeniedException".to_owned())
}

fn throttled() -> InvokeError {
    InvokeError::Throttled("TooManyRequestsException".to_owned())
}

fn down() -> CallError {
    CallError { message: "InternalError".to_owned(), is_transient: true }
}

#[tokio::test(start_paused = true)]
async fn an_empty_queue_costs_one_request_a_run() {
    let (world, started) = (World::of(0), Instant::now());
    let summary = world.run(&[], RUN).await.unwrap();
    assert_eq!(summary, Summary { receives: 1, drained: true, ..Summary::default() });
    assert_eq!(started.elapsed().as_secs(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_is_drained_by_tens_for_two_requests_each() {
    let world = World::of(1_000);
    let summary = world.run(&[], RUN).await.unwrap();
    assert_eq!((summary.received, summary.dispatched, summary.invocations), (1_000, 1_000, 100));
    assert!(summary.drained);
    // Each receiver ends with an empty poll.
    assert_eq!(summary.receives, 105);
    assert_eq!(world.state().deleted.len(), 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_few_messages_do_not_wait_for_more() {
    let (world, started) = (World::of(3), Instant::now());
    let summary = world.run(&[], RUN).await.unwrap();
    assert_eq!((summary.dispatched, summary.invocations, summary.receives), (3, 1, 2));
    assert!(world.state().calls[0].at - started < SECOND);
    // As many as were asked for, and then none: they wait for a second, not for twenty.
    let (world, started) = (World::of(20), Instant::now());
    let settings = [("LONGEST_JOB_SECONDS", "5"), ("RECEIVERS", "1")];
    let summary = world.run(&settings, RUN).await.unwrap();
    assert_eq!((summary.dispatched, summary.invocations), (20, 1));
    assert!(world.state().calls[0].at - started < 2 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn no_more_is_received_than_the_worker_can_finish() {
    let world = World::of(60);
    world.run(&[("WORKER_CONCURRENCY", "4"), ("RECEIVERS", "2")], RUN).await.unwrap();
    {
        let state = world.state();
        assert!(state.receives.iter().all(|receive| receive.asked == 4));
        assert!(state.calls.iter().all(|call| call.handles.len() <= 4));
    }
    let world = World::of(60);
    world.run(&[("WORKER_CONCURRENCY", "10"), ("LONGEST_JOB_SECONDS", "12"), ("RECEIVERS", "1")], RUN).await.unwrap();
    assert!(world.state().calls.iter().all(|call| call.handles.len() == 20));
}

#[tokio::test(start_paused = true)]
async fn a_dispatch_says_when_its_messages_were_asked_for_and_for_how_long_they_are_its_own() {
    let world = World::of(0);
    let later = async {
        sleep(7 * SECOND).await;
        world.state().messages.insert(0, super::world::Stored::new("{}"));
    };
    let (summary, ()) = tokio::join!(world.run(&[], RUN), later);
    assert_eq!(summary.unwrap().dispatched, 1);
    let payload = &world.state().calls[0].payload;
    assert_eq!(payload["receivedAt"], 1_800_000_000_000_u64);
    assert_eq!(payload["visibilitySeconds"], 180);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_cannot_be_invoked_costs_a_message_one_receive_a_run_and_none_is_lost() {
    let world = World::of(300).worker(|_| (SECOND / 20, Err(refused())));
    for run in 1..=3_u64 {
        let started = Instant::now();
        let before: Vec<u32> = world.state().messages.values().map(|stored| stored.receives).collect();
        let error = world.run(&[], RUN).await.unwrap_err();
        assert!(error.to_string().starts_with("NothingDispatched"), "{error}");
        assert!(started.elapsed() < 25 * SECOND, "it leaves the rest to the next run: {:?}", started.elapsed());
        {
            let state = world.state();
            assert!(state.messages.values().zip(before).all(|(now, before)| now.receives <= before + 1), "run {run}");
            assert!(state.receives.len() <= usize::try_from(run).unwrap() * 10);
        }
        // The next tick.
        sleep(Duration::from_mins(1).saturating_sub(started.elapsed())).await;
    }
    {
        let state = world.state();
        assert_eq!((state.messages.len(), state.dead_letters.len()), (300, 0));
        assert!(!state.changes.is_empty());
        for &(_, receives, seconds) in &state.changes {
            let longest = 10 * 2_u64.pow(receives - 1);
            assert!((longest / 2..=longest).contains(&seconds), "{seconds} s after {receives} receives");
        }
        assert!(state.changes.iter().any(|(_, receives, _)| *receives > 1), "delays that grow were seen");
    }
    // The worker is back.
    let world = world.worker(|_| (SECOND / 10, Ok(())));
    for _ in 0..3 {
        world.run(&[], RUN).await.unwrap();
    }
    assert_eq!(world.state().deleted.len(), 300);
}

#[tokio::test(start_paused = true)]
async fn a_throttle_ends_the_receiver_that_met_it_and_no_other() {
    let calls = AtomicUsize::new(0);
    let world = World::of(100).worker(move |_| match calls.fetch_add(1, Ordering::Relaxed) {
        1 | 3 => (SECOND / 10, Err(throttled())),
        _ => (SECOND / 2, Ok(())),
    });
    let summary = world.run(&[], RUN).await.unwrap();
    // Twenty were given back, and met one of the three that go on.
    assert_eq!((summary.returned, summary.failed_calls), (20, 2));
    assert_eq!((summary.dispatched, world.state().deleted.len()), (100, 100));
    assert!(world.state().changes.iter().all(|(_, _, seconds)| (5..=10).contains(seconds)));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_throttled_for_all_ends_the_run_and_fails_it() {
    let world = World::of(1_000).worker(|_| (SECOND, Err(throttled())));
    let error = world.run(&[], RUN).await.unwrap_err();
    assert!(error.to_string().starts_with("NothingDispatched"), "{error}");
    let state = world.state();
    assert_eq!((state.calls.len(), state.changes.len(), state.messages.len()), (5, 50, 1_000));
}

#[tokio::test(start_paused = true)]
async fn a_slow_worker_is_never_given_more_batches_than_there_are_receivers() {
    let world = World::of(1_000).worker(|_| (25 * SECOND, Ok(())));
    let summary = world.run(&[], RUN).await.unwrap();
    assert_eq!(world.state().most_in_flight, 5);
    // Three rounds begin before receiving ends, 55 seconds after the tick.
    assert_eq!((summary.received, summary.dispatched, summary.failed_calls), (150, 150, 0));
    assert!(world.state().messages.values().all(|stored| stored.receives == 0), "nothing was received in vain");
}

#[tokio::test(start_paused = true)]
async fn receiving_ends_while_the_worker_can_still_finish_and_no_long_poll_is_longer() {
    let (world, started) = (World::of(0), Instant::now());
    let trickle = async {
        for id in 0.. {
            world.state().messages.insert(id, super::world::Stored::new("{}"));
            sleep(7 * SECOND).await;
        }
    };
    let summary = tokio::select! {
        summary = world.run(&[], RUN) => summary.unwrap(),
        () = trickle => unreachable!("it goes on"),
    };
    assert!(!summary.drained);
    // 90 s without the reserve of 5 and the worker's 30.
    let ends_at = started + 55 * SECOND;
    let state = world.state();
    assert!(state.receives.iter().all(|receive| receive.at + receive.wait + SECOND <= ends_at), "{:?}", state.receives);
    assert!(state.receives.iter().all(|receive| receive.wait.subsec_nanos() == 0 && receive.wait <= 20 * SECOND));
    assert!(state.receives.last().unwrap().at > started + 45 * SECOND, "it goes on as long as it can");
    assert!(started.elapsed() < 56 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_receive_that_hangs_is_given_up_and_tried_again() {
    let receives = AtomicUsize::new(0);
    let world = World::of(10).receiving(move || match receives.fetch_add(1, Ordering::Relaxed) {
        0 => (Duration::from_hours(1), Ok(())),
        _ => (SECOND / 50, Ok(())),
    });
    let summary = world.run(&[], RUN).await.unwrap();
    assert_eq!((summary.dispatched, summary.failed_calls), (10, 1));
    let world = World::of(10).receiving(|| (Duration::from_hours(1), Ok(())));
    let started = Instant::now();
    assert!(world.run(&[], RUN).await.unwrap_err().to_string().starts_with("NothingDispatched"));
    assert!(started.elapsed() <= 55 * SECOND, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_fails_is_asked_less_and_less_and_one_that_refuses_once() {
    let world = World::of(10).receiving(|| (SECOND / 50, Err(down())));
    let started = Instant::now();
    world.run(&[], RUN).await.unwrap_err();
    assert_eq!((world.state().receives.len(), started.elapsed().as_secs()), (3, 3));
    let forbidden = || CallError { message: "AccessDenied".to_owned(), is_transient: false };
    let world = World::of(10).receiving(move || (SECOND / 50, Err(forbidden())));
    world.run(&[], RUN).await.unwrap_err();
    assert_eq!(world.state().receives.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_worker_may_have_worked_on_is_left_and_never_given_back() {
    for (takes, error) in [
        (SECOND, InvokeError::Failed("Runtime.ExitError: exited".to_owned())),
        (SECOND, InvokeError::Unanswered("connection reset".to_owned())),
        (Duration::from_hours(1), refused()),
    ] {
        let world = World::of(100).worker(move |_| (takes, Err(error.clone())));
        world.run(&[("RECEIVERS", "1")], RUN).await.unwrap_err();
        let state = world.state();
        assert!(state.changes.is_empty(), "{:?}", state.changes);
        // After three failures in a row the rest is the next run's.
        assert!(state.calls.len() <= 3, "{} calls", state.calls.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_receive_that_dispatches_nothing_is_no_success() {
    let world = World::of(1_000).worker(|_| (SECOND, Err(InvokeError::Failed("panic".to_owned()))));
    world.run(&[], RUN).await.unwrap_err();
    assert_eq!(world.state().calls.len(), 15, "three for each receiver");
}

#[tokio::test(start_paused = true)]
async fn failures_count_in_a_row() {
    let calls = AtomicUsize::new(0);
    let world = World::of(200).worker(move |_| match calls.fetch_add(1, Ordering::Relaxed) % 3 {
        2 => (SECOND / 10, Ok(())),
        _ => (SECOND / 10, Err(InvokeError::Failed("panic".to_owned()))),
    });
    let summary = world.run(&[("RECEIVERS", "1")], RUN).await.unwrap();
    assert_eq!((summary.dispatched, summary.left), (60, 140), "{summary:?}");
}

#[tokio::test(start_paused = true)]
async fn runs_that_overlap_share_the_work() {
    let world = World::of(200).worker(|_| (3 * SECOND, Ok(())));
    let later = async {
        sleep(SECOND).await;
        world.run(&[], RUN).await.unwrap()
    };
    let (first, second) = tokio::join!(world.run(&[], RUN), later);
    let first = first.unwrap();
    assert_eq!(first.dispatched + second.dispatched, 200);
    assert!(first.dispatched > 50 && second.dispatched > 50, "{first:?} {second:?}");
    assert_eq!(world.state().most_in_flight, 10);
}

#[tokio::test(start_paused = true)]
async fn events_are_no_more_than_the_worker_s_instances_can_take() {
    let world = World::of(1_000);
    let settings = [("INVOCATION_TYPE", "Event"), ("WORKER_INSTANCES", "3")];
    let summary = world.run(&settings, RUN).await.unwrap();
    assert_eq!((summary.invocations, summary.received, summary.dispatched), (6, 60, 60));
    assert!(world.state().calls.iter().all(|call| call.invoke == Invoke::Event));
    // Polls that bring nothing use none of them up.
    let world = World::of(30);
    assert!(world.run(&settings, RUN).await.unwrap().drained);
}

#[tokio::test(start_paused = true)]
async fn messages_that_cannot_be_given_back_are_left_and_counted_so() {
    let world = World::of(10).worker(|_| (SECOND, Err(refused()))).changing(|| (SECOND / 50, Err(down())));
    world.run(&[], RUN).await.unwrap_err();
    assert!(world.state().changes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_handle_whose_time_is_over_changes_nothing() {
    // A refusal that takes longer than the messages are invisible.
    let world = World::of(10).worker(|_| (12 * SECOND, Err(refused())));
    world.run(&[("VISIBILITY_SECONDS", "10"), ("RECEIVERS", "1")], RUN).await.unwrap_err();
    assert!(world.state().changes.is_empty());
    // Of a visibility that nobody said, 30 s are believed.
    for (takes, changes) in [(31, 0), (28, 10)] {
        let world = World::of(10).worker(move |_| (takes * SECOND, Err(refused())));
        world.run(&[("VISIBILITY_SECONDS", ""), ("RECEIVERS", "1")], RUN).await.unwrap_err();
        assert_eq!(world.state().changes.len(), changes, "after {takes} s");
    }
}

#[tokio::test(start_paused = true)]
async fn messages_without_an_id_or_a_handle_are_counted() {
    let mut world = World::of(10);
    world.spoil = std::sync::Arc::new(|message: Message| match message.message_id.as_deref() {
        Some("m-3") => Message { message_id: None, ..message },
        Some("m-5") => Message { receipt_handle: None, ..message },
        _ => message,
    });
    let summary = world.run(&[], RUN).await.unwrap();
    assert_eq!((summary.received, summary.dispatched, summary.malformed), (10, 8, 2));
}

#[tokio::test(start_paused = true)]
async fn a_run_without_time_for_a_worker_is_an_error_that_says_so() {
    let world = World::of(10);
    let error = world.run(&[], 30).await.unwrap_err();
    assert!(error.to_string().starts_with("NoTimeToReceive: 30 s are left"), "{error}");
    assert!(world.state().receives.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_does_not_wait_is_not_asked_in_a_loop() {
    let mut world = World::of(0);
    world.is_impatient = true;
    // Too late for a full long poll.
    let summary = world.run(&[], 50).await.unwrap();
    assert_eq!((summary.receives, summary.drained), (1, false));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_long_overdue_is_not_waited_for() {
    let calls = AtomicUsize::new(0);
    let world = World::of(100).worker(move |_| match calls.fetch_add(1, Ordering::Relaxed) {
        0 => (Duration::from_hours(1), Ok(())),
        _ => (SECOND, Ok(())),
    });
    let summary = world.run(&[("RECEIVERS", "1")], 300).await.unwrap();
    assert_eq!((summary.left, summary.dispatched), (10, 90));
}

#[tokio::test(start_paused = true)]
async fn what_is_received_when_another_was_refused_is_given_back_at_once() {
    let receives = AtomicUsize::new(0);
    let world = World::of(100).worker(|_| (SECOND / 20, Err(refused()))).receiving(move || {
        let is_first = receives.fetch_add(1, Ordering::Relaxed) == 0;
        (if is_first { SECOND / 50 } else { SECOND / 5 }, Ok(()))
    });
    world.run(&[], RUN).await.unwrap_err();
    let state = world.state();
    assert_eq!((state.calls.len(), state.receives.len(), state.changes.len()), (1, 5, 50));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_was_not_sent_is_another_s_to_send() {
    // Two a run.
    let settings = [("INVOCATION_TYPE", "Event"), ("WORKER_INSTANCES", "1")];
    let receives = AtomicUsize::new(0);
    let world = World::of(100).receiving(move || match receives.fetch_add(1, Ordering::Relaxed) {
        0 => (SECOND / 50, Err(down())),
        _ => (SECOND / 50, Ok(())),
    });
    let summary = world.run(&[settings[0], settings[1], ("RECEIVERS", "1")], RUN).await.unwrap();
    assert_eq!(summary.dispatched, 20, "the receive that failed used up none");
    let calls = AtomicUsize::new(0);
    let world = World::of(100).worker(move |_| match calls.fetch_add(1, Ordering::Relaxed) {
        0 => (SECOND / 100, Err(throttled())),
        _ => (SECOND / 10, Ok(())),
    });
    let summary = world.run(&[settings[0], settings[1], ("RECEIVERS", "2")], RUN).await.unwrap();
    assert_eq!((summary.dispatched, summary.returned), (20, 10), "the call that was throttled used up none");
}
